// What the services of the DCB event store share.
import type { DcbStoreAccess, StoredEvent } from '../context/dcb-api.ts';
import type { CallWriter } from './call-context.ts';
import { eventReply } from './dcb-bytes.ts';
import type { GrpcCall } from './transport.ts';

export const DCB_PACKAGE = '/io.axoniq.axonserver.grpc.event.dcb';

/** Throws AxonError when this node may not serve the context of the call, or the context is classic. */
export type StoreOf = (call: GrpcCall) => DcbStoreAccess;

/** False when the call is over. `field`: of the event in the reply. */
export async function writeEvents(
  pages: AsyncIterable<readonly StoredEvent[]>,
  writer: CallWriter,
  field: number,
): Promise<boolean> {
  for await (const page of pages) {
    for (const { token, bytes } of page) writer.write(eventReply(token, bytes, field));
    if (!(await writer.ready())) return false;
  }
  return writer.open;
}

export function reply(call: GrpcCall, bytes: Uint8Array): void {
  call.write(bytes);
  call.end();
}
