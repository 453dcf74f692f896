// DCB messages as bytes: requests are scanned, events pass through undecoded (engine/proto/dcb.proto).
import { WireError, WireReader, WireType, WireWriter } from '../util/wire.ts';

export type FieldKind = 'int' | 'bytes';

/** Top-level fields of one message; unknown ones are passed over. Throws WireError. */
export class Fields {
  readonly #ints = new Map<number, number>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  constructor(message: Uint8Array, kinds: Readonly<Record<number, FieldKind>>) {
    const reader = new WireReader(message);
    while (reader.next()) {
      const kind = kinds[reader.field];
      if (kind === undefined) continue;
      if (reader.wireType !== (kind === 'int' ? WireType.VARINT : WireType.BYTES))
        throw new WireError(`wire type ${reader.wireType} of field ${reader.field}`);
      if (kind === 'int') this.#ints.set(reader.field, reader.signed());
      else {
        const found = this.#bytes.get(reader.field);
        if (found === undefined) this.#bytes.set(reader.field, [reader.view()]);
        else found.push(reader.view());
      }
    }
  }

  /** 0 when absent; the last one counts. */
  int(field: number): number {
    return this.#ints.get(field) ?? 0;
  }

  all(field: number): readonly Uint8Array[] {
    return this.#bytes.get(field) ?? [];
  }

  /** The last one, null when absent. */
  last(field: number): Uint8Array | null {
    return this.all(field).at(-1) ?? null;
  }
}

const SOURCE_EVENT = 1;

function sequenced(sequence: number, event: Uint8Array): Buffer {
  return new WireWriter(event.length + 24).int(1, sequence).bytes(2, event).finish();
}

/** `SourceEventsResponse` and `StreamEventsResponse` (field 1), `SnapshottedSourceEventsResponse` (field 2). */
export function eventReply(sequence: number, event: Uint8Array, field = SOURCE_EVENT): Buffer {
  const message = sequenced(sequence, event);
  return new WireWriter(message.length + 8).bytes(field, message).finish();
}

/** The marker is one arm of a oneof: a 0 must be on the wire. */
export function markerReply(marker: number, field: number): Buffer {
  return new WireWriter().int(field, marker, true).finish();
}

/** `ListSnapshotsResponse` and `GetLastSnapshotResponse`. */
export function snapshotReply(key: Uint8Array, sequence: number, snapshot: Uint8Array): Buffer {
  return new WireWriter(key.length + snapshot.length + 32).bytes(1, key).int(2, sequence).bytes(3, snapshot).finish();
}
