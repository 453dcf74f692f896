// Answers other nodes' requests for contexts stored here. Every field comes from outside and is checked.
import type { PeerBus } from '../peer/bus.ts';
import { PeerError } from '../peer/bus.ts';
import type { StoredAggregateEvent } from '../storage/api.ts';
import { AxonError } from './api.ts';
import { appendHere, appendSnapshotHere } from './event-access.ts';
import type { GroupHost } from './group-host.ts';
import { decodeBody, encodeBody, numberField, textField } from './peer-messages.ts';
import { LONG_POLL_MS_MAX } from './remote-reads.ts';
import { NotLeaderError, SequenceConflictError } from './errors.ts';
import type { Replica } from './replica.ts';

const PAGE_EVENTS_MAX = 1_000;
const PAGE_BYTES_MAX = 1024 * 1024;
const FRESH_TIMEOUT_MS = 2_000;

/** `checkSnapshots`: see appendSnapshotHere. */
export function registerContextHandlers(bus: PeerBus, groups: () => GroupHost, checkSnapshots: boolean): void {
  const find = (head: unknown): Replica => {
    const context = textField(head, 'context');
    const replica = groups().replica(context);
    if (replica === null || replica.closed)
      throw new PeerError('PEER_REFUSED', `${context} is not stored here`, 'NOT_LEADER');
    return replica;
  };
  const fresh = async (head: unknown): Promise<Replica> => {
    const replica = find(head);
    // Fails where this node does not lead: then the asker finds out who does.
    await replica.waitForCommit(await replica.readIndex(), FRESH_TIMEOUT_MS);
    return replica;
  };

  bus.handle('append-events', (_from, body) =>
    answered(async () => {
      const { head, parts } = decodeBody(body);
      await appendHere(find(head), parts);
      return encodeBody({});
    }),
  );
  bus.handle('append-snapshot', (_from, body) =>
    answered(async () => {
      const { head, parts } = decodeBody(body);
      const snapshot = parts[0];
      if (snapshot === undefined) throw new PeerError('PEER_REFUSED', 'no snapshot in the request', 'BAD_REQUEST');
      await appendSnapshotHere(find(head), snapshot, checkSnapshots);
      return encodeBody({});
    }),
  );
  bus.handle('read-index', (_from, body) =>
    answered(async () => encodeBody({ index: await find(decodeBody(body).head).readIndex() })),
  );
  bus.handle('read-aggregate', (_from, body) =>
    answered(async () => {
      const { head } = decodeBody(body);
      const { store } = await fresh(head);
      const page: StoredAggregateEvent[] = [];
      let bytes = 0;
      let more = false;
      for (const chunk of store.readAggregate(
        textField(head, 'aggregateId'),
        numberField(head, 'from'),
        numberField(head, 'to'),
      )) {
        if (page.length >= PAGE_EVENTS_MAX || bytes >= PAGE_BYTES_MAX) {
          more = true;
          break;
        }
        for (const event of chunk) {
          page.push({ ...event, bytes: Buffer.from(event.bytes) });
          bytes += event.bytes.length;
        }
      }
      return encodePage(page, more);
    }),
  );
  bus.handle('read-snapshots', (_from, body) =>
    answered(async () => {
      const { head } = decodeBody(body);
      const { store } = await fresh(head);
      return encodePage(
        store.readSnapshots(
          textField(head, 'aggregateId'),
          numberField(head, 'from'),
          numberField(head, 'to'),
          numberField(head, 'max'),
        ),
        false,
      );
    }),
  );
  bus.handle('tokens', (_from, body) =>
    answered(async () => {
      const { head } = decodeBody(body);
      const { store } = await fresh(head);
      const what = textField(head, 'what');
      if (what === 'tokens') return encodeBody({ first: store.firstToken, last: store.lastToken });
      if (what === 'highest-sequence')
        return encodeBody({ value: store.highestSequence(textField(head, 'aggregateId')) });
      if (what === 'token-at') return encodeBody({ value: store.tokenAt(numberField(head, 'timestampMs')) });
      throw new PeerError('PEER_REFUSED', `unknown token request ${what}`, 'BAD_REQUEST');
    }),
  );
  bus.handle('read-events', (_from, body) =>
    answered(async () => {
      const { head } = decodeBody(body);
      const replica = find(head);
      const from = Math.max(numberField(head, 'from'), replica.store.firstToken);
      const waitMs = Math.min(numberField(head, 'waitMs'), LONG_POLL_MS_MAX);
      if (waitMs > 0) await waitForToken(replica, from, waitMs);
      const max = Math.min(numberField(head, 'max'), PAGE_EVENTS_MAX);
      const events = from > replica.store.lastToken ? [] : replica.store.readEvents(from, max, PAGE_BYTES_MAX);
      return encodeBody(
        { first: events[0]?.token ?? from },
        events.map((event) => event.bytes),
      );
    }),
  );
}

function waitForToken(replica: Replica, token: number, timeoutMs: number): Promise<void> {
  if (replica.store.lastToken >= token) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stop();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    const stop = replica.store.onCommitted((last) => {
      if (last >= token) done();
    });
  });
}

function encodePage(events: readonly StoredAggregateEvent[], more: boolean): Buffer {
  return encodeBody(
    { sequences: events.map((event) => event.sequence), tokens: events.map((event) => event.token), more },
    events.map((event) => event.bytes),
  );
}

/** What handlers throw becomes a refusal that the asking node understands. */
export async function answered(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PeerError) throw error;
    if (error instanceof NotLeaderError) throw new PeerError('PEER_REFUSED', error.message, 'NOT_LEADER');
    if (error instanceof SequenceConflictError) throw new PeerError('PEER_REFUSED', error.message, 'AXONIQ-2000');
    if (error instanceof AxonError) throw new PeerError('PEER_REFUSED', error.message, error.code);
    throw new PeerError('PEER_REFUSED', error instanceof Error ? error.message : String(error), 'AXONIQ-0001');
  }
}
