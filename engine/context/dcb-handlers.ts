// Answers other nodes' requests for DCB contexts stored here. Every field comes from outside and is checked.
import type { PeerBus } from '../peer/bus.ts';
import { PeerError } from '../peer/bus.ts';
import { decodeDcbChange, readCriteria, tagMessage } from '../storage/dcb-wire.ts';
import { LocalDcbCursor } from './dcb-cursors.ts';
import { appendDcbHere, changeDcbHere, dcbOf } from './dcb-leader.ts';
import { encodeAppended } from './dcb-messages.ts';
import { NotLeaderError } from './errors.ts';
import type { GroupHost } from './group-host.ts';
import { answered } from './peer-handlers.ts';
import { decodeBody, encodeBody, fieldOf, numberField, type PeerBody, textField } from './peer-messages.ts';
import { LONG_POLL_MS_MAX } from './remote-reads.ts';
import type { Replica } from './replica.ts';

const FRESH_TIMEOUT_MS = 2_000;
const SNAPSHOTS_MAX = 1_000;

export function registerDcbHandlers(bus: PeerBus, groups: () => GroupHost): void {
  bus.handle('dcb', (_from, bytes) =>
    answered(async () => {
      const body = decodeBody(bytes);
      const context = textField(body.head, 'context');
      const replica = groups().replica(context);
      if (replica === null || replica.closed)
        throw new PeerError('PEER_REFUSED', `${context} is not stored here`, 'NOT_LEADER');
      return answer(replica, body);
    }),
  );
}

async function answer(replica: Replica, { head, parts }: PeerBody<unknown>): Promise<Uint8Array> {
  const op = textField(head, 'op');
  if (op === 'append') {
    const conditional = fieldOf(head, 'conditional') === true;
    const condition = conditional ? firstOf(parts) : null;
    return encodeAppended(await appendDcbHere(replica, condition, conditional ? parts.slice(1) : parts));
  }
  if (op === 'change') {
    const done = await changeDcbHere(replica, decodeDcbChange(firstOf(parts)));
    return encodeAppended(done ? { first: 0, size: 0, marker: 0 } : null);
  }
  if (op === 'read') return readPage(replica, head, parts);
  // Linearizable: only the leader can tell that it misses nothing.
  if (!replica.isReadyLeader) throw new NotLeaderError(replica.context);
  await replica.waitForCommit(await replica.readIndex(), FRESH_TIMEOUT_MS);
  const dcb = dcbOf(replica.store, replica.context);
  switch (op) {
    case 'positions':
      return encodeBody({ tail: dcb.tail, head: dcb.head });
    case 'sequence-at':
      return encodeBody({ sequence: dcb.sequenceAt(numberField(head, 'timestampMs')) });
    case 'tags': {
      const tags = dcb.tags(numberField(head, 'sequence'));
      return encodeBody({ known: tags !== null }, (tags ?? []).map(tagMessage));
    }
    case 'snapshots': {
      const max = Math.min(numberField(head, 'max'), SNAPSHOTS_MAX);
      const found = dcb.snapshots(firstOf(parts), numberField(head, 'from'), numberField(head, 'to'), max);
      return encodeBody(
        { sequences: found.map(({ sequence }) => sequence) },
        found.map(({ bytes }) => bytes),
      );
    }
    default:
      throw new PeerError('PEER_REFUSED', `unknown DCB request ${op}`, 'BAD_REQUEST');
  }
}

function firstOf(parts: readonly Buffer[]): Buffer {
  const first = parts[0];
  if (first === undefined) throw new PeerError('PEER_REFUSED', 'the request lacks its part', 'BAD_REQUEST');
  return first;
}

async function readPage(replica: Replica, head: unknown, criteria: readonly Buffer[]): Promise<Uint8Array> {
  const from = numberField(head, 'from');
  const cursor = new LocalDcbCursor(replica, readCriteria(criteria), from, numberField(head, 'to'));
  try {
    const waitMs = Math.min(numberField(head, 'waitMs'), LONG_POLL_MS_MAX);
    if (waitMs > 0) await cursor.waitForMore(waitMs);
    const events = await cursor.next();
    return encodeBody(
      { position: cursor.position, tokens: events.map(({ token }) => token) },
      events.map(({ bytes }) => bytes),
    );
  } finally {
    cursor.close();
  }
}
