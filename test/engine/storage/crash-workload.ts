// What a store is asked for while crashes are tried, what it has confirmed meanwhile, and whether a log found afterwards is allowed.
import assert from 'node:assert/strict';
import path from 'node:path';
import type { GroupStore, HardState } from '../../../engine/storage/api.ts';
import type { Disk } from '../../../engine/storage/disk.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { HardStates } from '../../../engine/storage/hard-states.ts';
import { appendEvent, logOf, openStore, plainEntry, snapshotEntry } from './fixtures.ts';

export const SEGMENT = { segmentBytes: 4096 };
export const GROUP = 1;
export const votesIn = (dir: string): string => path.join(dir, 'votes');

/** What the workload has asked for and been told; the newest mark counts. */
export interface Told {
  /** The log as of the last flush that resolved, then every state that it has been in since. */
  readonly logs: readonly (readonly string[])[];
  /** The same for term and vote; empty before the files are there. */
  readonly votes: readonly (HardState | undefined)[];
}

/** Where the workload goes on, and who hears what it has been told. */
export interface MarkedDisk extends Disk {
  mark(told: Told): void;
}

/** Appends, rolls, cuts, restarts and votes, the same for the same `next`. */
export class Workload {
  readonly disk: MarkedDisk;
  readonly #next: () => number;
  readonly #dir: string;
  #store!: GroupStore;
  #votes!: HardStates;
  #term = 1;
  #told: Told = { logs: [[]], votes: [] };

  constructor(disk: MarkedDisk, next: () => number, dir = '/data') {
    this.disk = disk;
    this.#next = next;
    this.#dir = dir;
  }

  async run(): Promise<void> {
    this.#tell({});
    await this.#openVotes();
    this.#store = (await openStore(this.disk, this.#dir, SEGMENT)).store;
    await this.#write(2);
    await this.#vote();
    // On over the end of the segment, twice, votes meanwhile.
    for (let i = 0; i < 5; i += 1) await Promise.all([this.#write(3), this.#vote()]);
    this.#store.setCommitted(4);
    // Cuts: within the last segment, at a batch, across segments, and one while a flush runs.
    await this.#cut(1);
    await this.#cut(3);
    await this.#reopen();
    await this.#write(4);
    await this.#cut(9);
    const running = this.#write(3);
    await this.#cut(2);
    await running;
    await this.#reopen();
    await Promise.all([this.#write(4), this.#vote()]);
    await this.#store.close();
  }

  /** Every kind of step once: for runs that cost a process each. */
  async runShort(): Promise<void> {
    this.#tell({});
    await this.#openVotes();
    this.#store = (await openStore(this.disk, this.#dir, SEGMENT)).store;
    await Promise.all([this.#write(4), this.#vote()]);
    await this.#write(5);
    await this.#cut(1);
    await this.#write(5);
    await this.#cut(6);
    await Promise.all([this.#reopen(), this.#vote()]);
    await this.#write(1);
    await this.#store.close();
  }

  #tell(change: Partial<Told>): void {
    this.#told = { ...this.#told, ...change };
    this.disk.mark(this.#told);
  }

  #changed(): void {
    this.#tell({ logs: [...this.#told.logs, logOf(this.#store)] });
  }

  async #flush(): Promise<void> {
    const asked = this.#told.logs.at(-1);
    await this.#store.flush();
    const { logs } = this.#told;
    this.#tell({ logs: logs.slice(Math.max(0, logs.indexOf(asked!))) });
  }

  #write(entries: number): Promise<void> {
    for (let i = 0; i < entries; i += 1) {
      const choice = this.#next();
      const store = this.#store;
      if (choice < 0.1) store.append([snapshotEntry(store, this.#term, { id: 's', sequence: 1 })]);
      else if (choice < 0.2) store.append([plainEntry(store, this.#term, FrameType.CONFIG, Buffer.from('config'))]);
      else appendEvent(store, this.#term, 40 + Math.floor(this.#next() * 300));
      this.#changed();
    }
    return this.#flush();
  }

  async #cut(entries: number): Promise<void> {
    this.#term += 1;
    const { committedIndex } = this.#store;
    this.#store.truncateFrom(Math.max(committedIndex + 1, this.#store.lastIndex() - entries + 1));
    this.#changed();
    await this.#write(2);
  }

  async #reopen(): Promise<void> {
    const log = logOf(this.#store);
    const committed = this.#store.committedIndex;
    await this.#store.close();
    this.#store = (await openStore(this.disk, this.#dir, SEGMENT)).store;
    assert.deepEqual(logOf(this.#store), log);
    this.#store.setCommitted(committed);
    this.#tell({ logs: [log] });
  }

  async #openVotes(): Promise<void> {
    const dir = votesIn(this.#dir);
    this.disk.makeDirectory(dir);
    await HardStates.create(this.disk, dir);
    await this.disk.syncDirectory(dir);
    this.#votes = HardStates.open(this.disk, dir);
    this.#tell({ votes: [undefined] });
  }

  async #vote(): Promise<void> {
    this.#term += 1;
    const state: HardState = { term: this.#term, vote: `node-${this.#term % 3}`, commit: 0 };
    this.#tell({ votes: [...this.#told.votes, state] });
    await this.#votes.save(GROUP, state);
    this.#tell({ votes: this.#told.votes.slice(this.#told.votes.indexOf(state)) });
  }
}

/** Why what was found after a crash may not be; null when it may. */
export function objection(told: Told, log: readonly string[], vote: HardState | undefined): string | null {
  if (!told.logs.some((state) => isPrefix(log, state))) return 'a log that never was';
  if (log.length < keptAtLeast(told.logs)) return `${log.length} entries, confirmed ones are gone`;
  const text = JSON.stringify(vote ?? null);
  const allowed = told.votes.map((state) => JSON.stringify(state ?? null));
  return allowed.length === 0 || allowed.includes(text) ? null : `vote ${text}, not one of ${allowed.join(' ')}`;
}

const isPrefix = (short: readonly string[], long: readonly string[]) => short.every((entry, i) => long[i] === entry);

/** Entries of the confirmed log that no cut has been asked to drop since. */
function keptAtLeast([confirmed = [], ...since]: Told['logs']): number {
  const shared = since.map((log) => {
    const at = confirmed.findIndex((entry, i) => log[i] !== entry);
    return at === -1 ? confirmed.length : at;
  });
  return Math.min(confirmed.length, ...shared);
}
