// The store of a node for the benchmarks of storage: how it is opened, and the events that fill it.
import type { GroupStore, NodeStore } from '../engine/storage/api.ts';
import { openGroupStore, SEGMENT_BYTES_DEFAULT } from '../engine/storage/group-store.ts';
import { openNodeStore } from '../engine/storage/node-store.ts';
import { WireWriter } from '../engine/util/wire.ts';

export const EVENT_BYTES = 300;

const log = (): void => undefined;

/** `verifySegments` as in GroupStoreOptions. */
export async function openStore(
  dir: string,
  folder: string,
  verifySegments?: number,
): Promise<{ node: NodeStore; store: GroupStore }> {
  const node = await openNodeStore({ dir, nodeName: 'node-1', log });
  const store = await openGroupStore({
    node,
    group: 1,
    folder,
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    durability: 'fsync',
    indexEvents: true,
    ...(verifySegments !== undefined && { verifySegments }),
    log,
    onFatal: (error) => {
      throw error;
    },
  });
  return { node, store };
}

/** Of an aggregate, EVENT_BYTES long or nearly. */
export function event(id: string, sequence: number): Buffer {
  const writer = new WireWriter(EVENT_BYTES + 64).text(1, 'b2a9c0de-0000-4000-8000-000000000000').text(2, id);
  writer
    .int(3, sequence)
    .text(4, 'Order')
    .int(5, 1_700_000_000_000 + sequence);
  return writer.bytes(6, Buffer.alloc(EVENT_BYTES - 90, 7)).finish();
}
