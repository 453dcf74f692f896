// event.EventTransformationService of the client API (client-behaviour §10). Entry point: registerTransformationService.
import type { ContextDirectory } from '../context/api.ts';
import { requireKind } from '../context/dcb-api.ts';
import type { TransformationAccess, TransformationDirectory } from '../context/transformations.ts';
import { WireError, WireReader } from '../util/wire.ts';
import { clientIdOf, contextOf, failCall, serverStream, unary } from './call-context.ts';
import { Fields } from './dcb-bytes.ts';
import { decodeMessage, encodeMessage, event as proto } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface TransformationDeps {
  readonly directory: ContextDirectory;
  readonly transformations: TransformationDirectory;
}

const SERVICE = '/io.axoniq.axonserver.grpc.event.EventTransformationService';
/** Changes that travel and are written together. */
const BATCH_MAX = 256;
const BATCH_BYTES_MAX = 1024 * 1024;
/** Changes that wait for the batch before; above it the client is not read. */
const WAITING_MAX = 2 * BATCH_MAX;

export function registerTransformationService(server: GrpcServer, deps: TransformationDeps): void {
  const { directory, transformations } = deps;
  const accessOf = (call: GrpcCall): TransformationAccess => {
    const context = contextOf(call);
    requireKind(directory.requireServable(context), false);
    return transformations.transformations(context);
  };
  serverStream(
    server,
    `${SERVICE}/Transformations`,
    (bytes) => bytes,
    async (_request, writer, call) => {
      for (const { id, description, state, sequence, appliedAt, appliedBy, version } of await accessOf(call).list()) {
        writer.write(
          encodeMessage(proto.Transformation, {
            ...{ transformationId: { id }, state, sequence, context: contextOf(call), description },
            ...{ appliedAt, applyRequester: appliedBy, version },
          }),
        );
        if (!(await writer.ready())) return;
      }
    },
  );
  unary(
    server,
    `${SERVICE}/StartTransformation`,
    (bytes) => decodeMessage(proto.StartTransformationRequest, bytes),
    ({ description }, call) => accessOf(call).start(description),
    (id) => encodeMessage(proto.TransformationId, { id }),
  );
  serverStream(
    server,
    `${SERVICE}/CancelTransformation`,
    (bytes) => decodeMessage(proto.TransformationId, bytes),
    ({ id }, _writer, call) => accessOf(call).cancel(id),
  );
  serverStream(
    server,
    `${SERVICE}/ApplyTransformation`,
    (bytes) => decodeMessage(proto.ApplyTransformationRequest, bytes),
    ({ transformationId, lastSequence }, _writer, call) =>
      accessOf(call).apply(transformationId?.id ?? '', lastSequence, clientIdOf(call) ?? ''),
  );
  serverStream(
    server,
    `${SERVICE}/Compact`,
    (bytes) => bytes,
    (_request, _writer, call) => accessOf(call).compact(),
  );
  server.handle(`${SERVICE}/TransformEvents`, (call) => new TransformCall(call, () => accessOf(call)));
}

interface Change {
  readonly id: string;
  readonly sequence: number;
  readonly token: number;
  readonly event: Uint8Array | null;
}

/** Throws WireError. */
function changeOf(bytes: Uint8Array): Change {
  const request = new Fields(bytes, { 1: 'bytes', 2: 'int', 3: 'bytes', 4: 'bytes' });
  let id = '';
  const identity = new WireReader(request.last(1) ?? new Uint8Array(0));
  while (identity.next()) if (identity.field === 1) id = identity.text();
  const replaced = request.last(3);
  const deleted = request.last(4);
  if ((replaced === null) === (deleted === null)) throw new WireError('The request has to replace or delete an event');
  const inner = new Fields(replaced ?? deleted ?? bytes, { 1: 'int', 2: 'bytes' });
  const event = replaced === null ? null : inner.last(2);
  if (replaced !== null && event === null) throw new WireError('The replacement has no event');
  return { id, sequence: request.int(2), token: inner.int(1), event };
}

/** TR-3: changes go out in batches, one at a time; each is acknowledged in order. */
class TransformCall {
  readonly #call: GrpcCall;
  readonly #access: () => TransformationAccess;
  #waiting: Change[] = [];
  #busy = false;
  #halfClosed = false;

  constructor(call: GrpcCall, access: () => TransformationAccess) {
    this.#call = call;
    this.#access = access;
    call.onMessage((bytes) => {
      try {
        this.#waiting.push(changeOf(bytes));
      } catch (error) {
        failCall(call, error);
        return;
      }
      if (this.#waiting.length >= WAITING_MAX) call.pause();
      // What else came with it goes along.
      setImmediate(() => this.#next());
    });
    call.onHalfClose(() => {
      this.#halfClosed = true;
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy || this.#call.ended) return;
    const batch = this.#batch();
    const first = batch[0];
    if (first === undefined) {
      if (this.#halfClosed) this.#call.end();
      return;
    }
    this.#busy = true;
    this.#write(first, batch).then(
      () => {
        this.#busy = false;
        for (const { sequence } of batch) this.#call.write(encodeMessage(proto.TransformRequestAck, { sequence }));
        this.#call.resume();
        this.#next();
      },
      (error: unknown) => failCall(this.#call, error),
    );
  }

  async #write({ id, sequence }: Change, batch: readonly Change[]): Promise<void> {
    await this.#access().transform(id, sequence, batch);
  }

  /** A run of one transformation without gaps; what does not follow starts the next one and is refused there. */
  #batch(): readonly Change[] {
    let bytes = 0;
    let count = 0;
    const first = this.#waiting[0];
    for (const { id, sequence, event } of this.#waiting) {
      bytes += event?.length ?? 0;
      const follows = id === first?.id && sequence === first.sequence + count;
      if (count > 0 && (!follows || count >= BATCH_MAX || bytes > BATCH_BYTES_MAX)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
