// Instructions to event processors over the control stream of a client, on whichever node it is, and what became of them
// (client-behaviour CT-5, CT-6, EP-20). May not: choose clients; `processor-admin.ts` does.
import type { Env } from '../util/env.ts';
import { WireError } from '../util/wire.ts';
import { type Clients, isAtLeastVersion, type PlatformStream } from './clients.ts';
import { newIdentifier } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PeerKind, type PeerMessage } from './peer-messages.ts';
import { decodeJson, encodeJson, textOf } from './processor-json.ts';
import { INSTRUCTION_RESULT_TIMEOUT_MS, INSTRUCTIONS_PENDING_MAX } from './settings.ts';
import type { Failure } from './streams.ts';

export type ProcessorInstruction =
  | { readonly type: 'pause' | 'start' | 'refresh'; readonly processor: string }
  | { readonly type: 'release' | 'split' | 'merge'; readonly processor: string; readonly segment: number };

/** `accepted`: the client is too old to report results and only acknowledged. */
export type InstructionOutcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a client says about an instruction; `id` is empty in the acks of the Java client (CT-4). */
export interface InstructionAnswer {
  readonly type: 'result' | 'ack' | 'info';
  readonly id: string;
  readonly failure: Failure | null;
}

/** Clients from this version on send results (CT-5). */
const RESULT_VERSION = [4, 4];
const WITH_SEGMENT: ReadonlySet<string> = new Set(['release', 'split', 'merge']);
const WITHOUT_SEGMENT: ReadonlySet<string> = new Set(['pause', 'start', 'refresh']);

interface Pending {
  readonly type: ProcessorInstruction['type'];
  /** Null: the client is on `node`. */
  readonly stream: PlatformStream | null;
  readonly node: string;
  readonly deadline: number;
  readonly resolve: (outcome: InstructionOutcome) => void;
}

const success: InstructionOutcome = { kind: 'success' };

function failed(code: string, text: string): InstructionOutcome {
  return { kind: 'failed', failure: { code, text } };
}

export class ProcessorInstructions {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #clients: () => Clients;
  /** By instruction id for clients of this node, by `peer/<id>` for those of others. */
  readonly #pending = new Map<string, Pending>();
  readonly #timeoutMs: number;
  #lastPeerId = 0;

  constructor(env: Env, exchange: PeerExchange, clients: () => Clients, timeoutMs = INSTRUCTION_RESULT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
    this.#env = env;
    this.#exchange = exchange;
    this.#clients = clients;
    exchange.on(PeerKind.PROCESSOR_INSTRUCTION, (from, message) => this.#receiveInstruction(from, message));
    exchange.on(PeerKind.PROCESSOR_RESULT, (from, message) => this.#receiveResult(from, message));
    exchange.onPeerLost((node) => {
      this.#settleWhere((pending) => pending.node === node, failed('AXONIQ-6001', `The link to ${node} was lost`));
    });
  }

  /** Resolves with what the client said, within the time limit of EP-20; never rejects. */
  send(node: string, streamId: string, instruction: ProcessorInstruction): Promise<InstructionOutcome> {
    if (this.#pending.size >= INSTRUCTIONS_PENDING_MAX)
      return Promise.resolve(failed('AXONIQ-1900', `${INSTRUCTIONS_PENDING_MAX} instructions wait for their result`));
    return node === this.#exchange.self
      ? this.#sendHere(streamId, instruction)
      : this.#sendThere(node, streamId, instruction);
  }

  #sendHere(streamId: string, instruction: ProcessorInstruction): Promise<InstructionOutcome> {
    const stream = this.#clients().find(streamId);
    if (stream === null) return Promise.resolve(failed('AXONIQ-6001', 'The client is no longer connected'));
    const id = newIdentifier(() => this.#env.random());
    const outcome = this.#wait(id, instruction.type, stream, this.#exchange.self);
    stream.sink.instruct(id, instruction);
    return outcome;
  }

  #sendThere(node: string, streamId: string, instruction: ProcessorInstruction): Promise<InstructionOutcome> {
    this.#lastPeerId += 1;
    const id = this.#lastPeerId;
    const outcome = this.#wait(`peer/${id}`, instruction.type, null, node);
    const fields = { id, stream: streamId, body: encodeJson(instruction) };
    if (!this.#exchange.send(node, 'request', PeerKind.PROCESSOR_INSTRUCTION, fields))
      this.#settle(`peer/${id}`, failed('AXONIQ-1500', `${node} cannot be reached`));
    return outcome;
  }

  #wait(key: string, type: Pending['type'], stream: PlatformStream | null, node: string): Promise<InstructionOutcome> {
    return new Promise((resolve) => {
      // The node of the client watches the time; this one allows for the way there and back.
      const allowance = stream === null ? this.#timeoutMs / 5 : 0;
      const deadline = this.#env.now() + this.#timeoutMs + allowance;
      this.#pending.set(key, { type, stream, node, deadline, resolve });
    });
  }

  // -- answers of clients here -------------------------------------------------------------------------------------------

  answered(stream: PlatformStream, answer: InstructionAnswer): void {
    const key = answer.id === '' ? this.#oldestOf(stream) : answer.id;
    const pending = this.#pending.get(key);
    if (pending === undefined || pending.stream !== stream) return;
    const onlyAcks = !isAtLeastVersion(stream.identity?.version ?? '', RESULT_VERSION);
    const refused = answer.failure === null ? null : ({ kind: 'failed', failure: answer.failure } as const);
    if (answer.type === 'result') this.#settle(key, refused ?? success);
    else if (answer.type === 'info' && pending.type === 'refresh') this.#settle(key, success);
    else if (answer.type === 'ack' && refused !== null && (answer.id !== '' || onlyAcks)) this.#settle(key, refused);
    else if (answer.type === 'ack' && onlyAcks) this.#settle(key, { kind: 'accepted' });
  }

  /** Acks without an id come in the order of the instructions. */
  #oldestOf(stream: PlatformStream): string {
    for (const [key, pending] of this.#pending) if (pending.stream === stream) return key;
    return '';
  }

  clientGone(stream: PlatformStream): void {
    this.#settleWhere(
      (pending) => pending.stream === stream,
      failed('AXONIQ-6001', `Client ${stream.identity?.clientId ?? ''} disconnected before it answered`),
    );
  }

  tick(): void {
    const now = this.#env.now();
    this.#settleWhere(
      ({ deadline }) => deadline <= now,
      failed('AXONIQ-11000', `No result of the client within ${this.#timeoutMs} ms`),
    );
  }

  close(): void {
    this.#settleWhere(() => true, failed('AXONIQ-1400', 'This node is shutting down'));
  }

  #settleWhere(matches: (pending: Pending) => boolean, outcome: InstructionOutcome): void {
    for (const [key, pending] of [...this.#pending]) if (matches(pending)) this.#settle(key, outcome);
  }

  #settle(key: string, outcome: InstructionOutcome): void {
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    pending?.resolve(outcome);
  }

  // -- between nodes -----------------------------------------------------------------------------------------------------

  #receiveInstruction(from: string, { id, stream, body }: PeerMessage): void {
    const instruction = instructionOf(decodeJson(body));
    void this.send(this.#exchange.self, stream, instruction).then((outcome) => {
      this.#exchange.send(from, 'response', PeerKind.PROCESSOR_RESULT, { id, body: encodeJson(outcome) });
    });
  }

  #receiveResult(from: string, { id, body }: PeerMessage): void {
    if (this.#pending.get(`peer/${id}`)?.node === from) this.#settle(`peer/${id}`, outcomeOf(decodeJson(body)));
  }
}

function instructionOf(value: Readonly<Record<string, unknown>>): ProcessorInstruction {
  const { type, segment } = value;
  const processor = textOf(value, 'processor');
  if (typeof type === 'string' && WITHOUT_SEGMENT.has(type))
    return { type: type as 'pause' | 'start' | 'refresh', processor };
  if (typeof type === 'string' && WITH_SEGMENT.has(type) && typeof segment === 'number')
    return { type: type as 'release' | 'split' | 'merge', processor, segment };
  throw new WireError('not an instruction for an event processor');
}

function outcomeOf(value: Readonly<Record<string, unknown>>): InstructionOutcome {
  if (value['kind'] === 'success' || value['kind'] === 'accepted') return { kind: value['kind'] };
  const failure = value['failure'];
  if (value['kind'] !== 'failed' || typeof failure !== 'object' || failure === null)
    throw new WireError('not the result of an instruction');
  const fields = failure as Readonly<Record<string, unknown>>;
  return failed(textOf(fields, 'code'), textOf(fields, 'text'));
}
