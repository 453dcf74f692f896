// The persistent streams of one context on the node that leads it: follows the STREAM entries of the log, runs the streams, and
// writes their progress down (client-behaviour PS-4, PS-10). Other members only keep the log: a new leader reads the table from it.
import { AxonError, type StoredEvent } from '../context/api.ts';
import { NotLeaderError } from '../context/errors.ts';
import type { Replica } from '../context/replica.ts';
import { EntryType, type Index, type Term } from '../raft/types.ts';
import type { Env } from '../util/env.ts';
import {
  HEAD_POSITION,
  type ResetTarget,
  type StreamProperties,
  type StreamSession,
  type StreamSink,
  type StreamStatus,
} from './api.ts';
import { LiveStream } from './live-stream.ts';
import { compileRules, eventOfTagged } from './stream-rules.ts';
import {
  decodeStreamCommand,
  encodeStreamCommand,
  LEVELS_MAX,
  SEGMENTS_MAX,
  type StreamCommand,
  type StreamRow,
  StreamTable,
  STREAMS_MAX,
} from './stream-state.ts';

/** Acknowledged progress is written down this often at most; a leader that is killed forgets no more than that (PS-4). */
export const PROGRESS_MS = 500;
/** PS-5. */
export const SEGMENT_CLOSE_MS = 15_000;
/** The table is written whole after so many entries: what a new leader reads at most. */
const TABLE_EVERY = 256;
const FRESH_MS = 5_000;
const NAME_CHARACTERS_MAX = 256;

export class ContextStreams {
  readonly #env: Env;
  readonly #replica: Replica;
  readonly #segmentCloseMs: number;
  #table = new StreamTable();
  readonly #live = new Map<string, LiveStream>();
  /** Among the STREAM entries: the first one not applied. */
  #applied = 0;
  /** Among the STREAM entries: the last whole table. */
  #wholeAt = 0;
  /** Term in which this node runs the streams; null when it does not. */
  #term: Term | null = null;
  #progressTimer: NodeJS.Timeout | null = null;
  /** Changes of segments of one stream come one after another. */
  readonly #changes = new Map<string, Promise<unknown>>();
  readonly #stops: readonly (() => void)[];

  constructor(env: Env, replica: Replica, segmentCloseMs = SEGMENT_CLOSE_MS) {
    this.#env = env;
    this.#replica = replica;
    this.#segmentCloseMs = segmentCloseMs;
    this.#stops = [
      replica.on('commit', () => this.#follow()),
      replica.on('status', () => this.#follow()),
      replica.store.onCommitted(() => this.#wake()),
    ];
    this.#follow();
  }

  get closed(): boolean {
    return this.#replica.closed;
  }

  // -- what clients ask; all reject with NotLeaderError on a node that does not lead ---------------------------------------

  async create(id: string, properties: StreamProperties): Promise<boolean> {
    await this.#fresh();
    if (this.#table.get(id) !== undefined) return false;
    const { name, segments, policy, filter, initialPosition } = checked(id, properties);
    if (this.#table.size >= STREAMS_MAX)
      throw new AxonError('AXONIQ-1900', `${this.#replica.context} has ${STREAMS_MAX} persistent streams already`);
    const first = initialPosition === HEAD_POSITION ? this.#replica.store.lastToken + 1 : initialPosition;
    const index = await this.#propose({ op: 'create', id, name, policy, filter, segments, first });
    return this.#table.get(id)?.generation === index;
  }

  async delete(id: string): Promise<void> {
    await this.#existing(id);
    await this.#propose({ op: 'delete', id });
  }

  async update(id: string, segments: number, name: string): Promise<void> {
    await this.#existing(id);
    if (segments !== 0) checkSegments(segments);
    checkText('name', name);
    if (segments === 0) await this.#propose({ op: 'update', id, name, segments });
    else await this.#changeSegments(id, () => ({ op: 'update', id, name, segments }));
  }

  async reset(id: string, target: ResetTarget): Promise<void> {
    await this.#existing(id);
    if (target.to === 'position' && !(target.first >= 0))
      throw new AxonError('AXONIQ-2311', `A stream cannot start at position ${target.first}`);
    await this.#changeSegments(id, () => ({ op: 'reset', id, first: this.#firstOf(target) }));
  }

  async list(): Promise<readonly StreamStatus[]> {
    await this.#fresh();
    return this.#table.rows().map(({ id, name, policy, filter, positions }) => {
      const owners = this.#live.get(id)?.owners() ?? [];
      const segments = positions.map((position, i) => ({ position, clientId: '', error: '', ...owners[i] }));
      return { id, name, policy, filter, segments };
    });
  }

  async open(
    id: string,
    clientId: string,
    properties: StreamProperties | null,
    sink: StreamSink,
  ): Promise<StreamSession> {
    await this.#fresh();
    if (this.#table.get(id) === undefined && properties !== null) await this.create(id, properties);
    const live = this.#live.get(id);
    if (live === undefined) throw unknown(id);
    return live.connect(clientId, sink);
  }

  #firstOf(target: ResetTarget): number {
    const { store } = this.#replica;
    if (target.to === 'position') return target.first;
    if (target.to === 'tail') return store.firstToken;
    if (target.to === 'head') return store.lastToken + 1;
    const token = store.dcb === null ? store.tokenAt(target.timestampMs) : store.dcb.sequenceAt(target.timestampMs);
    return Math.max(token, store.firstToken);
  }

  /** Clients give their segments back first, so that what they still handle counts (PS-5). */
  async #changeSegments(id: string, command: () => StreamCommand): Promise<void> {
    const change = async (): Promise<void> => {
      const live = this.#live.get(id);
      const row = this.#table.get(id);
      if (live === undefined || row === undefined) throw unknown(id);
      if (row.handled.length + row.replayed.length >= LEVELS_MAX)
        throw new AxonError('AXONIQ-1900', `${id}: ${LEVELS_MAX} earlier changes are not through yet`);
      await live.pause();
      try {
        this.#saveProgress();
        await this.#propose(command());
      } finally {
        live.resume();
      }
    };
    const before = this.#changes.get(id) ?? Promise.resolve();
    const mine = before.then(change, change);
    this.#changes.set(id, mine);
    try {
      await mine;
    } finally {
      if (this.#changes.get(id) === mine) this.#changes.delete(id);
    }
  }

  async #existing(id: string): Promise<void> {
    await this.#fresh();
    if (this.#table.get(id) === undefined) throw unknown(id);
  }

  /** This node leads, and the table has everything confirmed before. */
  async #fresh(): Promise<void> {
    this.#requireLeading();
    await this.#replica.waitForCommit(await this.#replica.readIndex(), FRESH_MS);
    this.#requireLeading();
  }

  #requireLeading(): void {
    if (this.#term === null || this.#replica.closed) throw new NotLeaderError(this.#replica.context);
  }

  /** Resolves with its index once the command is committed and in the table. */
  async #propose(command: StreamCommand): Promise<Index> {
    this.#requireLeading();
    const committed = this.#replica.proposeEntry(EntryType.STREAM, encodeStreamCommand(command));
    const index = this.#replica.store.lastIndex();
    await committed;
    this.#follow();
    return index;
  }

  // -- following the log -------------------------------------------------------------------------------------------------

  /** On the way of every append: cheap unless a stream changed or this node began or ceased to lead. */
  #follow(): void {
    const { store } = this.#replica;
    if (this.#replica.closed) {
      for (const stop of this.#stops) stop();
      this.#rest();
      return;
    }
    const { term } = this.#replica.status();
    const leads = this.#replica.isReadyLeader && store.termAt(store.committedIndex) === term;
    if (!leads) {
      if (this.#term !== null) this.#rest();
      return;
    }
    if (this.#term !== null && this.#term !== term) this.#rest();
    if (this.#term === null) this.#begin(term);
    else this.#catchUp();
  }

  #rest(): void {
    this.#term = null;
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer);
    this.#progressTimer = null;
    const error = new AxonError('AXONIQ-2100', `No leader for context: ${this.#replica.context}`);
    for (const live of this.#live.values()) live.end(error);
    this.#live.clear();
  }

  #begin(term: Term): void {
    this.#term = term;
    this.#table = new StreamTable();
    const indexes = this.#replica.store.commandIndexes(EntryType.STREAM);
    let from = indexes.length;
    while (from > 0) {
      from -= 1;
      if (indexes[from]! <= this.#replica.store.committedIndex && this.#command(indexes[from]!)?.op === 'state') break;
    }
    this.#applied = from;
    this.#wholeAt = from;
    this.#catchUp();
  }

  #catchUp(): void {
    const { store } = this.#replica;
    const indexes = store.commandIndexes(EntryType.STREAM);
    const before = this.#applied;
    for (; this.#applied < indexes.length; this.#applied += 1) {
      const index = indexes[this.#applied]!;
      if (index > store.committedIndex) break;
      const command = this.#command(index);
      if (command === null) continue;
      this.#table.apply(index, command);
      if (command.op === 'state') this.#wholeAt = this.#applied;
    }
    if (this.#applied === before && this.#live.size === this.#table.size) return;
    this.#reconcile();
    // Only while nothing undecided follows: the table must be all that is before it.
    if (this.#applied - this.#wholeAt > TABLE_EVERY && this.#applied === indexes.length) this.#writeTable();
  }

  #command(index: Index): StreamCommand | null {
    try {
      const entry = this.#replica.store.entries(index, index, 1)[0];
      return entry === undefined ? null : decodeStreamCommand(entry.data);
    } catch (error) {
      this.#env.log.error(`Entry ${index} is no stream command and is passed over: ${String(error)}`, {
        context: this.#replica.context,
        code: 'STREAM_ENTRY_UNREADABLE',
      });
      return null;
    }
  }

  #reconcile(): void {
    for (const [id, live] of this.#live) {
      const row = this.#table.get(id);
      if (row !== undefined) live.update(row);
      else {
        this.#live.delete(id);
        live.end(null);
      }
    }
    for (const row of this.#table.rows()) if (!this.#live.has(row.id)) this.#live.set(row.id, this.#start(row));
  }

  #start(row: StreamRow): LiveStream {
    return new LiveStream(row, {
      now: () => this.#env.now(),
      read: (token, maxEvents, maxBytes) => this.#read(token, maxEvents, maxBytes),
      onProgress: () => this.#armProgress(),
      segmentCloseMs: this.#segmentCloseMs,
    });
  }

  #read(token: number, maxEvents: number, maxBytes: number): readonly StoredEvent[] {
    const { store } = this.#replica;
    if (this.#replica.closed || token > store.lastToken) return [];
    const events = store.readEvents(token, maxEvents, maxBytes);
    return store.dcb === null ? events : events.map((event) => ({ ...event, bytes: eventOfTagged(event.bytes) }));
  }

  #wake(): void {
    if (this.#term !== null) for (const live of this.#live.values()) live.wake();
  }

  // -- progress ----------------------------------------------------------------------------------------------------------

  #armProgress(): void {
    if (this.#progressTimer !== null || this.#term === null) return;
    this.#progressTimer = setTimeout(() => {
      this.#progressTimer = null;
      this.#saveProgress();
    }, PROGRESS_MS).unref();
  }

  #saveProgress(): void {
    if (this.#term === null || this.#replica.closed) return;
    const moved = [...this.#live.values()].flatMap((live) => live.progress() ?? []);
    if (moved.length > 0) this.#write({ op: 'progress', moved });
  }

  #writeTable(): void {
    this.#wholeAt = this.#applied;
    this.#write({ op: 'state', streams: this.#table.rows() });
  }

  /** What the log does not take is written with the next progress. */
  #write(command: StreamCommand): void {
    this.#propose(command).catch((error: unknown) => {
      if (this.#term === null || this.#replica.closed) return;
      const text = error instanceof Error ? error.message : String(error);
      this.#env.log.warn(`Progress of persistent streams waits: ${text}`, {
        context: this.#replica.context,
        code: 'STREAM_PROGRESS_WAITS',
      });
      this.#armProgress();
    });
  }
}

function unknown(id: string): AxonError {
  return new AxonError('AXONIQ-2800', `Persistent stream ${id} not found`);
}

function checkText(what: string, text: string): void {
  if (text.length > NAME_CHARACTERS_MAX)
    throw new AxonError('AXONIQ-2311', `The ${what} of a stream has at most ${NAME_CHARACTERS_MAX} characters`);
}

function checkSegments(segments: number): void {
  if (!(segments >= 1 && segments <= SEGMENTS_MAX))
    throw new AxonError('AXONIQ-2311', `A stream has 1 to ${SEGMENTS_MAX} segments, not ${segments}`);
}

/** Throws AxonError for what is out of bounds or not understood. */
function checked(id: string, properties: StreamProperties): StreamProperties {
  if (id === '') throw new AxonError('AXONIQ-2311', 'A stream needs an id');
  checkText('id', id);
  checkText('name', properties.name);
  checkSegments(properties.segments);
  const { initialPosition } = properties;
  if (initialPosition !== HEAD_POSITION && !(initialPosition >= 0 && initialPosition <= Number.MAX_SAFE_INTEGER))
    throw new AxonError('AXONIQ-2311', `A stream cannot start at position ${initialPosition}`);
  compileRules(properties.filter, properties.policy);
  return properties;
}
