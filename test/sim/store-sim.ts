// The whole below the client API, simulated: real cores, replicas, log format and event store of several nodes over disks that
// lose, garble and refuse, a network that loses, doubles, delays and parts, processes that stop, freeze and end at any step.
import { decodeRaftMessages, encodeRaftMessages } from '../../engine/peer/raft-codec.ts';
import type { GroupConfig, Member, Message, StoringRole } from '../../engine/raft/types.ts';
import { Chance } from './chance.ts';
import { Checker, SafetyError } from './checker.ts';
import { LivenessError } from './cluster-sim.ts';
import { SimLoop } from './sim-loop.ts';
import { History } from './store-history.ts';
import { StoreNode, TICK_MS } from './store-node.ts';

const FAULT_MS = 6000;
const STEP_MS = 10;
const HEAL_MS_MAX = 30_000;
const RESTART_MS_MAX = 800;
const ROLES: readonly StoringRole[] = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'];

export interface StoreSimResult {
  readonly traceHash: number;
  readonly committed: number;
  readonly elections: number;
  readonly reads: number;
  readonly configChanges: number;
  readonly messages: number;
  readonly confirmed: number;
  readonly refused: number;
  readonly crashes: number;
  readonly damaged: number;
}

interface Marked {
  readonly node: StoreNode;
  readonly index: number;
  readonly term: number;
}

export class StoreSim {
  readonly #chance: Chance;
  readonly #loop: SimLoop;
  readonly #nodes: StoreNode[] = [];
  readonly #checker: Checker;
  readonly #history: History;
  readonly #net;
  readonly #rates;
  readonly #weather;
  readonly #bootstrap: GroupConfig;
  readonly #cut = new Set<string>();
  readonly #trace: ((line: string) => void) | null;
  /** Nodes that ended by themselves and are to be cleared away. */
  readonly #ended = new Set<StoreNode>();
  #messages = 0;
  #crashes = 0;
  #configChanges = 0;
  #damaged = 0;
  #healed = false;

  constructor(seed: number, trace: ((line: string) => void) | null = null) {
    const chance = new Chance(seed);
    this.#chance = chance;
    this.#loop = new SimLoop(seed);
    this.#trace = trace;
    this.#net = {
      loss: chance.pick([0, 0, 0.03, 0.15]),
      duplication: chance.pick([0, 0.05, 0.3]),
      delayMsMax: chance.pick([1, 4, 15, 40]),
    };
    this.#rates = {
      faults: chance.pick([0.005, 0.015, 0.04]),
      appends: chance.pick([0.1, 0.4]),
      configs: chance.pick([0, 0, 0.004, 0.02]),
    };
    this.#weather = {
      diskMsMax: chance.pick([1, 3, 12]),
      segmentBytes: chance.pick([1024, 2048, 8192]),
      appendBytesMax: chance.pick([200, 1000, 8192]),
    };
    const members: Member[] = [];
    const enlist = (role: StoringRole, count: number) => {
      for (let added = 0; added < count; added += 1) members.push({ id: `n${members.length}@s`, role });
    };
    enlist('PRIMARY', chance.pick([1, 3, 3, 3, 5]));
    enlist('ACTIVE_BACKUP', chance.below(3));
    enlist('PASSIVE_BACKUP', chance.below(2));
    this.#bootstrap = { members, minActiveBackups: chance.below(2) };
    for (const { id } of members) this.#add(id, this.#bootstrap);
    if (chance.roll(0.3)) this.#add('x1@s', { members: [], minActiveBackups: 0 });
    this.#checker = new Checker(this.#nodes);
    for (const node of this.#nodes) node.checker = this.#checker;
    this.#history = new History(this.#checker, chance);
    this.#log(`${JSON.stringify(this.#net)} ${JSON.stringify(this.#rates)} ${JSON.stringify(this.#weather)}`);
  }

  #add(id: string, bootstrap: GroupConfig): void {
    const deps = {
      loop: this.#loop,
      chance: this.#chance,
      weather: this.#weather,
      bootstrap,
      send: (node: StoreNode, messages: readonly Message[]) => this.#send(node, messages),
      log: (line: string) => this.#log(line),
    };
    const node = new StoreNode(id, deps);
    node.onExit = () => this.#ended.add(node);
    this.#nodes.push(node);
  }

  /** Simulated ticks of a node so far. */
  get now(): number {
    return this.#loop.now / TICK_MS;
  }

  async run(): Promise<StoreSimResult> {
    this.#loop.install();
    try {
      for (const node of this.#nodes) node.start();
      while (this.#loop.now < FAULT_MS) {
        await this.#disturb();
        this.#work();
        await this.#step();
      }
      await this.#heal();
      await this.#awaitRecovery();
      await this.#finalCheck();
    } finally {
      this.#loop.uninstall();
    }
    const { committed, elections } = this.#checker;
    const { reads, confirmed, refused } = this.#history;
    return {
      traceHash: (this.#loop.hash ^ Math.imul(this.#loop.events, 31)) >>> 0,
      committed: committed.length,
      elections,
      reads,
      configChanges: this.#configChanges,
      messages: this.#messages,
      confirmed,
      refused,
      crashes: this.#crashes,
      damaged: this.#damaged,
    };
  }

  async #step(): Promise<void> {
    await this.#loop.run(STEP_MS);
    for (const node of this.#nodes) node.check();
    for (const node of this.#ended) {
      // After a failed sync the kernel may have dropped what it could not write.
      if (node.state === 'up' || node.state === 'starting') await this.#crash(node, true);
    }
    this.#ended.clear();
  }

  // -- network ------------------------------------------------------------------------------------------------------------

  #send(node: StoreNode, messages: readonly Message[]): void {
    const bytes = encodeRaftMessages(messages);
    // Data are views: a received message must not share memory with the sender.
    for (const message of decodeRaftMessages(bytes)) {
      this.#messages += 1;
      this.#log(() => JSON.stringify(message, (key, value) => (key === 'data' ? undefined : value)));
      if (this.#chance.roll(this.#net.loss) || this.#cut.has(`${node.id}>${message.to}`)) continue;
      const copies = this.#chance.roll(this.#net.duplication) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) this.#carry(message);
    }
  }

  #carry(message: Message): void {
    const target = this.#nodes.find((candidate) => candidate.id === message.to);
    if (target === undefined) return;
    this.#loop.schedule(1 + this.#chance.below(this.#net.delayMsMax), 'world', () => {
      if (this.#cut.has(`${message.from}>${message.to}`) || target.state !== 'up') return;
      // Received by the process itself: a frozen one reads it when it goes on.
      this.#loop.schedule(0, target.owner, () => target.input((replica) => replica.step(message)));
    });
  }

  // -- clients ------------------------------------------------------------------------------------------------------------

  #work(): void {
    const up = this.#nodes.filter((node) => node.running);
    for (const node of up) {
      if (node.replica?.isReadyLeader !== true) continue;
      if (this.#chance.roll(this.#rates.appends)) this.#as(node, () => this.#history.append(node));
      const reader = this.#chance.pick(up);
      if (this.#chance.roll(0.1)) this.#as(node, () => this.#history.read(reader, node));
      if (this.#chance.roll(this.#rates.configs)) this.#as(node, () => this.#changeConfig(node));
      if (this.#chance.roll(0.002)) this.#as(node, () => node.input((replica) => replica.transferLeadership(null)));
    }
    if (up.length > 0 && this.#chance.roll(0.1)) this.#history.follow(this.#chance.pick(up));
  }

  /** A turn of that process. */
  #as(node: StoreNode, action: () => void): void {
    this.#loop.schedule(this.#chance.below(STEP_MS), node.owner, action);
  }

  #changeConfig(node: StoreNode): void {
    const config = node.group?.status().config;
    if (config === undefined) return;
    const members = new Map(config.members.map((member) => [member.id, member.role]));
    const { id } = this.#chance.pick(this.#nodes.filter((each) => each.state !== 'lost'));
    if (members.has(id) && this.#chance.roll(0.3)) members.delete(id);
    else members.set(id, this.#chance.pick(ROLES));
    const next = {
      members: [...members].map(([each, role]) => ({ id: each, role })),
      minActiveBackups: this.#chance.below(2),
    };
    node.input((replica) => {
      if (replica.proposeConfig(next).ok) this.#configChanges += 1;
    });
  }

  // -- faults -------------------------------------------------------------------------------------------------------------

  async #disturb(): Promise<void> {
    if (!this.#chance.roll(this.#rates.faults)) return;
    const leader = this.#nodes.find((candidate) => candidate.replica?.isReadyLeader);
    const node = leader !== undefined && this.#chance.roll(0.3) ? leader : this.#chance.pick(this.#nodes);
    if (node.state === 'lost') return;
    switch (this.#chance.below(11)) {
      case 0:
      case 1:
      case 2:
        await this.#crash(node, this.#chance.roll(0.6));
        break;
      case 3:
        // All at once: every tail may be torn (storage.md §3).
        for (const each of this.#nodes) if (each.state !== 'lost') await this.#crash(each, true);
        break;
      case 4:
        if (node.state !== 'up') break;
        if (node.paused) node.resume();
        else node.pause();
        break;
      case 5:
      case 6:
        this.#partition(node);
        break;
      case 7:
        this.#cut.clear();
        break;
      case 8:
        node.failSyncs();
        break;
      case 9:
        node.fillDisk(true);
        break;
      default:
        await this.#damage(node);
    }
  }

  async #crash(node: StoreNode, power: boolean): Promise<void> {
    if (node.state === 'down') return;
    this.#crashes += 1;
    this.#log(`crash ${node.id} ${power ? 'with its power' : ''}`);
    await node.crash(power);
    if (this.#healed) node.start();
    else
      this.#loop.schedule(this.#chance.below(RESTART_MS_MAX), 'world', () => {
        if (node.state === 'down') node.start();
      });
  }

  /** A stored bit turns over while the process is down; at most as many members are lost as the group can spare. */
  async #damage(node: StoreNode): Promise<void> {
    const of = (role: StoringRole) => this.#bootstrap.members.filter((member) => member.role === role).length;
    const role = this.#bootstrap.members.find((member) => member.id === node.id)?.role;
    const lost = this.#nodes.filter((each) => each.state === 'lost').length;
    const spare =
      role === 'PRIMARY' ? Math.floor((of('PRIMARY') - 1) / 2) : of('ACTIVE_BACKUP') - this.#bootstrap.minActiveBackups;
    if (this.#rates.configs > 0 || role === undefined || lost >= spare) return;
    if (node.state !== 'down') {
      this.#crashes += 1;
      await node.crash(false);
    }
    if (!node.flipBit()) return;
    this.#damaged += 1;
    await node.expectRefusalOrWhole();
  }

  #partition(target: StoreNode): void {
    const shape = this.#chance.below(3);
    const side = new Set(this.#nodes.filter(() => this.#chance.roll(0.5)).map((node) => node.id));
    for (const from of this.#nodes) {
      for (const to of this.#nodes) {
        const alone = from === target || to === target;
        const across = side.has(from.id) !== side.has(to.id);
        if (shape === 0 ? alone : shape === 1 ? across : this.#chance.roll(0.3)) this.#cut.add(`${from.id}>${to.id}`);
      }
    }
  }

  // -- the end ------------------------------------------------------------------------------------------------------------

  async #heal(): Promise<void> {
    this.#log('heal');
    this.#healed = true;
    this.#cut.clear();
    Object.assign(this.#net, { loss: 0, duplication: 0, delayMsMax: 2 });
    this.#weather.diskMsMax = Math.min(this.#weather.diskMsMax, 2);
    for (const node of this.#nodes) {
      if (node.paused) node.resume();
      node.fillDisk(false);
      node.clearFaults();
      if (node.state === 'down') node.start();
    }
  }

  async #awaitRecovery(): Promise<void> {
    const limit = this.#loop.now + HEAL_MS_MAX;
    let marked: Marked | null = null;
    while (this.#loop.now < limit) {
      await this.#step();
      const leader = this.#nodes.find((node) => node.replica?.isReadyLeader);
      if (leader?.group === undefined || leader.group === null) continue;
      const { term } = leader.group;
      if (marked === null || marked.node !== leader || marked.term !== term) {
        this.#loop.owner = leader.owner;
        this.#history.append(leader);
        this.#loop.owner = 'world';
        marked = { node: leader, index: leader.held, term };
        continue;
      }
      const ids = leader.group.status().config.members.map((member) => member.id);
      const { index } = marked;
      if (this.#nodes.every((node) => node.state === 'lost' || !ids.includes(node.id) || node.commitSeen >= index))
        return;
    }
    const states = this.#nodes.map((node) => `${node.id} ${node.state} ${JSON.stringify(node.group?.status())}`);
    throw new LivenessError(`I15: not recovered ${HEAL_MS_MAX} ms after healing:\n${states.join('\n')}`);
  }

  async #finalCheck(): Promise<void> {
    const leader = this.#nodes.find((node) => node.replica?.isReadyLeader);
    if (leader?.store === null || leader?.group === undefined || leader.group === null)
      throw new LivenessError('I15: the leader is gone again');
    await this.#loop.run(500);
    const index = leader.commitSeen;
    const digest = await this.#loop.aside('aside', () => leader.store!.digest(index));
    for (const node of this.#nodes) {
      if (node.store === null) continue;
      const shared = Math.min(index, node.store.committedIndex);
      const own = await this.#loop.aside('aside', () => node.store!.digest(shared));
      const truth = shared === index ? digest : await this.#loop.aside('aside', () => leader.store!.digest(shared));
      if (own !== truth) throw new SafetyError(`I10: ${node.id} differs from ${leader.id} up to entry ${shared}`);
      if (shared === index) this.#history.finalCheck(node);
    }
  }

  #log(line: string | (() => string)): void {
    if (this.#trace !== null) this.#trace(`${this.#loop.now} ${typeof line === 'string' ? line : line()}`);
  }
}
