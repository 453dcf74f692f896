// Raw events for the query tests.
import { WireWriter } from '../../../engine/util/wire.ts';

export interface EventFields {
  readonly id?: string;
  readonly aggregate?: string;
  readonly sequence?: number;
  readonly type?: string;
  readonly payloadType?: string;
  readonly revision?: string;
  readonly data?: string;
  readonly timestamp?: number;
  readonly metaData?: Readonly<Record<string, string | number>>;
}

export function eventBytes(fields: EventFields): Buffer {
  const payload = new WireWriter()
    .text(1, fields.payloadType ?? 'Happened')
    .text(2, fields.revision ?? '')
    .text(3, fields.data ?? '');
  const writer = new WireWriter()
    .text(1, fields.id ?? '')
    .text(2, fields.aggregate ?? '')
    .int(3, fields.sequence ?? 0)
    .text(4, fields.type ?? (fields.aggregate === undefined ? '' : 'Account'))
    .int(5, fields.timestamp ?? 1000)
    .bytes(6, payload.finish());
  for (const [key, value] of Object.entries(fields.metaData ?? {})) {
    const encoded = typeof value === 'string' ? new WireWriter().text(1, value) : new WireWriter().int(2, value * 2);
    writer.bytes(7, new WireWriter().text(1, key).bytes(2, encoded.finish()).finish());
  }
  return Buffer.from(writer.finish());
}
