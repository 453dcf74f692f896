// Event transformations of every context on any node (client-behaviour §10): the leader checks and writes commands, every member
// shows the outcome from its own log (storage/transformations.ts). Entry point: EventTransformations.
import { randomUUID } from 'node:crypto';
import { EntryType } from '../raft/types.ts';
import { eventFacts } from '../storage/facts.ts';
import {
  decodeTransformation,
  encodeTransformation,
  type Transformation,
  type TransformationCommand,
  TransformationState,
  type TransformedEvent,
} from '../storage/transformations.ts';
import { WireError } from '../util/wire.ts';
import { AxonError } from './api.ts';
import { NotLeaderError } from './errors.ts';
import { callLeader, type LeaderCallDeps } from './leader-call.ts';
import { answered } from './peer-handlers.ts';
import { decodeBody, encodeBody, fieldOf, PeerBodyError, textField } from './peer-messages.ts';
import type { Replica } from './replica.ts';

const CALL_TIMEOUT_MS = 9_500;
const FRESH_MS = 5_000;
/** Changes of one transformation; one more is refused with AXONIQ-1900. Every member keeps their tokens in memory. */
export const CHANGES_MAX = 1_000_000;
const DESCRIPTION_CHARACTERS_MAX = 1000;
/** Transformations that a context remembers; one more is refused with AXONIQ-1900. */
const TRANSFORMATIONS_MAX = 10_000;

/** Rejections are AxonError: as for appends, AXONIQ-9200 for a wrong state, sequence or event, 2200 for a wrong token. */
export interface TransformationAccess {
  list(): Promise<readonly Transformation[]>;
  /** TR-2: resolves with the id. */
  start(description: string): Promise<string>;
  /** TR-3: all or none. `sequence` is that of the first. */
  transform(id: string, sequence: number, events: readonly TransformedEvent[]): Promise<void>;
  cancel(id: string): Promise<void>;
  /** TR-4. */
  apply(id: string, lastSequence: number, by: string): Promise<void>;
  /** TR-7: resolves when it is sure to happen on every member that keeps the log. */
  compact(): Promise<void>;
}

export interface TransformationDirectory {
  transformations(context: string): TransformationAccess;
}

export class EventTransformations implements TransformationDirectory {
  readonly #deps: LeaderCallDeps;
  /** Commands of a context come one after another: each is checked against the outcome of those before. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: LeaderCallDeps) {
    this.#deps = deps;
    deps.bus.handle('transformation', (_from, body) =>
      answered(async () => {
        const { head, parts } = decodeBody(body);
        const replica = deps.groups().replica(textField(head, 'context'));
        if (replica === null || replica.closed) throw new NotLeaderError(textField(head, 'context'));
        if (fieldOf(head, 'list') === true) return encodeBody({ list: await listHere(replica) });
        if (parts[0] === undefined) throw new PeerBodyError('no transformation command in the request');
        await this.#here(replica, decodeTransformation(parts[0]));
        return encodeBody({});
      }),
    );
  }

  transformations(context: string): TransformationAccess {
    const ask = async (leader: string): Promise<readonly Transformation[]> => {
      const answer = await this.#deps.bus.request(
        leader,
        'transformation',
        encodeBody({ context, list: true }),
        CALL_TIMEOUT_MS,
      );
      return fieldOf(decodeBody(answer).head, 'list') as readonly Transformation[];
    };
    return {
      list: () => callLeader(context, this.#deps, listHere, ask, 'asks'),
      start: async (description) => {
        const id = randomUUID();
        await this.#call(context, { op: 'start', id, description });
        return id;
      },
      transform: (id, sequence, events) => this.#call(context, { op: 'events', id, sequence, events }),
      cancel: (id) => this.#call(context, { op: 'cancel', id }),
      apply: (id, sequence, by) =>
        this.#call(context, { op: 'apply', id, sequence, at: this.#deps.env.wallClock(), by }),
      compact: () => this.#call(context, { op: 'compact', id: '' }),
    };
  }

  #call(context: string, command: TransformationCommand): Promise<void> {
    const there = async (leader: string): Promise<void> => {
      const body = encodeBody({ context }, [encodeTransformation(command)]);
      await this.#deps.bus.request(leader, 'transformation', body, CALL_TIMEOUT_MS);
    };
    return callLeader(context, this.#deps, (replica) => this.#here(replica, command), there);
  }

  async #here(replica: Replica, command: TransformationCommand): Promise<void> {
    const turn = async (): Promise<void> => {
      await fresh(replica);
      await replica.proposeEntry(EntryType.TRANSFORMATION, encodeTransformation(command), 0, () => {
        check(replica, command);
      });
    };
    const mine = (this.#turns.get(replica.context) ?? Promise.resolve()).then(turn, turn);
    this.#turns.set(replica.context, mine);
    try {
      await mine;
    } finally {
      if (this.#turns.get(replica.context) === mine) this.#turns.delete(replica.context);
    }
  }
}

async function listHere(replica: Replica): Promise<readonly Transformation[]> {
  await fresh(replica);
  return replica.store.transformations.list();
}

/** This node leads, and knows everything confirmed before. */
async function fresh(replica: Replica): Promise<void> {
  await replica.waitForCommit(await replica.readIndex(), FRESH_MS);
}

function refused(text: string, code = 'AXONIQ-9200'): AxonError {
  return new AxonError(code, text);
}

/** Throws AxonError. All commands before are decided: an undecided one is still in the log only after a change of leaders. */
function check({ store, context }: Replica, command: TransformationCommand): void {
  const undecided = store.commandIndexes(EntryType.TRANSFORMATION).at(-1) ?? 0;
  if (undecided > store.committedIndex) throw refused(`${context}: an earlier change of a transformation is undecided`);
  const { transformations } = store;
  if (command.op === 'compact') return;
  if (command.op === 'start') {
    const { active } = transformations;
    if (active !== undefined) throw refused(`${context}: transformation ${active.id} is active already`);
    if (command.description.length > DESCRIPTION_CHARACTERS_MAX)
      throw refused(`A description has at most ${DESCRIPTION_CHARACTERS_MAX} characters`);
    if (transformations.list().length >= TRANSFORMATIONS_MAX)
      throw refused(`${context} has ${TRANSFORMATIONS_MAX} transformations already`, 'AXONIQ-1900');
    return;
  }
  const found = transformations.get(command.id);
  if (found === undefined) throw refused(`${context} has no transformation ${command.id}`);
  if (found.state !== TransformationState.ACTIVE) throw refused(`Transformation ${command.id} is not active`);
  if (command.op === 'apply' && command.sequence !== found.sequence)
    throw refused(`The last sequence of ${command.id} is ${found.sequence}, not ${command.sequence}`);
  if (command.op === 'events') checkEvents(store, found, command);
}

function checkEvents(
  store: Replica['store'],
  found: Transformation,
  { sequence, events }: TransformationCommand & { op: 'events' },
): void {
  if (sequence !== found.sequence + 1)
    throw refused(`The next sequence of ${found.id} is ${found.sequence + 1}, not ${sequence}`);
  if (sequence + events.length > CHANGES_MAX)
    throw refused(`A transformation changes at most ${CHANGES_MAX} events`, 'AXONIQ-1900');
  let before = found.token;
  for (const { token, event } of events) {
    if (token <= before) throw refused(`Token ${token} comes after ${before}: tokens have to ascend`, 'AXONIQ-2200');
    if (token > store.lastToken) throw refused(`There is no event with token ${token}`, 'AXONIQ-2200');
    before = token;
    if (event !== null) checkReplacement(store, token, event);
  }
}

/** TR-6. */
function checkReplacement(store: Replica['store'], token: number, event: Uint8Array): void {
  const stored = store.readEvents(token, 1, 1)[0];
  if (stored === undefined) throw refused(`There is no event with token ${token}`, 'AXONIQ-2200');
  try {
    const [old, next] = [eventFacts(stored.bytes), eventFacts(event)];
    if (
      old.aggregateId !== next.aggregateId ||
      old.aggregateType !== next.aggregateType ||
      old.sequence !== next.sequence
    )
      throw refused(`The event at token ${token} has to keep its aggregate identifier, type and sequence number`);
  } catch (error) {
    if (error instanceof WireError) throw refused(`The event for token ${token} is not a valid message`);
    throw error;
  }
}
