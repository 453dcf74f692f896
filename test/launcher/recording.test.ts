// The recorded past: states come back as they were, within a bound (ux.md §10).
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMoment } from '../../electron/contract/grammar.ts';
import type { AppView, ClusterView } from '../../electron/contract/model.ts';
import { difference, patched } from '../../electron/launcher/json-patch.ts';
import { ReconnectWatch } from '../../electron/launcher/reconnect.ts';
import {
  CLIENT_LANES_MAX,
  QUIET_EVERY_MS,
  Recording,
  RECORDING_BYTES_MAX,
  SILENCE_MS,
} from '../../electron/launcher/recording.ts';
import type { Frame } from '../../electron/launcher/recording.ts';
import { AppendBars, COARSE_BARS_MAX, FINE_BARS_MAX } from '../../electron/launcher/append-bars.ts';
import { RecordingFile } from '../../electron/launcher/recording-file.ts';
import { applied, healthyFacts, T0, viewOf } from './builders.ts';
import { removeDir, temporaryDir } from './support.ts';

const healthy = (): ClusterView => viewOf(healthyFacts());
const killed = (): ClusterView =>
  viewOf(
    applied(
      healthyFacts(),
      { type: 'end-requested', node: 'node-1', reason: 'Killed by you', graceful: false },
      { type: 'exited', node: 'node-1', at: T0 + 10, code: null, signal: 'SIGKILL', lastLines: [] },
    ),
    T0 + 10,
  );
const plain = (view: ClusterView): unknown => JSON.parse(JSON.stringify(view));

describe('differences', () => {
  it.each([
    [{ a: 1 }, { a: 1, b: [1] }],
    [{ a: { b: [1, 2, { c: null }] } }, { a: { b: [1, 3, { c: 'x' }] } }],
    [{ a: [1, 2] }, { a: [1] }],
    [{ a: [], b: 1 }, { a: {} }],
    [{ a: null }, { a: { b: { c: 1 } } }],
    [{ 0: 'zero' }, { 1: 'one' }],
  ])('of %j lead to %j', (before, after) => {
    const kept = JSON.stringify(before);
    const patch = difference(before as never, after as never);
    expect(patched(before as never, JSON.parse(JSON.stringify(patch)))).toEqual(after);
    expect(JSON.stringify(before)).toBe(kept);
    expect(difference(after as never, after as never)).toBeNull();
  });
});

describe('the recording of a cluster', () => {
  it('UX-10 answers the state that was at a moment, also between two recorded ones', () => {
    const recording = new Recording();
    recording.offer(healthy(), T0, false);
    recording.offer(killed(), T0 + 10, true);
    recording.offer(healthy(), T0 + 500, true);
    expect(recording.viewAt(T0 + 9)?.view).toEqual(plain(healthy()));
    expect(recording.viewAt(T0 + 300)).toEqual({ recordedAt: T0 + 10, view: plain(killed()) });
    expect(recording.viewAt(T0 + 900)?.view).toEqual(plain(healthy()));
    expect(recording.viewAt(T0 - 1)?.recordedAt, 'before the first: the first').toBe(T0);
  });

  it('UX-10 has a lane per client: where it is connected, when it is away, what it lacks since a fault', () => {
    const app = (clientId: string, node: string): AppView => ({
      ...{ clientId, node, componentName: 'orders', context: 'default', connectedSince: T0 },
      ...{ commands: ['A', 'B'], queries: [], processors: [] },
    });
    const watch = new ReconnectWatch();
    const seen = (at: number, ...apps: readonly AppView[]): ClusterView => {
      watch.observe(apps, at);
      const reconnect = watch.report();
      return { ...healthy(), apps, ...(reconnect === null ? {} : { reconnect }) };
    };
    const recording = new Recording();
    recording.offer(seen(T0, app('1', 'node-1')), T0, true);
    watch.begin('kill node-1.', [app('1', 'node-1')], T0 + 5);
    recording.offer(seen(T0 + 10), T0 + 10, true);
    recording.offer(seen(T0 + 20, { ...app('1', 'node-2'), connectedSince: T0 + 20, commands: ['A'] }), T0 + 20, true);
    recording.offer(seen(T0 + 30, { ...app('1', 'node-2'), connectedSince: T0 + 20 }), T0 + 30, true);
    recording.offer(seen(T0 + 40, { ...app('1', 'node-2'), connectedSince: T0 + 20 }), T0 + 40, true);
    const spans = [
      { at: T0, nodes: ['node-1'], missing: 0 },
      { at: T0 + 10, nodes: [], missing: 0 },
      { at: T0 + 20, nodes: ['node-2'], missing: 1 },
      { at: T0 + 30, nodes: ['node-2'], missing: 0 },
    ];
    expect(recording.history.clients).toEqual([{ clientId: '1', componentName: 'orders', spans }]);
    for (let i = 0; i < CLIENT_LANES_MAX + 5; i++) {
      recording.offer(seen(T0 + 50 + i, app(`new-${i}`, 'node-3')), T0 + 50 + i, true);
    }
    const ids = recording.history.clients.map(({ clientId }) => clientId);
    expect([ids.length, ids.includes('1'), ids.includes('new-5'), ids.includes(`new-${CLIENT_LANES_MAX + 4}`)]).toEqual(
      [CLIENT_LANES_MAX, false, true, true],
    );
    const all = Array.from({ length: CLIENT_LANES_MAX + 5 }, (_, i) => app(`c-${i}`, 'node-1'));
    const crowded = new Recording();
    crowded.offer(seen(T0, ...all), T0, true);
    crowded.offer(seen(T0 + 1, ...all, app('one-more', 'node-1')), T0 + 1, true);
    const lanes = crowded.history.clients;
    expect(lanes.length).toBe(CLIENT_LANES_MAX);
    expect(
      lanes.every((one) => one.spans.length === 1),
      'lanes in use stay',
    ).toBe(true);
  });

  it('UX-10 counts what is committed when, but not what came while nobody looked, nor of _admin', () => {
    const at = Math.ceil(T0 / 2000) * 2000;
    const committed = (commitIndex: number): ClusterView => ({
      ...healthy(),
      contexts: healthy().contexts.map((context) => ({
        ...context,
        commitIndex: context.name === '_admin' ? commitIndex * 7 : commitIndex,
      })),
    });
    const frames: Frame[] = [];
    const recording = new Recording(RECORDING_BYTES_MAX, (frame) => frames.push(frame));
    recording.offer(committed(100), at, true);
    recording.offer(committed(130), at + 500, true);
    recording.offer(committed(150), at + 1900, true);
    recording.offer(committed(151), at + 4100, true);
    recording.offer(committed(120), at + 4200, true);
    recording.offer(committed(900), at + 4200 + SILENCE_MS + 1, true);
    recording.offer(committed(903), at + 4200 + SILENCE_MS + 500, true);
    const again = new Recording();
    again.restore(frames);
    const last = Math.floor((at + 4200 + SILENCE_MS + 500) / 2000) * 2000;
    expect(again.history.appends).toEqual([
      { at, ms: 2000, entries: 50 },
      { at: at + 4000, ms: 2000, entries: 1 },
      { at: last, ms: 2000, entries: 3 },
    ]);
  });

  it('UX-10 keeps appends of minutes finely, of hours coarsely, and of more not at all', () => {
    const bars = new AppendBars();
    const total = FINE_BARS_MAX + COARSE_BARS_MAX * 15 + 60;
    for (let i = 0; i < total; i++) bars.add(i * 2000, 2);
    expect(bars.list.length).toBe(FINE_BARS_MAX + COARSE_BARS_MAX);
    expect(bars.list[1]).toMatchObject({ ms: 30_000, entries: 30 });
    expect(bars.list.at(-1)).toEqual({ at: (total - 1) * 2000, ms: 2000, entries: 2 });
    bars.forgetBefore((total - 5) * 2000);
    expect(bars.list.length).toBe(5);
  });

  it('UX-10 has nothing to show before anything was recorded', () => {
    expect(new Recording().viewAt(T0)).toBeNull();
    expect(new Recording().history.range).toBeNull();
  });

  it('UX-10 keeps what people talk about at once and quiet changes once per second', () => {
    const recording = new Recording();
    recording.offer(healthy(), T0, false);
    recording.offer({ ...healthy(), revision: 2 }, T0 + 100, false);
    expect(recording.history.range?.to).toBe(T0);
    recording.offer({ ...healthy(), revision: 3 }, T0 + 150, true);
    expect(recording.history.range?.to).toBe(T0 + 150);
    recording.offer({ ...healthy(), revision: 4 }, T0 + 150 + QUIET_EVERY_MS, false);
    expect(recording.viewAt(T0 + 5000)?.view.revision).toBe(4);
  });

  it('UX-10 draws a lane per node, context and for faults, with a span per change', () => {
    const recording = new Recording();
    recording.offer(healthy(), T0, false);
    recording.offer(killed(), T0 + 10, true);
    const { nodes, contexts, faults } = recording.history;
    expect(nodes[0]?.spans).toEqual([
      { at: T0, state: 'ready' },
      { at: T0 + 10, state: 'stopped' },
    ]);
    expect(nodes[1]?.spans).toHaveLength(1);
    expect(contexts.find(({ name }) => name === 'default')?.spans.map(({ leader }) => leader)).toEqual([
      'node-1',
      null,
    ]);
    expect(faults).toEqual([{ at: T0, active: 0 }]);
  });

  it('UX-10 forgets the oldest states beyond its bound, and every state that is left can be shown', () => {
    const bytes = JSON.stringify(healthy()).length * 6;
    const recording = new Recording(bytes);
    for (let i = 0; i < 400; i++) {
      recording.offer({ ...(i % 40 < 20 ? healthy() : killed()), revision: i }, T0 + i * 1000, true);
    }
    const range = recording.history.range;
    expect(range?.from).toBeGreaterThan(T0);
    expect(range?.to).toBe(T0 + 399_000);
    for (let at = range?.from ?? 0; at <= T0 + 399_000; at += 1000) {
      expect(recording.viewAt(at)?.view.revision).toBe((at - T0) / 1000);
    }
    expect(recording.history.nodes[0]?.spans.length, 'spans of forgotten states are forgotten').toBeLessThan(8);
  });

  it('UX-10 a clock that is set back does not reorder what happened', () => {
    const recording = new Recording();
    recording.offer(healthy(), T0, true);
    recording.offer(killed(), T0 - 60_000, true);
    expect(recording.viewAt(T0)?.view).toEqual(plain(killed()));
  });
});

describe('the recording on disk', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await temporaryDir();
  });
  afterEach(() => removeDir(dir));

  /** A run of a launcher: states one second apart, the last one with all nodes stopped if `ends`. */
  async function record(from: number, states: readonly ClusterView[], bytesMax?: number): Promise<void> {
    const file = new RecordingFile(path.join(dir, 'history.jsonl'), bytesMax);
    const recording = new Recording(undefined, (frame) => file.add(frame));
    for (const [i, state] of states.entries()) recording.offer({ ...state, revision: i }, from + i * 1000, true);
    await file.close();
  }
  async function reopened(bytesMax?: number): Promise<Recording> {
    const recording = new Recording();
    recording.restore(await new RecordingFile(path.join(dir, 'history.jsonl'), bytesMax).read());
    return recording;
  }

  it('UX-10 outlives the launcher: every state of earlier runs can be shown', async () => {
    await record(T0, [healthy(), killed(), healthy()]);
    const recording = await reopened();
    expect(recording.history.range).toEqual({ from: T0, to: T0 + 2000 });
    expect(recording.viewAt(T0 + 1500)?.view).toEqual(plain({ ...killed(), revision: 1 }));
    expect(recording.history.nodes[0]?.spans.map(({ state }) => state)).toEqual(['ready', 'stopped', 'ready']);
  });

  it('UX-10 the present run goes on after what was restored', async () => {
    await record(T0, [healthy(), killed()]);
    const recording = new Recording();
    recording.offer(healthy(), T0 + 5000, true);
    recording.restore(await new RecordingFile(path.join(dir, 'history.jsonl')).read());
    recording.offer(killed(), T0 + 6000, true);
    expect(recording.viewAt(T0 + 1000)?.view).toEqual(plain({ ...killed(), revision: 1 }));
    expect(recording.viewAt(T0 + 5500)?.view).toEqual(plain(healthy()));
    expect(recording.viewAt(T0 + 6000)?.view).toEqual(plain(killed()));
  });

  it('UX-1.1 after a launcher that died nobody knows how its nodes were', async () => {
    await record(T0, [healthy(), healthy()]);
    await record(T0 + 600_000, [healthy()]);
    const { nodes, contexts } = (await reopened()).history;
    expect(nodes[0]?.spans).toEqual([
      { at: T0, state: 'ready' },
      { at: T0 + 1000 + SILENCE_MS, state: 'stale' },
      { at: T0 + 600_000, state: 'ready' },
    ]);
    expect(contexts[0]?.spans[1]).toMatchObject({ headline: 'unknown', leader: null });
  });

  it('UX-10 a damaged line costs its run of differences and nothing else', async () => {
    await record(T0, [healthy(), killed(), healthy()]);
    const file = path.join(dir, 'history.jsonl');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [lines[0], lines[1]?.slice(0, 20), lines[2], ''].join('\n'));
    await record(T0 + 60_000, [killed()]);
    const recording = await reopened();
    expect(recording.viewAt(T0 + 50_000)?.recordedAt).toBe(T0);
    expect(recording.viewAt(T0 + 60_000)?.view).toEqual(plain({ ...killed(), revision: 0 }));
  });

  it('UX-10 is bounded on disk by two files, each readable alone', async () => {
    const bytesMax = JSON.stringify(healthy()).length * 4;
    for (let run = 0; run < 40; run++) {
      await record(T0 + run * 10_000, [healthy(), killed(), healthy()], bytesMax);
    }
    const sizes = await Promise.all(['history.jsonl', 'history.jsonl.1'].map((name) => stat(path.join(dir, name))));
    for (const { size } of sizes) expect(size).toBeLessThan(bytesMax * 2);
    const recording = await reopened(bytesMax);
    expect(recording.history.range?.to).toBe(T0 + 39 * 10_000 + 2000);
    expect(recording.history.range?.from).toBeGreaterThan(T0);
  });

  it('UX-10 nothing on disk is no past, and a stopped cluster is not recorded', async () => {
    expect((await reopened()).history.range).toBeNull();
    const recording = new Recording();
    recording.offer({ ...healthy(), state: 'stopped' }, T0, true);
    expect(recording.history.range).toBeNull();
  });
});

describe('moments of the command line', () => {
  it.each([
    ['12s', T0 - 12_000],
    ['2026-01-31T14:03:22.410Z', Date.parse('2026-01-31T14:03:22.410Z')],
  ])('reads %s', (text, at) => {
    expect(parseMoment(text, T0)).toBe(at);
  });

  it('refuses what is neither with an example', () => {
    expect(() => parseMoment('yesterday', T0)).toThrow('write 12s');
  });
});
