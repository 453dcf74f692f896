// Persistent streams of every context as the client API sees them, on any node: all of it happens on the leader
// (client-behaviour §13). Entry point: PersistentStreams.
import { AxonError } from '../context/api.ts';
import { NotLeaderError } from '../context/errors.ts';
import { callLeader, type LeaderCallDeps } from '../context/leader-call.ts';
import { answered } from '../context/peer-handlers.ts';
import { decodeBody, encodeBody, fieldOf, numberField, PeerBodyError, textField } from '../context/peer-messages.ts';
import type { Replica } from '../context/replica.ts';
import type {
  ResetTarget,
  StreamAccess,
  StreamDirectory,
  StreamProperties,
  StreamSession,
  StreamSink,
  StreamStatus,
} from './api.ts';
import { ContextStreams, SEGMENT_CLOSE_MS } from './context-streams.ts';
import { StreamRelay } from './stream-relay.ts';

/** A change of segments waits for the clients that have them. */
const CALL_TIMEOUT_MS = SEGMENT_CLOSE_MS + 10_000;

export interface PersistentStreamsDeps extends LeaderCallDeps {
  readonly segmentCloseMs?: number;
}

/** One call to the leader, as it travels. */
type StreamCall =
  | { readonly op: 'create'; readonly id: string; readonly properties: StreamProperties }
  | { readonly op: 'delete'; readonly id: string }
  | { readonly op: 'update'; readonly id: string; readonly segments: number; readonly name: string }
  | { readonly op: 'reset'; readonly id: string; readonly target: ResetTarget }
  | { readonly op: 'list' };

export class PersistentStreams implements StreamDirectory {
  readonly #deps: PersistentStreamsDeps;
  readonly #relay: StreamRelay;
  readonly #local = new Map<string, ContextStreams>();

  constructor(deps: PersistentStreamsDeps) {
    this.#deps = deps;
    this.#relay = new StreamRelay(deps.env, deps.bus);
    deps.bus.handle('streams', (from, body) =>
      answered(async () => {
        const { head } = decodeBody(body);
        const context = textField(head, 'context');
        if (textField(head, 'op') !== 'open') return encodeBody({ answer: await this.#here(context, callOf(head)) });
        await this.#relay.admit(from, numberField(head, 'session'), (sink) => {
          const properties = fieldOf(head, 'properties') as StreamProperties | null;
          return this.#of(context).open(textField(head, 'id'), textField(head, 'clientId'), properties, sink);
        });
        return encodeBody({});
      }),
    );
  }

  /** The replica's own streams; they end with the replica. */
  attach(replica: Replica): void {
    this.#local.set(replica.context, new ContextStreams(this.#deps.env, replica, this.#deps.segmentCloseMs));
    for (const [context, streams] of this.#local) if (streams.closed) this.#local.delete(context);
  }

  streams(context: string): StreamAccess {
    const call = <T>(request: StreamCall, effect: 'writes' | 'asks' = 'writes'): Promise<T> =>
      this.#call(context, request, effect) as Promise<T>;
    return {
      create: (id, properties) => call<boolean>({ op: 'create', id, properties }),
      delete: async (id) => void (await call({ op: 'delete', id })),
      update: async (id, segments, name) => void (await call({ op: 'update', id, segments, name })),
      reset: async (id, target) => void (await call({ op: 'reset', id, target })),
      list: () => call<readonly StreamStatus[]>({ op: 'list' }, 'asks'),
      open: (id, clientId, properties, sink) => this.#open(context, id, clientId, properties, sink),
    };
  }

  #of(context: string): ContextStreams {
    const streams = this.#local.get(context);
    if (streams === undefined || streams.closed) throw new NotLeaderError(context);
    return streams;
  }

  #call(context: string, request: StreamCall, effect: 'writes' | 'asks'): Promise<unknown> {
    const there = async (leader: string): Promise<unknown> => {
      const body = encodeBody({ context, ...request });
      return fieldOf(decodeBody(await this.#deps.bus.request(leader, 'streams', body, CALL_TIMEOUT_MS)).head, 'answer');
    };
    return callLeader(context, this.#deps, () => this.#here(context, request), there, effect);
  }

  async #here(context: string, request: StreamCall): Promise<unknown> {
    const streams = this.#of(context);
    switch (request.op) {
      case 'create':
        return streams.create(request.id, request.properties);
      case 'delete':
        return streams.delete(request.id);
      case 'update':
        return streams.update(request.id, request.segments, request.name);
      case 'reset':
        return streams.reset(request.id, request.target);
      case 'list':
        return streams.list();
    }
  }

  /** A second try after a lost leader creates nothing twice, and the first session died with its link. */
  #open(
    context: string,
    id: string,
    clientId: string,
    properties: StreamProperties | null,
    sink: StreamSink,
  ): Promise<StreamSession> {
    const there = (leader: string): Promise<StreamSession> =>
      this.#relay.open(leader, sink, (session) => {
        const body = encodeBody({ context, op: 'open', id, clientId, properties, session });
        return this.#deps.bus.request(leader, 'streams', body, CALL_TIMEOUT_MS);
      });
    const here = async (): Promise<StreamSession> => this.#of(context).open(id, clientId, properties, sink);
    return callLeader(context, this.#deps, here, there, 'asks');
  }
}

const CALLS: ReadonlySet<string> = new Set(['create', 'delete', 'update', 'reset', 'list']);

/** From another node of the same version: shapes below `op` are those that were sent by `#call`. */
function callOf(head: unknown): StreamCall {
  const op = textField(head, 'op');
  if (!CALLS.has(op)) throw new PeerBodyError(`unknown stream request ${op}`);
  if (op === 'create' || op === 'reset') {
    const inner = fieldOf(head, op === 'create' ? 'properties' : 'target');
    if (typeof inner !== 'object' || inner === null) throw new AxonError('AXONIQ-0001', `${op} without its properties`);
  }
  return head as StreamCall;
}
