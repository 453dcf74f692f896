// One simulated member: a core, its host loop, and a disk that loses what was not synced when the power goes.
import { decodeConfig } from '../../engine/raft/membership.ts';
import { RaftGroup } from '../../engine/raft/raft.ts';
import {
  type Entry,
  EntryType,
  type GroupConfig,
  type HardState,
  type MemberId,
  type Message,
  type Ready,
} from '../../engine/raft/types.ts';
import type { Chance } from './chance.ts';
import type { CheckedNode, Checker } from './checker.ts';

export const TIMING = { heartbeatTicks: 3, electionTicksMin: 10, electionTicksMax: 20 };

export interface NodeSettings {
  /** Ticks a sync may take. */
  persistTicksMax: number;
  /** The log reader shows synced entries only, instead of everything handed over. Both are allowed to hosts. */
  readonly lazyReader: boolean;
  readonly appendBytesMax: number;
  readonly inflightMessagesMax: number;
}

interface PersistUnderWay {
  readonly ready: Ready;
  readonly dueAt: number;
}

export class SimNode implements CheckedNode {
  readonly id: MemberId;
  readonly disk: { hardState: HardState; log: Entry[] } = { hardState: { term: 0, vote: null, commit: 0 }, log: [] };
  /** The log as the host has it in memory; what is not on the disk yet is lost by a crash. */
  memory: Entry[] = [];
  group: RaftGroup | null = null;
  paused = false;
  /** Messages that arrived while paused. */
  inbox: Message[] = [];
  commitSeen = 0;
  leadingTerm = -1;
  #commitTold = 0;
  #underWay: PersistUnderWay[] = [];
  readonly #bootstrap: GroupConfig;
  readonly #settings: NodeSettings;
  readonly #chance: Chance;
  readonly #send: (message: Message) => void;
  checker: Checker | null = null;

  constructor(
    id: MemberId,
    bootstrap: GroupConfig,
    settings: NodeSettings,
    chance: Chance,
    send: (message: Message) => void,
  ) {
    this.id = id;
    this.#bootstrap = bootstrap;
    this.#settings = settings;
    this.#chance = chance;
    this.#send = send;
  }

  get held(): number {
    return this.memory.length;
  }

  heldEntry(index: number): Entry | undefined {
    return this.memory[index - 1];
  }

  heldTerm(index: number): number | undefined {
    return this.memory[index - 1]?.term;
  }

  get durableIndex(): number {
    return this.disk.log.length;
  }

  durableTerm(index: number): number | undefined {
    return this.disk.log[index - 1]?.term;
  }

  get durableHardState(): HardState {
    return this.disk.hardState;
  }

  get running(): boolean {
    return this.group !== null && !this.paused;
  }

  start(): void {
    this.memory = [...this.disk.log];
    this.#underWay = [];
    this.#commitTold = 0;
    this.commitSeen = this.disk.hardState.commit;
    this.leadingTerm = -1;
    this.inbox = [];
    this.paused = false;
    const shown = () => (this.#settings.lazyReader ? this.disk.log : this.memory);
    this.group = new RaftGroup({
      group: 1,
      self: this.id,
      bootstrap: this.#bootstrap,
      configs: this.disk.log
        .filter((entry) => entry.type === EntryType.CONFIG)
        .map((entry) => ({ index: entry.index, config: decodeConfig(entry.data) })),
      hardState: this.disk.hardState,
      log: {
        lastIndex: () => shown().length,
        termAt: (index) => (index === 0 ? 0 : shown()[index - 1]?.term),
        entries: (from, toInclusive, maxBytes) =>
          shown().slice(from - 1, Math.min(toInclusive, from + (maxBytes >> 6))),
      },
      timing: TIMING,
      random: () => this.#chance.next(),
      appendBytesMax: this.#settings.appendBytesMax,
      inflightMessagesMax: this.#settings.inflightMessagesMax,
      inflightBytesMax: 4096,
      uncommittedBytesMax: 16_384,
    });
  }

  /** Everything in memory is lost. Of the writes under way any prefix may have reached the disk, the last one in part. */
  crash(): void {
    for (const { ready } of this.#underWay) {
      const persist = ready.persist;
      if (persist === null || this.#chance.roll(0.4)) break;
      if (persist.hardState !== null) this.disk.hardState = persist.hardState;
      if (this.#chance.roll(0.3)) break;
      if (persist.truncateFrom !== null) this.disk.log.length = persist.truncateFrom - 1;
      const kept = this.#chance.roll(0.5) ? persist.entries.length : this.#chance.below(persist.entries.length + 1);
      this.disk.log.push(...persist.entries.slice(0, kept));
      if (kept < persist.entries.length) break;
    }
    this.group = null;
    this.#underWay = [];
  }

  /** One call into the core, then the checks. */
  input(action: (group: RaftGroup) => void): void {
    if (this.group === null) return;
    action(this.group);
    this.checker?.afterInput(this);
  }

  /** The host loop: take what is ready, write, send. */
  pump(now: number): void {
    this.#finishPersists(now);
    while (this.group?.hasReady()) {
      const ready = this.group.ready();
      if (ready === null) return;
      this.#carryOut(ready, now);
      this.#finishPersists(now);
    }
  }

  #carryOut(ready: Ready, now: number): void {
    const persist = ready.persist;
    if (persist !== null) {
      if (persist.truncateFrom !== null) this.memory.length = persist.truncateFrom - 1;
      const first = persist.entries[0];
      if (first !== undefined && first.index !== this.memory.length + 1) {
        this.checker?.fail('host', `${this.id} is handed ${first.index} after ${this.memory.length}`);
      }
      this.checker?.entriesWritten(this, persist.entries, this.memory[this.memory.length - 1]?.term ?? 0);
      this.memory.push(...persist.entries);
      this.#underWay.push({ ready, dueAt: now + this.#chance.below(this.#settings.persistTicksMax + 1) });
    } else if (ready.sendAfterPersist.length > 0) {
      this.checker?.fail('host', 'messages wait for a write that does not exist');
    }
    if (ready.commit < this.#commitTold) this.checker?.fail('host', `${this.id}: commit fell to ${ready.commit}`);
    this.checker?.commitTold(this, this.#commitTold, ready.commit);
    this.#commitTold = ready.commit;
    for (const { token, index } of ready.readStates) this.checker?.readConfirmed(this, token, index);
    this.#sendAll(ready.sendNow);
  }

  #finishPersists(now: number): void {
    for (let first = this.#underWay[0]; first !== undefined && first.dueAt <= now; first = this.#underWay[0]) {
      this.#underWay.shift();
      const persist = first.ready.persist;
      if (persist === null) continue;
      if (persist.hardState !== null) this.disk.hardState = persist.hardState;
      if (persist.truncateFrom !== null) this.disk.log.length = persist.truncateFrom - 1;
      this.disk.log.push(...persist.entries);
      this.input((group) => group.onPersisted(first.ready.seq));
      this.#sendAll(first.ready.sendAfterPersist);
    }
  }

  #sendAll(messages: readonly Message[]): void {
    for (const message of messages) {
      this.checker?.messageSent(this, message);
      this.#send(message);
    }
  }
}
