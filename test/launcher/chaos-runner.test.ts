// Chaos scripts on a scripted launcher and a clock driven by hand: when steps happen, what fails, what is compared (ux.md §11).
import { describe, expect, it } from 'vitest';
import type { LauncherApi } from '../../electron/contract/api.ts';
import { parseChaos, readChaos } from '../../electron/contract/chaos-script.ts';
import { wordsOf } from '../../electron/contract/chaos-words.ts';
import type { ChaosResult } from '../../electron/contract/chaos.ts';
import { junitOf } from '../../electron/contract/junit.ts';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { ChaosRecorder, RECORDED_LINES_MAX, recordedCalls } from '../../electron/launcher/chaos-recorder.ts';
import { runChaos } from '../../electron/launcher/chaos-runner.ts';
import { timelineScript } from '../../electron/launcher/timeline-script.ts';
import { applied, healthyFacts, T0, viewOf } from './builders.ts';

/** Sleeps end only when the test moves the clock; the earliest first. */
class HandClock {
  time = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  readonly now = (): number => this.time;
  readonly sleep = (ms: number): Promise<void> =>
    ms <= 0 ? Promise.resolve() : new Promise((wake) => this.#sleepers.push({ at: this.time + ms, wake }));

  /** Moves on until `done`, from sleeper to sleeper. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    void work.then(
      () => (ended = true),
      () => (ended = true),
    );
    while (!ended) {
      // Everything that can go on without the clock does so first.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#sleepers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) continue;
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    return work;
  }
}

interface Call {
  readonly at: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** node-1 leads `default` in term 7; events are on every copy unless `lacks` names the node. */
function scripted(clock: HandClock, options: { lacks?: string; equal?: boolean; wait?: () => void } = {}) {
  const calls: Call[] = [];
  let view = viewOf(healthyFacts());
  let appended = 0;
  const answers: Partial<Record<keyof LauncherApi, (...args: readonly never[]) => unknown>> = {
    getCluster: () => view,
    actOnNode: (_cluster: string, target: string, action: string) => {
      const node = target === 'leader:default' ? 'node-1' : target;
      if (action === 'freeze') view = viewOf(applied(healthyFacts(), { type: 'frozen', node, frozen: true, at: T0 }));
      return [node];
    },
    wait: () => {
      options.wait?.();
      return view;
    },
    appendEvent: () => ({ id: `event-${appended++}` }),
    readEvents: (_cluster: string, context: string, query: { readonly node?: string }) => ({
      context,
      events: Array.from({ length: appended }, (_, i) => ({ id: `event-${i}` })).slice(
        query.node === options.lacks ? 1 : 0,
      ),
      next: null,
    }),
    verifyReplicas: () => [{ equal: options.equal !== false, sentence: 'default: members differ.' }],
  };
  const api = new Proxy({} as LauncherApi, {
    get:
      (_target, method: string) =>
      async (...args: readonly unknown[]) => {
        calls.push({ at: clock.time, method, args });
        return (answers[method as keyof LauncherApi] as ((...given: readonly unknown[]) => unknown) | undefined)?.(
          ...args,
        );
      },
  });
  return { api, calls, view, of: (method: string) => calls.filter((call) => call.method === method) };
}

async function run(text: string, options: Parameters<typeof scripted>[1] = {}, stop = new AbortController()) {
  const clock = new HandClock();
  const launcher = scripted(clock, options);
  const told: ChaosResult['state'][][] = [];
  const report = await clock.runUntil(
    runChaos({
      api: launcher.api,
      cluster: 'dev',
      steps: parseChaos(text),
      clock,
      stop: stop.signal,
      told: (steps) => told.push(steps.map((step) => step.state)),
    }),
  );
  return { report, told, ...launcher };
}

const notInTime = (): never => {
  throw new LauncherError({ code: 'NOT_READY_IN_TIME', what: 'Not met.', why: 'No leader.', next: [] });
};

describe('a run', () => {
  it('UX-11 does each step at its time, counted from the load', async () => {
    const { calls, report } = await run(
      'load default rate=10/s\nat +2s kill node-2\nat +500ms freeze node-3\nheal all',
    );
    const acts = calls.filter((call) => ['actOnNode', 'heal'].includes(call.method));
    expect(acts.map((call) => [call.method, call.args[1], call.at])).toEqual([
      ['actOnNode', 'node-2', 2000],
      ['actOnNode', 'node-3', 2000],
      ['heal', undefined, 2000],
    ]);
    expect(report.failure).toBeNull();
  });

  it('UX-11 appends at the rate that was asked for', async () => {
    const { of } = await run('load default rate=50/s\nat +2s heal all');
    expect(of('appendEvent').length).toBeGreaterThanOrEqual(95);
    expect(of('appendEvent').length).toBeLessThanOrEqual(105);
  });

  it('UX-11 a wait for a leader after its kill means one of a higher term, and else any', async () => {
    const { of } = await run('wait leader(default)\nkill leader(default)\nwait leader(default)\nwait leader(default)');
    expect(of('wait').map((call) => (call.args[1] as { afterTerm: number | null }).afterTerm)).toEqual([null, 7, null]);
  });

  it('UX-11 a frozen leader that is resumed may lead on', async () => {
    const { of } = await run('freeze node-1\nresume node-1\nwait leader(default)');
    expect(of('wait').map((call) => (call.args[1] as { afterTerm: number | null }).afterTerm)).toEqual([null]);
  });

  it('UX-11 heal all resumes a frozen leader, who may lead on', async () => {
    const { of } = await run('freeze leader(default)\nheal all\nwait leader(default)');
    expect(of('wait').map((call) => (call.args[1] as { afterTerm: number | null }).afterTerm)).toEqual([null]);
  });

  it('UX-11 steps are told as they begin and end, and after a failure the rest is skipped', async () => {
    const { told, report } = await run('heal all\nwait all ready\nheal all', { wait: notInTime });
    expect(told[0]).toEqual(['running', 'waiting', 'waiting']);
    expect(told[1]).toEqual(['done', 'waiting', 'waiting']);
    expect(told.at(-1)).toEqual(['done', 'failed', 'skipped']);
    expect(report.steps[1]?.detail).toContain('No leader.');
  });

  it.each([
    ['wait all ready', 'condition'],
    ['assert apps reconnected within 5s', 'assertion'],
    ['assert lost-acknowledged = 0', 'assertion'],
  ] as const)('UX-18 %s that does not come true is a failed %s', async (line, failure) => {
    expect((await run(line, { wait: notInTime })).report.failure).toBe(failure);
  });

  it('UX-11 a stop ends the step under way as failed and skips the rest', async () => {
    const stop = new AbortController();
    const { report } = await run('wait all ready\nheal all', { wait: () => stop.abort() }, stop);
    expect(report.steps.map((step) => step.state)).toEqual(['failed', 'skipped']);
    expect(report.steps[0]?.error?.code).toBe('SCRIPT_STOPPED');
  });
});

describe('assert lost-acknowledged', () => {
  const script = 'load default rate=10/s\nat +1s heal all\nassert lost-acknowledged = 0';

  it('UX-11 reads the copy of every member', async () => {
    const { report, of } = await run(script);
    expect(of('readEvents').map((call) => (call.args[2] as { node: string }).node)).toEqual([
      'node-1',
      'node-2',
      'node-3',
    ]);
    expect(report.steps[2]?.detail).toMatch(/^\d+ acknowledged, 0 lost \(3 copies read\)$/);
    expect(report.failure).toBeNull();
  });

  it('UX-11 fails when one copy lacks an event, even if the others have it', async () => {
    const { report } = await run(script, { lacks: 'node-3' });
    expect(report.steps[2]?.detail).toContain('1 lost');
    expect(report.failure).toBe('assertion');
  });

  it('UX-11 fails when members differ, and when a copy cannot be read', async () => {
    expect((await run(script, { equal: false })).report.steps[2]?.detail).toContain('members differ');
    const unread = await run(script, { wait: notInTime });
    expect(unread.report.steps[2]?.detail).toContain('the copy of default on node-1 could not be read: No leader.');
    expect(unread.report.failure).toBe('assertion');
  });
});

describe('a recording', () => {
  it('UX-11 what is done becomes lines that do the same again', async () => {
    const clock = new HandClock();
    const { api, view } = scripted(clock);
    const recorder = new ChaosRecorder(clock.now);
    const calls = recordedCalls(api, recorder);
    await calls.heal('dev');
    expect(recorder.find('dev'), 'nothing before it begins').toBeNull();
    recorder.start('dev');
    clock.time = 1500;
    await calls.actOnNode('dev', 'leader:default', 'kill');
    await calls.wait('dev', { kind: 'leader', context: 'default', afterTerm: 7 }, 5000);
    clock.time = 4000;
    const cut = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
    await calls.setLinks('dev', [
      { from: 'node-1', to: 'node-2', ...cut },
      { from: 'node-2', to: 'node-1', ...cut },
      { from: 'node-1', to: 'node-3', ...cut, cut: false, delayMs: 80, jitterMs: 20 },
    ]);
    await calls.setDisk('dev', 'node-2', { slowMs: 50 });
    await calls.skewClock('dev', 'leader:default', -30_000);
    await calls.heal('dev');
    const { text, running } = recorder.stop('dev');
    expect(running).toBe(false);
    expect(text.split('\n').slice(1)).toEqual([
      'at +1.5s kill leader(default)',
      'wait leader(default) within 5000ms',
      'at +4.0s cut node-1 and node-2',
      'at +4.0s delay node-1 to node-3 80ms jitter 20ms',
      'at +4.0s slow-disk node-2 50ms',
      'at +4.0s skew leader(default) -30000ms',
      'at +4.0s heal all',
      '',
    ]);
    expect(readChaos(text).problems).toEqual([]);
    expect((view as ClusterView).name).toBe('dev');
  });

  it('UX-11 a call that is refused is not written down', async () => {
    const recorder = new ChaosRecorder(() => 0);
    recorder.start('dev');
    const refused = recordedCalls({ heal: () => Promise.reject(new Error('no')) } as never, recorder);
    await expect(refused.heal('dev')).rejects.toThrow('no');
    expect(recorder.stop('dev').text).not.toContain('heal');
  });

  it('UX-10 a part of the timeline becomes a script: actions at their times, a wait for each leader after one', () => {
    const event = (at: number, change: Partial<TimelineEvent>): TimelineEvent => ({
      ...{ at, cluster: 'dev', kind: 'user', subject: 'dev', text: '' },
      ...change,
    });
    const election = (at: number, subject: string) => event(at, { kind: 'context', subject, mark: 'election' });
    const from = 1_000_000;
    const text = timelineScript(
      'dev',
      [
        election(from + 100, 'default'),
        event(from + 2000, { script: ['kill leader(default)'] }),
        election(from + 2900, 'default'),
        election(from + 3100, 'default'),
        election(from + 3200, '_admin'),
        event(from + 4000, { kind: 'note', text: 'kill all' }),
        event(from + 5500, { script: ['cut node-1 to node-2', '# as it was'] }),
        election(from + 6000, 'default'),
        event(from + 7000, { script: ['heal all'] }),
      ],
      from,
      from + 9000,
    );
    expect(text.split('\n').slice(1)).toEqual([
      'at +0.0s kill leader(default)',
      'wait leader(default) within 30000ms',
      'wait leader(_admin) within 30000ms',
      'at +3.5s cut node-1 to node-2',
      '# as it was',
      'wait leader(default) within 30000ms',
      'at +5.0s heal all',
      '',
    ]);
    expect(readChaos(text).problems).toEqual([]);
    expect(timelineScript('dev', [election(from, 'default')], from, from + 1)).toContain('# nothing that a script');
    const many = Array.from({ length: RECORDED_LINES_MAX + 5 }, (_, at) => event(at, { script: ['heal all'] }));
    expect(timelineScript('dev', many, 0, 2000).split('\n').length).toBeLessThan(RECORDED_LINES_MAX + 3);
  });

  it('UX-11 ends at its limit and says so', () => {
    const recorder = new ChaosRecorder(() => 0);
    recorder.start('dev');
    for (let i = 0; i < RECORDED_LINES_MAX + 5; i++) recorder.note('dev', { kind: 'heal' });
    const { text, running } = recorder.stop('dev');
    expect(running).toBe(false);
    expect(text).toContain('the recording ended at its limit');
    expect(text.split('\n').length).toBeLessThan(RECORDED_LINES_MAX + 3);
  });

  it.each([
    'start 3 keep=no contexts=a,b',
    'load default rate=200/s',
    'restart follower(default)',
    'cut node-1 to node-3',
    'delay node-2 and node-3 80ms jitter 20ms loss 5%',
    'slow-disk all 50ms',
    'fill-disk node-1',
    'fail-disk node-1',
    'skew leader(default) +300000ms',
    'skew all -30000ms',
    'heal all',
    'wait all ready within 500ms',
    'wait caught-up node-2 within 500ms',
    'assert lost-acknowledged = 0',
    'assert apps reconnected within 500ms',
  ])('UX-11 %s is written as it is read', (line) => {
    const [step] = parseChaos(line);
    expect(step === undefined ? [] : wordsOf(step.action)).toEqual([line]);
  });
});

describe('the language', () => {
  it('UX-11 tells every problem with its place, not only the first', () => {
    expect(readChaos('heal all\nexplode\nheal all; kill').problems.map(({ line, column }) => [line, column])).toEqual([
      [2, 1],
      [3, 11],
    ]);
  });

  it('UX-11 JUnit: one case per step, failures and skips counted, signs escaped', () => {
    const step = (line: number, state: ChaosResult['state'], detail = ''): ChaosResult => ({
      line,
      text: 'heal all',
      state,
      atMs: 0,
      tookMs: 1500,
      detail,
      error: null,
    });
    const xml = junitOf('a.chaos', [step(1, 'done'), step(2, 'failed', 'a < "b"'), step(3, 'skipped')]);
    expect(xml).toContain('tests="3" failures="1" skipped="1"');
    expect(xml).toContain('message="a &#60; &#34;b&#34;"');
    expect(xml).toContain('time="1.500"');
  });
});
