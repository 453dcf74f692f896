// Event processors as people see and steer them: one of a name and context, over all apps that have it (ux.md §5). Pure.
// Entry point: `processorsOf`.
import type { AppView, ClusterName, ContextName, NodeName } from './model.ts';

/** Told per app, the lowest segments. */
export const CLAIMS_MAX = 64;

export interface ProcessorClaim {
  readonly segment: number;
  /** So many of this size make the whole processor: 2 = half of the events. */
  readonly onePartOf: number;
  readonly token: number;
  readonly caughtUp: boolean;
  readonly replaying: boolean;
}

/** One logical processor: all of this name in the apps of a context. */
export interface ProcessorName {
  readonly context: ContextName;
  readonly name: string;
}

export const steerings = ['pause', 'start', 'split', 'merge'] as const;
/** `split` and `merge`: the engine chooses the segments. `move`: the others release it, the client with this id claims it. */
export type ProcessorAct =
  | { readonly kind: (typeof steerings)[number] }
  | { readonly kind: 'move'; readonly segment: number; readonly clientId: string };

export interface ProcessorApi {
  /**
   * Tells every app that has the event processor. `accepted`: an old client only said that it got the request. Fails with
   * CONTEXT_NOT_FOUND, PROCESSOR_NOT_FOUND, and PROCESSOR_REFUSED carrying the server's text.
   */
  steerProcessor(cluster: ClusterName, processor: ProcessorName, act: ProcessorAct): Promise<'done' | 'accepted'>;
}

export interface ProcessorMember {
  readonly clientId: string;
  readonly componentName: string;
  readonly node: NodeName;
  readonly running: boolean;
  readonly error: boolean;
  readonly claims: readonly ProcessorClaim[];
}

export interface ProcessorView extends ProcessorName {
  readonly members: readonly ProcessorMember[];
}

/** By context, then name. */
export function processorsOf(apps: readonly AppView[]): readonly ProcessorView[] {
  const found = new Map<string, ProcessorName & { readonly members: ProcessorMember[] }>();
  for (const { clientId, componentName, node, context, processors } of apps) {
    for (const { name, running, error, claims = [] } of processors) {
      const key = `${context}\n${name}`;
      const one = found.get(key) ?? { context, name, members: [] };
      found.set(key, one);
      one.members.push({ clientId, componentName, node, running, error, claims });
    }
  }
  return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
}

/** `runs`, `paused`, `runs on 1 of 2 apps`, with what is wrong. */
export function stateWords({ members }: ProcessorView): string {
  const running = members.filter((one) => one.running).length;
  const broken = members.filter((one) => one.error).length;
  const runs =
    running === 0 ? 'paused' : running === members.length ? 'runs' : `runs on ${running} of ${members.length} apps`;
  return broken === 0 ? runs : `${runs}, error on ${broken} of ${members.length}`;
}

/** `0 of 2 at token 41, replaying`. */
export const claimWords = ({ segment, onePartOf, token, caughtUp, replaying }: ProcessorClaim): string =>
  `${segment}${onePartOf > 1 ? ` (1/${onePartOf})` : ''} at token ${token}${replaying ? ', replaying' : caughtUp ? '' : ', behind'}`;
