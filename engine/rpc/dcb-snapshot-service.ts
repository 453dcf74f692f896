// Snapshots of the DCB event store: DcbSnapshotStore and SnapshottedDcbEventStore (client-behaviour DC-40 to DC-45).
import type { DcbStoreAccess, StoredDcbSnapshot } from '../context/dcb-api.ts';
import { WireError, WireWriter } from '../util/wire.ts';
import { type CallWriter, failCall, onSingleRequest, serverStream, unary } from './call-context.ts';
import { Fields, markerReply, snapshotReply } from './dcb-bytes.ts';
import { DCB_PACKAGE, reply, type StoreOf, writeEvents } from './dcb-calls.ts';
import { plainError } from './errors.ts';
import { dcb, decodeMessage } from './proto.ts';
import { type GrpcServer, GrpcStatus } from './transport.ts';

const SERVICE = `${DCB_PACKAGE}.DcbSnapshotStore`;
/** Snapshots asked from the store per turn. */
const SNAPSHOTS_PER_READ = 16;
const NO_BYTES = new Uint8Array(0);
/** Sequences are kept as doubles; those of snapshots stay below it. */
const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

export function registerDcbSnapshots(server: GrpcServer, storeOf: StoreOf): void {
  const empty = (): Uint8Array => NO_BYTES;
  unary(
    server,
    `${SERVICE}/Add`,
    readAdd,
    ({ key, sequence, prune, snapshot }, call) => storeOf(call).addSnapshot(key, sequence, prune, snapshot),
    empty,
  );
  unary(
    server,
    `${SERVICE}/Delete`,
    (bytes) => new Fields(bytes, { 1: 'bytes', 3: 'int' }),
    (request, call) =>
      storeOf(call).deleteSnapshots(
        request.last(1) ?? NO_BYTES,
        Math.max(-SEQUENCE_MAX, Math.min(SEQUENCE_MAX, request.int(3))),
      ),
    empty,
  );
  serverStream(
    server,
    `${SERVICE}/List`,
    (bytes) => new Fields(bytes, { 1: 'bytes', 2: 'int', 3: 'int' }),
    (request, writer, call) => list(storeOf(call), request.last(1) ?? NO_BYTES, request.int(2), request.int(3), writer),
  );
  registerLast(server, storeOf);
  registerSource(server, storeOf);
}

interface AddRequest {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly prune: boolean;
  readonly snapshot: Uint8Array;
}

function readAdd(bytes: Buffer): AddRequest {
  const request = new Fields(bytes, { 1: 'bytes', 2: 'int', 3: 'int', 4: 'bytes' });
  const snapshot = request.last(4) ?? NO_BYTES;
  decodeMessage(dcb.Snapshot, snapshot);
  const sequence = request.int(2);
  if (Math.abs(sequence) >= SEQUENCE_MAX) throw new WireError(`sequence ${sequence} is out of range`);
  return { key: request.last(1) ?? NO_BYTES, sequence, prune: request.int(3) !== 0, snapshot };
}

/** DC-42. */
async function list(
  store: DcbStoreAccess,
  key: Uint8Array,
  from: number,
  to: number,
  writer: CallWriter,
): Promise<void> {
  let end = to;
  for (;;) {
    const page: readonly StoredDcbSnapshot[] = await store.snapshots(key, from, end, SNAPSHOTS_PER_READ);
    for (const { sequence, bytes } of page) writer.write(snapshotReply(key, sequence, bytes));
    const last = page.at(-1);
    if (last === undefined || !(await writer.ready())) return;
    end = last.sequence;
  }
}

async function newest(store: DcbStoreAccess, key: Uint8Array): Promise<StoredDcbSnapshot | undefined> {
  return (await store.snapshots(key, -SEQUENCE_MAX, SEQUENCE_MAX, 1))[0];
}

/** DC-43: without a snapshot the call fails. */
function registerLast(server: GrpcServer, storeOf: StoreOf): void {
  server.handle(`${SERVICE}/GetLast`, (call) =>
    onSingleRequest(call, (bytes) => {
      const work = async (): Promise<void> => {
        const key = new Fields(bytes, { 1: 'bytes' }).last(1) ?? NO_BYTES;
        const found = await newest(storeOf(call), key);
        if (found === undefined) {
          call.end(plainError('There is no snapshot for this key', GrpcStatus.NOT_FOUND));
          return;
        }
        reply(call, snapshotReply(key, found.sequence, found.bytes));
      };
      work().catch((error: unknown) => failCall(call, error));
    }),
  );
}

/** DC-45. */
function registerSource(server: GrpcServer, storeOf: StoreOf): void {
  serverStream(
    server,
    `${DCB_PACKAGE}.SnapshottedDcbEventStore/Source`,
    (bytes) => new Fields(bytes, { 1: 'bytes', 2: 'bytes' }),
    async (request, writer, call) => {
      const store = storeOf(call);
      const found = await newest(store, request.last(1) ?? NO_BYTES);
      if (found !== undefined) writer.write(new WireWriter(found.bytes.length + 8).bytes(1, found.bytes).finish());
      const { head, events } = await store.source(request.all(2), found === undefined ? 0 : found.sequence + 1);
      if (await writeEvents(events, writer, 2)) writer.write(markerReply(head, 3));
    },
  );
}
