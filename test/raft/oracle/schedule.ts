// Random schedules for cores, written down step by step so that another implementation of Raft can be asked whether it agrees.
// Each step is one input to one member and what came of it. Entries are durable at once; ACTIVE_BACKUPs do not take part, because
// no other implementation has them. The other side is the Go program in `etcd`.
import { decodeConfig } from '../../../engine/raft/membership.ts';
import { EntryType, type Entry, type GroupConfig, type MemberId, type Message } from '../../../engine/raft/types.ts';
import { Chance } from '../../sim/chance.ts';
import { config, Solo } from '../harness.ts';

export const TIMING = { heartbeatTicks: 3, electionTicksMin: 10, electionTicksMax: 20 };
const STEPS = 1200;
const NETWORK_MAX = 120;
const NAMES: readonly MemberId[] = ['a', 'b', 'c', 'd', 'e', 'f'];

/** What one core looks like to the outside, in numbers that the other side knows too (members from 1). */
export interface StateRecord {
  readonly role: string;
  readonly term: number;
  readonly vote: number;
  readonly lead: number;
  readonly commit: number;
  readonly last: number;
  readonly lastTerm: number;
  readonly elapsed: number;
  readonly timeout: number;
  readonly members: MembersRecord;
  readonly match: Readonly<Record<string, number>>;
}

export interface MessageRecord {
  readonly type: Message['type'];
  readonly from: number;
  readonly to: number;
  readonly term: number;
  readonly index?: number;
  readonly logTerm?: number;
  readonly commit?: number;
  readonly granted?: boolean;
  readonly reject?: boolean;
  readonly transfer?: boolean;
  readonly hint?: number;
  readonly hintTerm?: number;
  readonly entries?: readonly EntryRecord[];
  /** The newest read that an answer to this heartbeat confirms; 0: none. */
  readonly read?: number;
}

export interface MembersRecord {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

/** `data` 0 and no `config`: the entry that opens a leadership. */
export interface EntryRecord {
  readonly term: number;
  readonly data: number;
  readonly config?: MembersRecord;
}

export interface StepRecord {
  readonly node: number;
  readonly op: 'start' | 'tick' | 'message' | 'propose' | 'config' | 'read' | 'transfer' | 'campaign' | 'forget';
  readonly message?: MessageRecord;
  /** Of `propose`: the entry; of `read`: the token; of `transfer` and `config`: a member. */
  readonly value?: number;
  readonly change?: 'voter' | 'learner' | 'remove';
  readonly refused?: string;
  /** Of `start`: what is on the disk, and the members that count as long as the log names none. */
  readonly log?: readonly EntryRecord[];
  readonly bootstrap?: MembersRecord;
  readonly sent: readonly MessageRecord[];
  readonly reads: readonly (readonly [token: number, index: number])[];
  readonly state: StateRecord;
}

export interface Schedule {
  readonly seed: number;
  readonly steps: readonly StepRecord[];
  /** Whole logs at the end, by member. */
  readonly logs: Readonly<Record<string, readonly EntryRecord[]>>;
  /** Why it ended before its time, or null: the cores did what the other implementation does otherwise on purpose. */
  readonly ended: string | null;
}

const numberOf = (id: MemberId | null): number => (id === null ? 0 : NAMES.indexOf(id) + 1);

interface Member {
  solo: Solo;
  /** Reads asked and not announced by a heartbeat yet. */
  unannounced: number[];
  announced: number;
  readStatesSeen: number;
}

type Details = Partial<Pick<StepRecord, 'message' | 'value' | 'change' | 'refused' | 'log' | 'bootstrap'>>;

class Scheduler {
  readonly #chance: Chance;
  readonly #members = new Map<MemberId, Member>();
  readonly #network: Message[] = [];
  readonly #cut = new Set<string>();
  readonly #steps: StepRecord[] = [];
  /** `leader/term/counter` of a heartbeat to the newest read that it confirms. */
  readonly #readOf = new Map<string, number>();
  readonly #bootstrap: GroupConfig;
  readonly #loss: number;
  /** How likely a turn mends all links. */
  readonly #mending: number;
  #counter = 0;
  #ended: string | null = null;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    const voters = NAMES.slice(0, this.#chance.pick([1, 2, 3, 3, 3, 4, 5]));
    const learners = NAMES.slice(voters.length, voters.length + this.#chance.below(2));
    this.#bootstrap = config(voters.join(' '), '', learners.join(' '), 0);
    this.#loss = this.#chance.pick([0, 0.05, 0.2]);
    this.#mending = this.#chance.pick([0.001, 0.004, 0.02]);
    const spares = NAMES.slice(voters.length + learners.length).slice(0, this.#chance.below(2));
    for (const id of [...voters, ...learners]) this.#start(id, this.#bootstrap, [], { term: 0, vote: null, commit: 0 });
    for (const id of spares) this.#start(id, config(''), [], { term: 0, vote: null, commit: 0 });
  }

  run(seed: number): Schedule {
    for (let step = 0; step < STEPS && this.#ended === null; step += 1) this.#turn();
    const logs = [...this.#members].map(([id, { solo }]) => [numberOf(id), solo.log.map(entryRecord)] as const);
    return { seed, steps: this.#steps, logs: Object.fromEntries(logs), ended: this.#ended };
  }

  #start(id: MemberId, bootstrap: GroupConfig, entries: readonly Entry[], state: Solo['hardState']): void {
    const { term, vote, commit } = state;
    const random = () => this.#chance.next();
    const settings = { self: id, timing: TIMING, random, entries, term, commit, appendBytesMax: 200 };
    const solo = new Solo(bootstrap, vote === null ? settings : { ...settings, vote });
    this.#members.set(id, { solo, unannounced: [], announced: 0, readStatesSeen: 0 });
    this.#note(id, 'start', { log: entries.map(entryRecord), bootstrap: membersRecord(bootstrap) });
  }

  #turn(): void {
    const chance = this.#chance;
    const roll = chance.next();
    const id = chance.pick([...this.#members.keys()]);
    if (roll < 0.55) this.#deliver();
    else if (roll < 0.82) this.#input(id, 'tick', (solo) => solo.group.tick());
    else if (roll < 0.94) this.#ask();
    else if (roll < 0.948) this.#part(id);
    else if (roll < 0.958) this.#campaign(id);
    else if (roll < 0.968) this.#input(id, 'forget', (solo) => solo.group.forgetLeader());
    else if (roll < 0.978) this.#restart(id);
    else if (roll < 0.978 + this.#mending) this.#cut.clear();
  }

  #member(id: MemberId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new RangeError(id);
    return member;
  }

  // -- inputs -------------------------------------------------------------------------------------------------------------

  #input(id: MemberId, op: StepRecord['op'], action: (solo: Solo) => void, details: Details = {}): void {
    action(this.#member(id).solo);
    this.#note(id, op, details);
  }

  #deliver(): void {
    // Mostly in order: what overtakes everything every time never lets a leader work.
    const at = this.#chance.roll(0.8) ? 0 : this.#chance.below(this.#network.length);
    const message = this.#network[at];
    if (message === undefined) return;
    if (!this.#chance.roll(0.05)) this.#network.splice(at, 1);
    const lost = this.#cut.has(`${message.from}>${message.to}`) || this.#chance.roll(this.#loss);
    if (lost || !this.#members.has(message.to)) return;
    const details = { message: this.#messageRecord(message) };
    this.#input(message.to, 'message', (solo) => solo.group.step(message), details);
  }

  #campaign(id: MemberId): void {
    // A candidate counts on: only the other implementation would start anew.
    const { role } = this.#member(id).solo.group.status();
    if (role === 'follower') this.#input(id, 'campaign', (solo) => solo.group.campaign());
  }

  #ask(): void {
    const leaders = [...this.#members].filter(([, { solo }]) => solo.group.isLeader);
    if (leaders.length === 0) return;
    const [id, member] = this.#chance.pick(leaders);
    const roll = this.#chance.next();
    this.#counter += 1;
    const value = this.#counter;
    if (roll < 0.5) {
      const result = member.solo.group.propose(EntryType.EVENTS, dataOf(value), 0, 1);
      this.#note(id, 'propose', result.ok ? { value } : { value, refused: result.reason });
    } else if (roll < 0.75) {
      member.unannounced.push(value);
      this.#input(id, 'read', (solo) => solo.group.readIndex(value), { value });
    } else if (roll < 0.93) {
      this.#change(id, member);
    } else {
      const others = member.solo.group.status().config.members.filter((other) => other.id !== id);
      if (others.length === 0) return;
      const to = this.#chance.pick(others).id;
      this.#input(id, 'transfer', (solo) => solo.group.transferLeadership(to), { value: numberOf(to) });
    }
  }

  /** One member other than the leader comes, goes or changes its role. */
  #change(id: MemberId, member: Member): void {
    const current = member.solo.group.status().config;
    const known = [...this.#members.keys()].filter((other) => other !== id);
    if (known.length === 0) return;
    const subject = this.#chance.pick(known);
    const change = this.#chance.pick(['voter', 'voter', 'learner', 'remove'] as const);
    const rest = current.members.filter((other) => other.id !== subject);
    const role = change === 'voter' ? ('PRIMARY' as const) : ('PASSIVE_BACKUP' as const);
    const members = change === 'remove' ? rest : [...rest, { id: subject, role }];
    const before = current.members.find((other) => other.id === subject)?.role;
    if (before === (change === 'remove' ? undefined : role)) return;
    const result = member.solo.group.proposeConfig({ members, minActiveBackups: 0 });
    const details = { value: numberOf(subject), change };
    this.#note(id, 'config', result.ok ? details : { ...details, refused: result.reason });
  }

  #part(id: MemberId): void {
    for (const other of this.#members.keys()) {
      if (this.#chance.roll(0.7)) this.#cut.add(`${id}>${other}`);
      if (this.#chance.roll(0.7)) this.#cut.add(`${other}>${id}`);
    }
  }

  #restart(id: MemberId): void {
    const { solo } = this.#member(id);
    const bootstrap = this.#bootstrap.members.some((member) => member.id === id) ? this.#bootstrap : config('');
    this.#start(id, bootstrap, solo.log, solo.hardState);
  }

  // -- records ------------------------------------------------------------------------------------------------------------

  /** Carries out what the input caused and writes it down. */
  #note(id: MemberId, op: StepRecord['op'], details: Details): void {
    const member = this.#member(id);
    const sent = member.solo.flush();
    this.#noteReads(id, member, sent);
    for (const message of sent) if (this.#network.length < NETWORK_MAX) this.#network.push(message);
    const reads = member.solo.readStates
      .slice(member.readStatesSeen)
      .map(({ token, index }) => [token, index] as const);
    member.readStatesSeen = member.solo.readStates.length;
    const state = stateRecord(member.solo);
    const records = sent.map((message) => this.#messageRecord(message));
    this.#steps.push({ node: numberOf(id), op, ...details, sent: records, reads, state });
    const campaigns = state.role !== 'follower' && !state.members.voters.includes(numberOf(id));
    if (campaigns) this.#ended = 'campaigns under the configuration before (thesis §4.2.2)';
  }

  #noteReads(id: MemberId, member: Member, sent: readonly Message[]): void {
    const { group } = member.solo;
    if (!group.isLeader) member.unannounced = [];
    for (const message of sent) {
      if (message.type !== 'heartbeat' || message.readSeq === 0) continue;
      const key = `${numberOf(id)}/${message.term}/${message.readSeq}`;
      const newest = member.unannounced[member.unannounced.length - 1];
      if (newest !== undefined && !this.#readOf.has(key)) {
        this.#readOf.set(key, newest);
        member.unannounced = [];
      }
    }
  }

  #messageRecord(message: Message): MessageRecord {
    const { type, term } = message;
    const base = { type, from: numberOf(message.from), to: numberOf(message.to), term };
    const read = (leader: MemberId, counter: number) => this.#readOf.get(`${numberOf(leader)}/${term}/${counter}`) ?? 0;
    switch (message.type) {
      case 'pre-vote':
        return { ...base, index: message.lastIndex, logTerm: message.lastTerm };
      case 'vote':
        return { ...base, index: message.lastIndex, logTerm: message.lastTerm, transfer: message.transfer };
      case 'pre-vote-response':
      case 'vote-response':
        return { ...base, granted: message.granted };
      case 'append': {
        const entries = message.entries.map(entryRecord);
        return { ...base, index: message.prevIndex, logTerm: message.prevTerm, commit: message.commit, entries };
      }
      case 'append-response': {
        const { reject, matchIndex, hintIndex, hintTerm } = message;
        return { ...base, index: matchIndex, reject, hint: hintIndex, hintTerm };
      }
      case 'heartbeat':
        return { ...base, commit: message.commit, read: read(message.from, message.readSeq) };
      case 'heartbeat-response':
        return { ...base, read: read(message.to, message.readSeq) };
      case 'timeout-now':
        return base;
    }
  }
}

function dataOf(value: number): Uint8Array {
  return Uint8Array.of(value >> 16, (value >> 8) & 0xff, value & 0xff);
}

function entryRecord(entry: Entry): EntryRecord {
  if (entry.type === EntryType.CONFIG)
    return { term: entry.term, data: 0, config: membersRecord(decodeConfig(entry.data)) };
  const [high = 0, middle = 0, low = 0] = entry.data;
  return { term: entry.term, data: (high << 16) | (middle << 8) | low };
}

function membersRecord({ members }: GroupConfig): MembersRecord {
  const of = (primary: boolean) =>
    members.filter((each) => (each.role === 'PRIMARY') === primary).map((each) => numberOf(each.id));
  return { voters: of(true), learners: of(false) };
}

function stateRecord(solo: Solo): StateRecord {
  const status = solo.group.status();
  return {
    role: status.role,
    term: status.term,
    vote: numberOf(status.vote),
    lead: numberOf(status.leader),
    commit: status.commit,
    last: status.lastIndex,
    lastTerm: solo.log[status.lastIndex - 1]?.term ?? 0,
    elapsed: status.electionElapsedTicks,
    timeout: status.electionTimeoutTicks,
    members: membersRecord(status.config),
    match: Object.fromEntries(status.progress.map((peer) => [numberOf(peer.id), peer.match])),
  };
}

export function makeSchedule(seed: number): Schedule {
  return new Scheduler(seed).run(seed);
}
