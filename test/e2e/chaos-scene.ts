// Runs of a chaos script, for the window's tests.
import type { ChaosResult, ScriptRunView } from '../../electron/contract/chaos.ts';

const step = (line: number, text: string, state: ChaosResult['state'], detail = ''): ChaosResult => ({
  line,
  text,
  state,
  atMs: line * 700,
  tookMs: state === 'done' || state === 'failed' ? 240 : 0,
  detail,
  error: null,
});

export const run = (patch: Partial<ScriptRunView> = {}): ScriptRunView => ({
  id: 'run-1',
  cluster: 'dev',
  title: 'failover',
  state: 'running',
  failure: null,
  started: false,
  acknowledged: 212,
  startedAt: Date.now() - 4_000,
  endedAt: null,
  steps: [
    step(2, 'load default rate=50/s', 'done'),
    step(3, 'at +1s kill leader(default)', 'done', 'node-1'),
    step(4, 'wait leader(default) within 30s', 'running'),
    step(5, 'assert lost-acknowledged = 0', 'waiting'),
  ],
  ...patch,
});

export const failedRun = (): ScriptRunView =>
  run({
    state: 'failed',
    failure: 'assertion',
    endedAt: Date.now(),
    steps: [
      step(2, 'load default rate=50/s', 'done'),
      step(3, 'at +1s kill leader(default)', 'done', 'node-1'),
      step(4, 'wait leader(default) within 30s', 'done', 'node-2 leads term 8'),
      step(5, 'assert lost-acknowledged = 0', 'failed', '212 acknowledged, 1 lost (3 copies read)'),
      step(6, 'heal all', 'skipped'),
    ],
  });
