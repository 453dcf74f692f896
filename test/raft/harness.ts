// Two ways to drive real cores in tests: one core against hand-made messages (`Solo`), or a few joined by instant links (`Net`).
import { decodeConfig } from '../../engine/raft/membership.ts';
import { RaftGroup } from '../../engine/raft/raft.ts';
import type { MessageBody } from '../../engine/raft/state.ts';
import {
  type Entry,
  EntryType,
  type GroupConfig,
  type MemberId,
  type Message,
  type RaftOptions,
  type Ready,
  type StoringRole,
} from '../../engine/raft/types.ts';

export const HEARTBEAT = 10;
export const ELECTION_MIN = 50;
export const ELECTION_MAX = 100;
/** Deliveries after one event: more means that two cores answer each other for ever. */
const ROUNDS_MAX = 1000;

/** `config('a b c', 'd', 'e')`: PRIMARYs, ACTIVE_BACKUPs, PASSIVE_BACKUPs. */
export function config(primaries: string, actives = '', passives = '', minActiveBackups = 1): GroupConfig {
  const of = (names: string, role: StoringRole) =>
    names
      .split(' ')
      .filter((id) => id !== '')
      .map((id) => ({ id, role }));
  const members = [...of(primaries, 'PRIMARY'), ...of(actives, 'ACTIVE_BACKUP'), ...of(passives, 'PASSIVE_BACKUP')];
  return { members: members.sort((left, right) => (left.id < right.id ? -1 : 1)), minActiveBackups };
}

export function entry(index: number, term: number, bytes = 1): Entry {
  return { index, term, type: EntryType.EVENTS, firstToken: index, eventCount: 1, data: new Uint8Array(bytes) };
}

export function entriesOfTerms(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, position) => entry(first + position, term));
}

export interface SoloSettings extends Partial<Omit<RaftOptions, 'log' | 'configs'>> {
  /** Terms of the durable entries. */
  readonly log?: readonly number[];
  /** The durable entries themselves; before `log`. */
  readonly entries?: readonly Entry[];
  readonly term?: number;
  readonly vote?: MemberId;
  readonly commit?: number;
}

export class Solo {
  readonly id: MemberId;
  readonly log: Entry[];
  readonly group: RaftGroup;
  readonly readStates: { token: number; index: number }[] = [];
  readonly readFailures: number[] = [];
  hardState;

  constructor(bootstrap: GroupConfig, settings: SoloSettings = {}) {
    this.id = settings.self ?? 'a';
    this.log = settings.entries === undefined ? entriesOfTerms(settings.log ?? []) : [...settings.entries];
    const term = settings.term ?? this.log[this.log.length - 1]?.term ?? 0;
    this.hardState = { term, vote: settings.vote ?? null, commit: settings.commit ?? 0 };
    this.group = this.#make(bootstrap, settings);
  }

  #make(bootstrap: GroupConfig, settings: SoloSettings): RaftGroup {
    return new RaftGroup({
      group: 7,
      self: this.id,
      bootstrap,
      configs: this.log
        .filter((item) => item.type === EntryType.CONFIG)
        .map((item) => ({ index: item.index, config: decodeConfig(item.data) })),
      hardState: this.hardState,
      log: {
        lastIndex: () => this.log.length,
        termAt: (index) => (index === 0 ? 0 : this.log[index - 1]?.term),
        entries: (from, to) => this.log.slice(from - 1, to),
      },
      timing: settings.timing ?? {
        heartbeatTicks: HEARTBEAT,
        electionTicksMin: ELECTION_MIN,
        electionTicksMax: ELECTION_MAX,
      },
      random: settings.random ?? (() => 0),
      appendBytesMax: settings.appendBytesMax ?? 262_144,
      inflightMessagesMax: settings.inflightMessagesMax ?? 64,
      inflightBytesMax: settings.inflightBytesMax ?? 8_388_608,
      uncommittedBytesMax: settings.uncommittedBytesMax ?? 67_108_864,
    });
  }

  tick(count = 1): void {
    for (let tick = 0; tick < count; tick += 1) this.group.tick();
  }

  receive(from: MemberId, term: number, body: MessageBody): void {
    this.group.step({ group: 7, from, to: this.id, term, ...body } as Message);
  }

  /** Takes a Ready and writes it to the log in memory; `onPersisted` is left to the caller. */
  take(): Ready | null {
    const ready = this.group.ready();
    if (ready === null) return null;
    if (ready.persist !== null) {
      if (ready.persist.hardState !== null) this.hardState = ready.persist.hardState;
      if (ready.persist.truncateFrom !== null) this.log.length = ready.persist.truncateFrom - 1;
      this.log.push(...ready.persist.entries);
    }
    this.readStates.push(...ready.readStates);
    this.readFailures.push(...ready.readFailures);
    return ready;
  }

  /** Carries out everything that is ready, at once. Returns what was sent. */
  flush(): Message[] {
    const sent: Message[] = [];
    for (let ready = this.take(); ready !== null; ready = this.take()) {
      sent.push(...ready.sendNow);
      this.group.onPersisted(ready.seq);
      sent.push(...ready.sendAfterPersist);
    }
    return sent;
  }

  /** Wins an election with the votes of `voters`. Returns what the new leader sent. */
  lead(...voters: MemberId[]): Message[] {
    this.group.campaign();
    this.flush();
    const lastIndex = 0;
    for (const voter of voters) {
      this.receive(voter, this.group.term + 1, { type: 'pre-vote-response', granted: true, lastIndex });
    }
    this.flush();
    for (const voter of voters)
      this.receive(voter, this.group.term, { type: 'vote-response', granted: true, lastIndex });
    return this.flush();
  }

  confirm(from: MemberId, matchIndex: number): void {
    const { term } = this.group;
    this.receive(from, term, { type: 'append-response', reject: false, matchIndex, hintIndex: 0, hintTerm: 0 });
  }

  propose(bytes = 1): void {
    this.group.propose(EntryType.EVENTS, new Uint8Array(bytes), 0, 1);
  }
}

export function ofType<T extends Message['type']>(
  messages: readonly Message[],
  type: T,
): Extract<Message, { type: T }>[] {
  return messages.filter((message): message is Extract<Message, { type: T }> => message.type === type);
}

export function leaderWith(settings: SoloSettings = {}, members: GroupConfig = config('a b c')): Solo {
  const solo = new Solo(members, settings);
  const voters = members.members.filter((member) => member.role === 'PRIMARY' && member.id !== solo.id);
  solo.lead(...voters.map((member) => member.id));
  return solo;
}

export class Net {
  readonly nodes = new Map<MemberId, Solo>();
  /** Directed links that carry nothing: `a>b`. */
  readonly cut = new Set<string>();

  constructor(
    members: GroupConfig,
    settings: (id: MemberId) => SoloSettings = () => ({}),
    outsiders: readonly MemberId[] = [],
  ) {
    const ids = [...members.members.map((member) => member.id), ...outsiders];
    ids.forEach((id, position) => {
      const bootstrap = outsiders.includes(id) ? { members: [], minActiveBackups: 0 } : members;
      // Different time-outs: the first member always is the first to campaign.
      this.nodes.set(id, new Solo(bootstrap, { self: id, random: () => position / ids.length, ...settings(id) }));
    });
  }

  node(id: MemberId): Solo {
    const node = this.nodes.get(id);
    if (node === undefined) throw new RangeError(id);
    return node;
  }

  isolate(id: MemberId): void {
    for (const other of this.nodes.keys()) {
      this.cut.add(`${id}>${other}`);
      this.cut.add(`${other}>${id}`);
    }
  }

  /** Delivers until nothing moves any more. */
  settle(): void {
    let rounds = 0;
    for (let moved = true; moved; rounds += 1) {
      if (rounds > ROUNDS_MAX) throw new Error('messages without end');
      moved = false;
      for (const node of this.nodes.values()) {
        for (const message of node.flush()) {
          moved = true;
          if (!this.cut.has(`${message.from}>${message.to}`)) this.nodes.get(message.to)?.group.step(message);
        }
      }
    }
  }

  tick(count = 1): void {
    for (let tick = 0; tick < count; tick += 1) {
      for (const node of this.nodes.values()) node.group.tick();
      this.settle();
    }
  }

  leader(): Solo {
    const leaders = [...this.nodes.values()].filter((node) => node.group.isLeader);
    const newest = leaders.sort((left, right) => right.group.term - left.group.term)[0];
    if (newest === undefined) throw new RangeError('no leader');
    return newest;
  }

  campaign(id: MemberId): Solo {
    this.node(id).group.campaign();
    this.settle();
    return this.node(id);
  }
}
