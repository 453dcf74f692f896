// Chaos scripts as every window and command sees them: saved, run step by step, recorded (ux.md §11). Entry point: `scriptCalls`.
import { setTimeout as delay } from 'node:timers/promises';
import type { LauncherApi } from '../contract/api.ts';
import type { ScriptApi, ScriptRunView } from '../contract/chaos.ts';
import { parseChaos } from '../contract/chaos-script.ts';
import { ChaosRecorder } from './chaos-recorder.ts';
import { runChaos } from './chaos-runner.ts';
import { launcherError } from './errors.ts';
import type { ScriptFiles } from './script-files.ts';

export const RUNS_AT_ONCE_MAX = 5;
export const RUNS_KEPT_MAX = 20;

export interface ScriptsOptions {
  readonly now: () => number;
  /** What the steps call; not recorded. */
  readonly api: LauncherApi;
  readonly changed: (runs: readonly ScriptRunView[]) => void;
}

interface Run {
  view: ScriptRunView;
  readonly stop: AbortController;
  ended: Promise<void>;
}

export class Scripts {
  readonly recorder: ChaosRecorder;
  readonly #options: ScriptsOptions;
  readonly #runs: Run[] = [];
  #nextId = 1;

  constructor(options: ScriptsOptions) {
    this.#options = options;
    this.recorder = new ChaosRecorder(options.now);
  }

  get views(): readonly ScriptRunView[] {
    return this.#runs.map((run) => run.view);
  }

  get running(): number {
    return this.views.filter((view) => view.state === 'running').length;
  }

  start(cluster: string, title: string, text: string): ScriptRunView {
    const steps = parseChaos(text);
    const busy = this.views.some((view) => view.state === 'running' && view.cluster === cluster);
    if (busy || this.running >= RUNS_AT_ONCE_MAX) {
      const why = busy ? `A script runs on ${cluster} already.` : `The limit is ${RUNS_AT_ONCE_MAX} runs at once.`;
      throw launcherError('CLUSTER_BUSY', `${title} was not started.`, why, ['Wait for its end, or stop it.']);
    }
    const { now, api, changed } = this.#options;
    const view: ScriptRunView = {
      id: `run-${this.#nextId++}`,
      cluster,
      title,
      state: 'running',
      failure: null,
      started: false,
      acknowledged: 0,
      startedAt: now(),
      endedAt: null,
      steps: [],
    };
    const stop = new AbortController();
    const run: Run = { view, stop, ended: Promise.resolve() };
    this.#runs.unshift(run);
    this.#forgetOld();
    const change = (to: Partial<ScriptRunView>): void => {
      run.view = { ...run.view, ...to };
      changed(this.views);
    };
    // A wait that outlives its stopped run keeps nothing alive.
    const clock = { now: () => performance.now(), sleep: (ms: number) => delay(ms, undefined, { ref: false }) };
    const told = (results: ScriptRunView['steps'], acknowledged: number): void =>
      change({ steps: results, acknowledged });
    run.ended = runChaos({ api, cluster, steps, clock, stop: stop.signal, told }).then((report) => {
      const state = report.failure === null ? 'passed' : stop.signal.aborted ? 'stopped' : 'failed';
      change({ ...report, state, endedAt: now() });
    });
    return run.view;
  }

  #forgetOld(): void {
    const old = this.#runs.slice(RUNS_KEPT_MAX).filter((run) => run.view.state !== 'running');
    for (const run of old) this.#runs.splice(this.#runs.indexOf(run), 1);
  }

  /** An ended run stays as it is. Fails with TASK_NOT_FOUND. */
  async stop(id: string): Promise<ScriptRunView> {
    const run = this.#runs.find((one) => one.view.id === id);
    if (run === undefined) {
      throw launcherError('TASK_NOT_FOUND', `There is no run ${id}.`, 'It ended long ago, or never was.', []);
    }
    run.stop.abort();
    await run.ended;
    return run.view;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.views.filter((view) => view.state === 'running').map((view) => this.stop(view.id)));
  }
}

/** The calls of ScriptApi. */
export function scriptCalls(
  scripts: Scripts,
  files: ScriptFiles,
  known: (cluster: string) => Promise<void>,
): ScriptApi {
  return {
    scripts: () => files.list(),
    readScript: (name) => files.read(name),
    saveScript: (name, text) => files.save(name, text),
    removeScript: (name) => files.remove(name),
    runScript: async (cluster, title, text) => scripts.start(cluster, title, text),
    stopScript: (id) => scripts.stop(id),
    scriptRuns: async () => scripts.views,
    record: async (cluster, on) => {
      await known(cluster);
      return on ? scripts.recorder.start(cluster) : scripts.recorder.stop(cluster);
    },
    recording: async (cluster) => scripts.recorder.find(cluster),
  };
}
