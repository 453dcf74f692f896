// One simulated process with the real storage: data folder, hard states, segments, recovery, indexes, and the real replica loop
// with its check of sequences; only disk, network, clock and turns are simulated.
import { Replica } from '../../engine/context/replica.ts';
import { decodeConfig } from '../../engine/raft/membership.ts';
import { RaftGroup } from '../../engine/raft/raft.ts';
import type { Entry, GroupConfig, HardState, MemberId, Message, RaftOptions } from '../../engine/raft/types.ts';
import type { GroupStore, NodeStore } from '../../engine/storage/api.ts';
import { StorageError } from '../../engine/storage/errors.ts';
import { openGroupStore } from '../../engine/storage/group-store.ts';
import { HardStates } from '../../engine/storage/hard-states.ts';
import { openNodeStore } from '../../engine/storage/node-store.ts';
import { keepNothing, keepSectors, MemoryDisk, systemError } from '../engine/storage/memory-disk.ts';
import type { Chance } from './chance.ts';
import type { CheckedNode, Checker } from './checker.ts';
import type { SimLoop } from './sim-loop.ts';
import { TIMING } from './sim-node.ts';

export const TICK_MS = 10;
const DIR = '/data';
/** Every call that may change what a core has committed. */
const CORE_INPUTS = ['tick', 'step', 'onPersisted', 'campaign', 'stepDown', 'forgetLeader', 'setDuty'] as const;
const NO_STATE: HardState = { term: 0, vote: null, commit: 0 };
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface StoreWeather {
  /** Longest wait for the disk in ms. */
  diskMsMax: number;
  segmentBytes: number;
  readonly appendBytesMax: number;
}

export interface StoreNodeDeps {
  readonly loop: SimLoop;
  readonly chance: Chance;
  readonly weather: StoreWeather;
  readonly bootstrap: GroupConfig;
  readonly send: (node: StoreNode, messages: readonly Message[]) => void;
  readonly log: (line: string) => void;
}

export class StoreNode implements CheckedNode {
  readonly id: MemberId;
  readonly #deps: StoreNodeDeps;
  #disk = new MemoryDisk();
  #life = 0;
  state: 'down' | 'starting' | 'up' | 'lost' = 'down';
  paused = false;
  replica: Replica | null = null;
  store: GroupStore | null = null;
  group: RaftGroup | null = null;
  checker: Checker | null = null;
  commitSeen = 0;
  leadingTerm = -1;
  #commitTold = 0;
  /** What the last crash left for certain; what the running store calls durable. */
  #durableTerms: number[] = [];
  durableHardState: HardState = NO_STATE;
  #syncErrorAt = Number.POSITIVE_INFINITY;
  #full = false;
  /** Sync errors and full disks may end the process: told to the cluster. */
  onExit: (() => void) | null = null;

  constructor(id: MemberId, deps: StoreNodeDeps) {
    this.id = id;
    this.#deps = deps;
  }

  get owner(): string {
    return `${this.id}#${this.#life}`;
  }

  get running(): boolean {
    return this.state === 'up' && !this.paused;
  }

  get held(): number {
    return this.store?.lastIndex() ?? this.#durableTerms.length;
  }

  heldEntry(index: number): Entry | undefined {
    return index > this.held ? undefined : this.store?.entries(index, index, 1)[0];
  }

  heldTerm(index: number): number | undefined {
    return this.store === null ? this.#durableTerms[index - 1] : this.store.termAt(index);
  }

  get durableIndex(): number {
    return this.store?.durableIndex ?? this.#durableTerms.length;
  }

  durableTerm(index: number): number | undefined {
    return index > this.durableIndex ? undefined : this.heldTerm(index);
  }

  // -- faults of the disk -------------------------------------------------------------------------------------------------

  /** The next sync within a while fails: the process must end without confirming anything that it covered. */
  failSyncs(): void {
    this.#syncErrorAt = this.#disk.syncs + this.#deps.chance.between(1, 6);
  }

  fillDisk(full: boolean): void {
    this.#full = full;
  }

  clearFaults(): void {
    this.#syncErrorAt = Number.POSITIVE_INFINITY;
  }

  #armDisk(): void {
    const { loop, chance, weather } = this.#deps;
    const { faults } = this.#disk;
    faults.wait = () => loop.wait(chance.below(weather.diskMsMax + 1));
    faults.onSync = (count) => {
      if (count >= this.#syncErrorAt) throw systemError('EIO');
    };
    faults.onWrite = () => {
      if (this.#full) throw systemError('ENOSPC');
    };
  }

  // -- life ---------------------------------------------------------------------------------------------------------------

  start(): void {
    const { loop } = this.#deps;
    this.state = 'starting';
    this.paused = false;
    this.#life += 1;
    this.#syncErrorAt = Number.POSITIVE_INFINITY;
    this.#disk.restart();
    this.#armDisk();
    // A lock names a process by its number: the dead one here had that of the process that runs the simulation.
    this.#disk.unlink(`${DIR}/node.lock`);
    const life = this.#life;
    loop.schedule(0, this.owner, () => {
      void this.#open(life).catch((error: unknown) => {
        if (life === this.#life && error instanceof StorageError) this.#openFailed(error);
        else throw error;
      });
    });
  }

  #openFailed(error: StorageError): void {
    this.#deps.log(`${this.id} does not start: ${error.code} ${error.message}`);
    if (error.code === 'DISK_FULL' || error.code === 'DISK_FAILED') this.onExit?.();
    else this.checker?.fail('recovery', `${this.id}: ${error.message}`);
  }

  async #open(life: number): Promise<void> {
    const { weather, bootstrap, chance } = this.#deps;
    const node = await openNodeStore({ dir: DIR, nodeName: 'node', log: () => {}, disk: this.#disk });
    const onFatal = (error: Error) => {
      if (life === this.#life) this.#fatal(error);
    };
    const store = await this.#openStore(node, this.#disk, onFatal);
    this.#checkPromise(store, node.hardState(1) ?? NO_STATE);
    this.store = store;
    const hardState = node.hardState(1) ?? NO_STATE;
    this.durableHardState = hardState;
    this.#commitTold = 0;
    this.commitSeen = 0;
    this.leadingTerm = -1;
    this.group = this.#judged({
      group: 1,
      self: this.id,
      bootstrap,
      configs: store.configEntries().map(({ index, data }) => ({ index, config: decodeConfig(data) })),
      hardState,
      log: store,
      timing: TIMING,
      random: () => chance.next(),
      appendBytesMax: weather.appendBytesMax,
      inflightMessagesMax: 8,
      inflightBytesMax: 16_384,
      uncommittedBytesMax: 65_536,
    });
    this.replica = new Replica({
      env: { now: () => this.#deps.loop.now, wallClock: () => 0, random: () => chance.next(), log: quiet },
      context: 'sim',
      group: 1,
      store,
      node: this.#watched(node),
      raft: this.group,
      send: (messages) => this.#sent(messages),
      apply: null,
      onFatal,
    });
    this.state = 'up';
    this.#deps.log(`${this.id} up with ${store.lastIndex()} entries, term ${hardState.term}`);
    this.tick(life);
  }

  /**
   * A core that is judged directly after each of its inputs, also those that come from a finished write: a quorum is one of the
   * configuration in force at the commit, and that may be replaced a turn later (seed 80).
   */
  #judged(options: RaftOptions): RaftGroup {
    const group = new RaftGroup(options);
    for (const name of CORE_INPUTS) {
      const input = group[name].bind(group) as (...given: unknown[]) => void;
      Object.defineProperty(group, name, {
        value: (...given: unknown[]) => {
          input(...given);
          if (this.group === group) this.checker?.afterInput(this);
        },
      });
    }
    return group;
  }

  #openStore(node: NodeStore, disk: MemoryDisk, onFatal: (error: Error) => void): Promise<GroupStore> {
    const { segmentBytes } = this.#deps.weather;
    return openGroupStore({
      node,
      group: 1,
      folder: 'sim',
      segmentBytes,
      durability: 'fsync',
      indexEvents: true,
      log: () => {},
      onFatal,
      disk,
    });
  }

  /** Notes hard states once they are durable. */
  #watched(node: NodeStore): NodeStore {
    const saveHardState = async (group: number, state: HardState) => {
      await node.saveHardState(group, state);
      this.durableHardState = state;
    };
    return { dir: node.dir, hardState: (group: number) => node.hardState(group), saveHardState } as NodeStore;
  }

  tick(life: number): void {
    const { loop } = this.#deps;
    loop.schedule(TICK_MS, this.owner, () => {
      if (life !== this.#life) return;
      this.input((replica) => replica.tick());
      this.tick(life);
    });
  }

  /** One call into the replica, then the checks. */
  input(action: (replica: Replica) => void): void {
    if (this.replica === null || this.state !== 'up') return;
    action(this.replica);
    this.check();
  }

  check(): void {
    if (this.group === null) return;
    const commit = this.store?.committedIndex ?? 0;
    if (commit > this.#commitTold) {
      this.checker?.commitTold(this, this.#commitTold, commit);
      this.#commitTold = commit;
    }
  }

  #sent(messages: readonly Message[]): void {
    for (const message of messages) this.checker?.messageSent(this, message);
    this.#deps.send(this, messages);
  }

  #fatal(error: Error): void {
    if (!(error instanceof StorageError)) throw error;
    this.#deps.log(`${this.id} ends: ${error.message}`);
    this.onExit?.();
  }

  /** What was durable must be found again by recovery: no confirmed entry and no vote is ever forgotten (I16, storage §8). */
  #checkPromise(store: GroupStore, state: HardState): void {
    const terms = this.#durableTerms;
    const lost = terms.findIndex((term, position) => store.termAt(position + 1) !== term);
    if (lost >= 0) this.checker?.fail('I16', `${this.id} lost durable entry ${lost + 1} of ${terms.length}`);
    const { term, vote } = this.durableHardState;
    if (state.term < term || (state.term === term && vote !== null && state.vote !== vote))
      this.checker?.fail('vote', `${this.id} forgot its vote of term ${term}: ${JSON.stringify(state)}`);
  }

  #forget(): void {
    this.#life += 1;
    this.state = 'down';
    this.paused = false;
    this.replica = null;
    this.group = null;
    this.store = null;
    this.#full = false;
  }

  /** The process is gone at once. `power`: so is what was not synced, in part or garbled. */
  async crash(power: boolean): Promise<void> {
    const { loop, chance } = this.#deps;
    loop.thaw(this.owner);
    if (this.store !== null) {
      const { store } = this;
      // The store may have been cut since: what counts is what it calls durable now.
      this.#durableTerms = Array.from({ length: store.durableIndex }, (_none, position) => store.termAt(position + 1)!);
    }
    this.#disk.halt();
    const wasUp = this.state === 'up';
    this.#forget();
    if (wasUp) await this.#checkWorstCase();
    if (!power) return;
    const garble = (bytes: Buffer) => {
      if (chance.roll(0.8)) return bytes;
      const spoiled = Buffer.from(bytes);
      for (let at = 0; at < spoiled.length; at += 1) if (chance.roll(0.3)) spoiled[at] = chance.below(256);
      return spoiled;
    };
    this.#disk = this.#disk.crash(
      keepSectors(() => chance.next()),
      chance.roll(0.5),
      garble,
    );
  }

  /** Recovery from the least that the disk may hold, on a copy. */
  async #checkWorstCase(): Promise<void> {
    const worst = this.#disk.crash(keepNothing, false);
    worst.unlink(`${DIR}/node.lock`);
    await this.#deps.loop.aside(`aside-${this.id}`, async () => {
      const states = HardStates.open(worst, DIR);
      const store = await this.#openStore({ dir: DIR } as NodeStore, worst, () => {});
      this.#checkPromise(store, states.get(1) ?? NO_STATE);
    });
  }

  pause(): void {
    this.paused = true;
    this.#deps.loop.freeze(this.owner);
  }

  resume(): void {
    this.paused = false;
    this.#deps.loop.thaw(this.owner);
  }

  /** Flips a bit of a stored frame of a process that is down; false when there is none yet. */
  flipBit(): boolean {
    const { chance } = this.#deps;
    const segments = this.#disk.paths().filter((name) => name.endsWith('.seg'));
    const sealed = segments.slice(0, -1);
    if (sealed.length === 0) return false;
    const name = chance.pick(sealed);
    const content = this.#disk.content(name);
    let used = content.length;
    while (used > 0 && content[used - 1] === 0) used -= 1;
    if (used < 128) return false;
    const at = 64 + chance.below(used - 64);
    content[at] = content[at]! ^ (1 << chance.below(8));
    this.#disk.put(name, content);
    this.#deps.log(`bit flip in ${this.id} ${name} at ${at}`);
    return true;
  }

  /** After damage: recovery must refuse, say that entries are missing, or come to the same log; never a silently shorter one. */
  async expectRefusalOrWhole(): Promise<void> {
    const copy = this.#disk.copy();
    try {
      await this.#deps.loop.aside(`aside-${this.id}`, async () => {
        const store = await this.#openStore({ dir: DIR } as NodeStore, copy, () => {});
        if (store.damage === null) this.#checkPromise(store, this.durableHardState);
      });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (error.code !== 'DATA_DAMAGED') this.checker?.fail('damage', `${this.id}: ${error.code}`);
    }
    this.state = 'lost';
  }
}
