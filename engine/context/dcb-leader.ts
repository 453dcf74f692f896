// What the leader of a DCB context does: checks against the log and its uncommitted tail, then proposes in the same turn
// (client-behaviour DC-10 to DC-16, DC-30, DC-31, DC-40). Entry points: appendDcbHere, changeDcbHere.
import { EntryType } from '../raft/types.ts';
import type { GroupStore } from '../storage/api.ts';
import type { DcbStore } from '../storage/dcb-api.ts';
import {
  type Criterion,
  type DcbChange,
  encodeDcbChange,
  readCondition,
  readCriteria,
  readTagged,
} from '../storage/dcb-wire.ts';
import { encodeEvents } from '../storage/facts.ts';
import { AxonError } from './api.ts';
import type { DcbAppended } from './dcb-api.ts';
import { settled } from './refusals.ts';
import type { Replica } from './replica.ts';

const CHECK_TIMEOUT_MS = 5_000;

/** Thrown by a check; never leaves this file. */
class Refused extends Error {}

/** Throws AxonError for a classic context. */
export function dcbOf({ dcb }: GroupStore, context: string): DcbStore {
  if (dcb === null) throw new AxonError('AXONIQ-6000', `${context} is a classic context without a DCB event store`);
  return dcb;
}

/** Rejects with WireError, NotLeaderError or AxonError: then nothing was written, unless the text says the outcome is unknown. */
export async function appendDcbHere(
  replica: Replica,
  condition: Uint8Array | null,
  events: readonly Uint8Array[],
): Promise<DcbAppended | null> {
  const dcb = dcbOf(replica.store, replica.context);
  const { marker, criteria } = condition === null ? { marker: 0, criteria: [] } : readCondition(condition);
  const wanted = readCriteria(criteria);
  for (const event of events) readTagged(event);
  if (events.length === 0) return checkOnly(replica, dcb, wanted, marker);
  let first = 0;
  const committed = await unlessRefused(replica, () =>
    replica.proposeEntry(EntryType.EVENTS, encodeEvents(events), events.length, () => {
      first = replica.store.nextToken;
      if (dcb.conflict(wanted, marker) !== null) throw new Refused();
    }),
  );
  return committed ? { first, size: events.length, marker: first + events.length } : null;
}

/** DC-16. A read index proves that this node still leads. */
async function checkOnly(
  replica: Replica,
  dcb: DcbStore,
  criteria: readonly Criterion[],
  marker: number,
): Promise<DcbAppended | null> {
  await replica.waitForCommit(await replica.readIndex(), CHECK_TIMEOUT_MS);
  const { head } = dcb;
  const position = { index: replica.store.lastIndex(), term: replica.store.lastTerm };
  if (dcb.conflict(criteria, marker) === null) return { first: head, size: 0, marker: head };
  await settled(replica, position);
  return null;
}

/** False: tags of an event that does not exist. */
export function changeDcbHere(replica: Replica, change: DcbChange): Promise<boolean> {
  dcbOf(replica.store, replica.context);
  return unlessRefused(replica, () =>
    replica.proposeEntry(EntryType.DCB, encodeDcbChange(change), 0, () => {
      const ofEvent = change.type === 'add-tags' || change.type === 'remove-tags';
      if (ofEvent && !(change.sequence >= 0 && change.sequence < replica.store.nextToken)) throw new Refused();
    }),
  );
}

/** A refusal is answered once what it rests on is committed. */
async function unlessRefused(replica: Replica, propose: () => Promise<void>): Promise<boolean> {
  const { store } = replica;
  const position = { index: store.lastIndex(), term: store.lastTerm };
  try {
    await propose();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await settled(replica, position);
    return false;
  }
}
