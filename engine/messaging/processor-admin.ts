// What can be seen of the event processors of all applications, and what can be done with them, on any node
// (client-behaviour §11). Entry point: ProcessorAdmin.
import type { ClusterClient, ClusterClients } from './processor-clients.ts';
import { planBalance } from './processor-balance.ts';
import type { InstructionOutcome, ProcessorInstruction, ProcessorInstructions } from './processor-instructions.ts';
import type { Failure } from './streams.ts';

/** One logical processor (EP-2). `tokenStore` null: whatever token store it has. */
export interface ProcessorRef {
  readonly context: string;
  readonly name: string;
  readonly tokenStore: string | null;
}

export interface ProcessorSegment {
  readonly id: number;
  readonly onePartOf: number;
  readonly claimedBy: string;
  readonly token: number;
  readonly caughtUp: boolean;
  readonly replaying: boolean;
  readonly errorState: string;
}

export interface ProcessorInstance {
  readonly node: string;
  readonly streamId: string;
  readonly clientId: string;
  readonly componentName: string;
  readonly mode: string;
  readonly running: boolean;
  readonly isStreaming: boolean;
  readonly activeThreads: number;
  readonly availableThreads: number;
  /** Free threads plus claimed segments. */
  readonly maxCapacity: number;
  readonly segments: readonly ProcessorSegment[];
  readonly ageMs: number;
}

export interface LogicalProcessor {
  readonly context: string;
  readonly name: string;
  readonly tokenStore: string;
  /** The common one, else `Unknown` (EP-3). */
  readonly mode: string;
  readonly running: boolean;
  readonly isStreaming: boolean;
  readonly strategy: string;
  /** The one that reported last comes last. */
  readonly instances: readonly ProcessorInstance[];
}

export const BALANCING_STRATEGIES = [
  { name: 'default', label: 'Disabled' },
  { name: 'threadNumber', label: 'Thread Number' },
] as const;

/** Seen by rpc and http. Outcomes follow EP-20; nothing here rejects. */
export interface ProcessorAdministration {
  /** Of one context or all; sorted by context, name, token store. */
  list(context: string | null): Promise<readonly LogicalProcessor[]>;
  pause(ref: ProcessorRef): Promise<InstructionOutcome>;
  start(ref: ProcessorRef): Promise<InstructionOutcome>;
  split(ref: ProcessorRef): Promise<InstructionOutcome>;
  merge(ref: ProcessorRef): Promise<InstructionOutcome>;
  move(ref: ProcessorRef, segment: number, targetClient: string): Promise<InstructionOutcome>;
  /** Asks every client that has the processor for its present state (EP-14). */
  refresh(ref: ProcessorRef): Promise<InstructionOutcome>;
  balance(ref: ProcessorRef, strategy: string): Promise<InstructionOutcome>;
  /** Applications of one context, or of all, on every node. */
  applications(context: string | null): Promise<readonly ClusterClient[]>;
}

const success: InstructionOutcome = { kind: 'success' };

function failed(code: string, text: string): InstructionOutcome {
  return { kind: 'failed', failure: { code, text } };
}

interface Claim {
  readonly owner: ProcessorInstance;
  readonly segment: ProcessorSegment;
}

export class ProcessorAdmin implements ProcessorAdministration {
  readonly #clients: ClusterClients;
  readonly #instructions: ProcessorInstructions;

  constructor(clients: ClusterClients, instructions: ProcessorInstructions) {
    this.#clients = clients;
    this.#instructions = instructions;
  }

  applications(context: string | null): Promise<readonly ClusterClient[]> {
    return this.#clients.collect(context);
  }

  async list(context: string | null): Promise<readonly LogicalProcessor[]> {
    return logicalProcessors(await this.#clients.collect(context));
  }

  pause(ref: ProcessorRef): Promise<InstructionOutcome> {
    return this.#toAll(ref, { type: 'pause', processor: ref.name });
  }

  start(ref: ProcessorRef): Promise<InstructionOutcome> {
    return this.#toAll(ref, { type: 'start', processor: ref.name });
  }

  async refresh(ref: ProcessorRef): Promise<InstructionOutcome> {
    const instances = await this.#instances(ref);
    if (instances.length === 0) return unknown(ref);
    return combined(await this.#each(instances, { type: 'refresh', processor: ref.name }));
  }

  /** EP-11: the largest segment; among equals the last reported. */
  async split(ref: ProcessorRef): Promise<InstructionOutcome> {
    const instances = await this.#instances(ref);
    const largest = chosen(instances, (candidate, best) => candidate.onePartOf <= best.onePartOf);
    if (largest === null) return instances.length === 0 ? unknown(ref) : idle(ref);
    const { owner, segment } = largest;
    return this.#thenRefresh(
      [owner],
      ref,
      await this.#send(owner, { type: 'split', processor: ref.name, segment: segment.id }),
    );
  }

  /** EP-12: the smallest segment, after the others have let go of its sibling. */
  async merge(ref: ProcessorRef): Promise<InstructionOutcome> {
    const instances = await this.#instances(ref);
    const smallest = chosen(instances, (candidate, best) => candidate.onePartOf >= best.onePartOf);
    if (smallest === null) return instances.length === 0 ? unknown(ref) : idle(ref);
    const { owner, segment } = smallest;
    if (segment.onePartOf > 1) {
      const sibling = segment.id ^ (segment.onePartOf / 2);
      const release: ProcessorInstruction = { type: 'release', processor: ref.name, segment: sibling };
      const others = instances.filter((instance) => instance !== owner);
      const holders = others.filter((instance) => instance.segments.some(({ id }) => id === sibling));
      void this.#each(
        others.filter((instance) => !holders.includes(instance)),
        release,
      );
      // Only who holds the sibling has to have let go of it.
      const released = combined(await this.#each(holders, release));
      if (released.kind === 'failed') return released;
    }
    return this.#thenRefresh(
      instances,
      ref,
      await this.#send(owner, { type: 'merge', processor: ref.name, segment: segment.id }),
    );
  }

  /** EP-13: everybody but the target gives the segment up, so that the target claims it. */
  async move(ref: ProcessorRef, segment: number, targetClient: string): Promise<InstructionOutcome> {
    const instances = await this.#instances(ref);
    if (instances.length === 0) return unknown(ref);
    const targets = instances.filter((instance) => instance.clientId === targetClient);
    if (targets.length === 0)
      return failed('AXONIQ-2801', `${targetClient} is not a client with event processor ${ref.name}`);
    if (targets.some((target) => target.segments.some(({ id }) => id === segment))) return success;
    if (targets.every((target) => target.availableThreads < 1))
      return failed('AXONIQ-2802', `${targetClient} has no free thread for segment ${segment}`);
    const others = instances.filter((instance) => instance.clientId !== targetClient);
    const outcomes = await this.#each(others, { type: 'release', processor: ref.name, segment });
    return this.#thenRefresh(instances, ref, combined(outcomes));
  }

  /** EP-22. */
  async balance(ref: ProcessorRef, strategy: string): Promise<InstructionOutcome> {
    if (strategy === '' || strategy === 'default' || strategy === 'disabled') return success;
    if (strategy !== 'threadNumber') return failed('AXONIQ-2311', `Unknown load balancing strategy ${strategy}`);
    const instances = await this.#instances(ref);
    if (instances.length === 0) return unknown(ref);
    const moves = planBalance(
      instances.map(({ streamId, maxCapacity, segments }) => ({
        clientId: streamId,
        capacity: maxCapacity,
        segments: segments.map(({ id }) => id),
      })),
    );
    const outcomes: InstructionOutcome[] = [];
    for (const { segment, to } of moves) {
      const others = instances.filter((instance) => instance.streamId !== to);
      outcomes.push(...(await this.#each(others, { type: 'release', processor: ref.name, segment })));
    }
    return moves.length === 0 ? success : this.#thenRefresh(instances, ref, combined(outcomes));
  }

  async #toAll(ref: ProcessorRef, instruction: ProcessorInstruction): Promise<InstructionOutcome> {
    const instances = await this.#instances(ref);
    if (instances.length === 0) return unknown(ref);
    return this.#thenRefresh(instances, ref, combined(await this.#each(instances, instruction)));
  }

  async #instances(ref: ProcessorRef): Promise<readonly ProcessorInstance[]> {
    const processors = await this.list(ref.context);
    return processors
      .filter(({ name, tokenStore }) => name === ref.name && (ref.tokenStore ?? tokenStore) === tokenStore)
      .flatMap((processor) => processor.instances)
      .sort(latestLast);
  }

  #send(instance: ProcessorInstance, instruction: ProcessorInstruction): Promise<InstructionOutcome> {
    return this.#instructions.send(instance.node, instance.streamId, instruction);
  }

  #each(
    instances: readonly ProcessorInstance[],
    instruction: ProcessorInstruction,
  ): Promise<readonly InstructionOutcome[]> {
    return Promise.all(instances.map((instance) => this.#send(instance, instruction)));
  }

  /** EP-14: the next look at the processor should show what was done; nobody waits for it. */
  #thenRefresh(
    instances: readonly ProcessorInstance[],
    ref: ProcessorRef,
    outcome: InstructionOutcome,
  ): InstructionOutcome {
    if (outcome.kind !== 'failed') void this.#each(instances, { type: 'refresh', processor: ref.name });
    return outcome;
  }
}

function unknown(ref: ProcessorRef): InstructionOutcome {
  return failed('AXONIQ-2800', `Event processor ${ref.name} not found in context ${ref.context}`);
}

function idle(ref: ProcessorRef): InstructionOutcome {
  return failed('AXONIQ-2800', `No client works on a segment of event processor ${ref.name} in context ${ref.context}`);
}

/** EP-20: a failure counts most, then the word of a client that cannot say more than that it heard. */
function combined(outcomes: readonly InstructionOutcome[]): InstructionOutcome {
  return (
    outcomes.find((outcome) => outcome.kind === 'failed') ??
    outcomes.find((outcome) => outcome.kind === 'accepted') ??
    success
  );
}

/** `beats` is asked in the order of reporting, so that with `<=` the last reported wins. */
function chosen(
  instances: readonly ProcessorInstance[],
  beats: (candidate: ProcessorSegment, best: ProcessorSegment) => boolean,
): Claim | null {
  let best: Claim | null = null;
  for (const owner of instances) {
    for (const segment of owner.segments) if (best === null || beats(segment, best.segment)) best = { owner, segment };
  }
  return best;
}

function latestLast(left: ProcessorInstance, right: ProcessorInstance): number {
  return right.ageMs - left.ageMs;
}

/** EP-2, EP-3. */
export function logicalProcessors(clients: readonly ClusterClient[]): readonly LogicalProcessor[] {
  const groups = new Map<
    string,
    { head: Pick<LogicalProcessor, 'context' | 'name' | 'tokenStore' | 'strategy'> } & {
      instances: ProcessorInstance[];
    }
  >();
  for (const client of clients) {
    for (const status of client.processors) {
      const { name, tokenStoreIdentifier: tokenStore } = status;
      const own = tokenStore === '' ? client.streamId : '';
      const key = JSON.stringify([client.context, name, tokenStore, own]);
      const strategy = status.loadBalancingStrategy ?? '';
      const group = groups.get(key) ?? { head: { context: client.context, name, tokenStore, strategy }, instances: [] };
      groups.set(key, group);
      group.instances.push(instanceOf(client, status));
    }
  }
  return [...groups.entries()]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, { head, instances }]) => {
      const modes = new Set(instances.map((instance) => instance.mode));
      return {
        ...head,
        mode: modes.size === 1 ? instances[0]!.mode : 'Unknown',
        running: instances.some((instance) => instance.running),
        isStreaming: instances.some((instance) => instance.isStreaming),
        instances: instances.sort(latestLast),
      };
    });
}

function instanceOf(client: ClusterClient, status: ClusterClient['processors'][number]): ProcessorInstance {
  const { mode, running, isStreaming, activeThreads, availableThreads, ageMs } = status;
  const { node, streamId, clientId, componentName } = client;
  const segments = status.segments.map((segment) => ({ ...segment, claimedBy: clientId }));
  return {
    node,
    streamId,
    clientId,
    componentName,
    mode,
    running,
    isStreaming,
    activeThreads,
    availableThreads,
    maxCapacity: availableThreads + segments.length,
    segments,
    ageMs,
  };
}

export type { Failure, InstructionOutcome };
