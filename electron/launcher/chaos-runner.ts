// Runs the steps of a chaos script over the LauncherApi, with a load of real appends (ux.md §11). Entry point: `runChaos`.
import type { LauncherApi } from '../contract/api.ts';
import type { ChaosAction, ChaosFailure, ChaosResult, ChaosStep } from '../contract/chaos.ts';
import type { ClusterSpec, ContextName, LauncherErrorData, NodeAction, NodeName } from '../contract/model.ts';
import { frozenNodes } from '../contract/words.ts';
import { ChaosLoad } from './chaos-load.ts';
import { errorData, launcherError } from './errors.ts';

export interface ChaosReport {
  readonly failure: ChaosFailure | null;
  readonly started: boolean;
  readonly acknowledged: number;
  readonly steps: readonly ChaosResult[];
}

export interface ChaosClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface ChaosOptions {
  readonly api: LauncherApi;
  readonly cluster: string;
  readonly steps: readonly ChaosStep[];
  readonly clock: ChaosClock;
  /** Ends the step under way as failed. */
  readonly stop: AbortSignal;
  /** A step begins or has ended. */
  readonly told: (steps: readonly ChaosResult[], acknowledged: number) => void;
}

interface Run {
  readonly api: LauncherApi;
  readonly cluster: string;
  readonly clock: ChaosClock;
  /** Rejects when the run is stopped. */
  readonly stopped: Promise<never>;
  /** Terms of leaders that a step took away: a wait for a leader means one of a higher term. */
  readonly lostTerms: Map<ContextName, { readonly node: NodeName; readonly term: number }>;
  load: ChaosLoad | null;
  started: boolean;
}

/** May cost a node its leadership, as far as the script knows. */
const UNSEATING: readonly NodeAction[] = ['stop', 'kill', 'restart', 'freeze'];

/** Stops at the first step that fails; the cluster stays as it is then. */
export async function runChaos({ api, cluster, steps, clock, stop, told }: ChaosOptions): Promise<ChaosReport> {
  const run: Run = { api, cluster, clock, stopped: stoppedBy(stop), lostTerms: new Map(), load: null, started: false };
  const began = clock.now();
  let origin = began;
  const results = steps.map(({ line, text }): ChaosResult => ({ ...WAITING, line, text }));
  const tell = (): void => told([...results], run.load?.acknowledged ?? 0);
  const change = (index: number, to: Partial<ChaosResult>): void => {
    results[index] = { ...(results[index] as ChaosResult), ...to };
  };
  let failure: ChaosFailure | null = null;
  for (const [index, step] of steps.entries()) {
    if (failure !== null) {
      change(index, { state: 'skipped' });
      continue;
    }
    const due = step.atMs === null ? 0 : Math.max(0, origin + step.atMs - clock.now());
    change(index, { state: 'running', atMs: clock.now() + due - began });
    tell();
    const slept = await outcomeOf(run, () => clock.sleep(due).then(() => fine()));
    const from = clock.now();
    const outcome = slept.state === 'failed' ? slept : await outcomeOf(run, () => perform(run, step.action));
    change(index, { ...outcome, atMs: from - began, tookMs: clock.now() - from });
    failure = outcome.state === 'failed' ? failureOf(step.action, outcome.error) : null;
    origin = step.action.kind === 'load' ? clock.now() : origin;
    tell();
  }
  tell();
  await run.load?.stop();
  return { failure, started: run.started, acknowledged: run.load?.acknowledged ?? 0, steps: results };
}

const WAITING = { state: 'waiting', atMs: 0, tookMs: 0, detail: '', error: null } as const;

function stoppedBy(signal: AbortSignal): Promise<never> {
  const stopped = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(launcherError('SCRIPT_STOPPED', 'Stopped by you.', '', []));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  stopped.catch(() => undefined);
  return stopped;
}

function failureOf(action: ChaosAction, error: LauncherErrorData | null): ChaosFailure {
  if (error?.code === 'SCRIPT_STOPPED') return 'error';
  if (action.kind === 'assert-lost' || action.kind === 'assert-apps') return 'assertion';
  return error?.code === 'NOT_READY_IN_TIME' ? 'condition' : 'error';
}

async function outcomeOf(
  run: Run,
  work: () => Promise<Outcome>,
): Promise<Pick<ChaosResult, 'state' | 'detail' | 'error'>> {
  try {
    const { failed, detail } = await Promise.race([work(), run.stopped]);
    return { state: failed ? 'failed' : 'done', detail, error: null };
  } catch (error) {
    const data = errorData(error);
    return { state: 'failed', detail: `${data.what} ${data.why}`.trim(), error: data };
  }
}

interface Outcome {
  readonly failed: boolean;
  readonly detail: string;
}
const fine = (detail = ''): Outcome => ({ failed: false, detail });

async function perform(run: Run, action: ChaosAction): Promise<Outcome> {
  const { api, cluster } = run;
  switch (action.kind) {
    case 'start': {
      await api.createCluster(specOf(cluster, action));
      run.started = true;
      await api.startCluster(cluster);
      return fine();
    }
    case 'load':
      await run.load?.stop();
      run.load = new ChaosLoad(api, cluster, action.context, action.rate, run.clock, run.load);
      return fine();
    case 'node':
      return fine((await actOnNodes(run, action.target, action.action)).join(', '));
    case 'links':
      await api.setLinks(cluster, action.links);
      return fine();
    case 'disk':
      return fine((await api.setDisk(cluster, action.target, action.change)).join(', '));
    case 'clock':
      return fine((await api.skewClock(cluster, action.target, action.skewMs)).join(', '));
    case 'heal':
      return healed(run);
    case 'wait':
      return waited(run, action);
    case 'assert-apps':
      await api.wait(cluster, { kind: 'apps-reconnected' }, action.withinMs);
      return fine();
    case 'assert-lost':
      return lost(run, action.most);
  }
}

/** The view tells of a lost leader only later, so the term that must be outdone is noted with the action. */
async function actOnNodes(run: Run, target: string, action: NodeAction): Promise<readonly NodeName[]> {
  const before = UNSEATING.includes(action) ? (await run.api.getCluster(run.cluster)).contexts : [];
  const nodes = await run.api.actOnNode(run.cluster, target, action);
  for (const { name, leader, term } of before) {
    if (leader !== null && term !== null && nodes.includes(leader)) run.lostTerms.set(name, { node: leader, term });
  }
  if (action === 'resume') mayLeadOn(run, nodes);
  return nodes;
}

async function healed(run: Run): Promise<Outcome> {
  const frozen = frozenNodes(await run.api.getCluster(run.cluster)).map(({ node }) => node);
  await run.api.heal(run.cluster);
  mayLeadOn(run, frozen);
  return fine();
}

/** A leader that was only frozen may still be one. */
function mayLeadOn(run: Run, resumed: readonly NodeName[]): void {
  for (const [name, { node }] of run.lostTerms) {
    if (resumed.includes(node)) run.lostTerms.delete(name);
  }
}

async function waited(run: Run, action: Extract<ChaosAction, { kind: 'wait' }>): Promise<Outcome> {
  const { condition, withinMs } = action;
  if (condition.kind !== 'leader') {
    await run.api.wait(run.cluster, condition, withinMs);
    return fine();
  }
  const afterTerm = condition.afterTerm ?? run.lostTerms.get(condition.context)?.term ?? null;
  const view = await run.api.wait(run.cluster, { ...condition, afterTerm }, withinMs);
  run.lostTerms.delete(condition.context);
  const found = view.contexts.find((context) => context.name === condition.context);
  return fine(found === undefined ? '' : `${found.leader} leads term ${found.term}`);
}

async function lost(run: Run, most: number): Promise<Outcome> {
  if (run.load === null || run.load.acknowledged === 0) {
    return { failed: true, detail: 'No append was acknowledged, so nothing can be said: load first.' };
  }
  const { missing, copies, problem } = await run.load.check();
  const count = `${run.load.acknowledged} acknowledged, ${missing} lost (${copies} copies read)`;
  return {
    failed: missing > most || problem !== null,
    detail: problem === null ? count : `${count}; ${problem}`,
  };
}

function specOf(name: string, action: Extract<ChaosAction, { kind: 'start' }>): ClusterSpec {
  const { nodes, contexts, keep } = action;
  return { name, nodes, contexts, data: keep ? 'keep' : 'throw-away', timing: 'dev', firstPort: null };
}
