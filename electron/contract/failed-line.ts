// Pure: where a run of a chaos script stopped. Entry point: `failedLine`.
import type { ChaosResult, ScriptRunView } from './chaos.ts';

export interface FailedLine {
  readonly step: ChaosResult;
  /** Epoch ms at which it had failed, which for a wait is its end; the timeline shows the cluster as it was then. */
  readonly at: number;
}

/** Null: no line of it failed. */
export function failedLine(run: ScriptRunView): FailedLine | null {
  const step = run.steps.find((one) => one.state === 'failed');
  return step === undefined ? null : { step, at: Math.round(run.startedAt + step.atMs + step.tookMs) };
}
