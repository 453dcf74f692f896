// A cluster of real cores in one thread: simulated clock, network and disks, faults drawn from a seed.
// First a phase of faults in which nothing may ever go wrong, then a healed phase in which everything must work again (I15).
import { EntryType, type GroupConfig, type Member, type Message, type StoringRole } from '../../engine/raft/types.ts';
import { Chance } from './chance.ts';
import { Checker } from './checker.ts';
import { SimNode, TIMING } from './sim-node.ts';

const FAULT_TICKS = 900;
/** After healing: a ready leader and equal logs within this many ticks, plus a few per entry to catch up with. */
const HEAL_TICKS_MAX = 30 * TIMING.electionTicksMax;
const HEAL_TICKS_PER_ENTRY = 6;
const STABLE_TICKS = 5 * TIMING.electionTicksMax;

export class LivenessError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LivenessError';
  }
}

export interface SimResult {
  readonly traceHash: number;
  readonly committed: number;
  readonly elections: number;
  readonly reads: number;
  readonly configChanges: number;
  readonly messages: number;
}

interface Weather {
  loss: number;
  duplication: number;
  delayTicksMax: number;
  /** Probability per tick of some fault beginning or ending. */
  readonly faults: number;
  readonly configChanges: number;
  readonly proposals: number;
}

export class ClusterSim {
  readonly chance: Chance;
  readonly nodes: SimNode[] = [];
  readonly checker: Checker;
  now = 0;
  readonly #weather: Weather;
  readonly #bootstrap: GroupConfig;
  readonly #settings;
  /** Messages by the tick they arrive at. */
  readonly #network = new Map<number, Message[]>();
  /** Directed links that carry nothing: `from>to`. */
  readonly #cut = new Set<string>();
  readonly #trace: ((line: string) => void) | null;
  #hash = 0;
  #messages = 0;
  #tokens = 0;
  #configChanges = 0;

  constructor(seed: number, trace: ((line: string) => void) | null = null) {
    this.chance = new Chance(seed);
    const chance = this.chance;
    this.#trace = trace;
    this.#weather = {
      loss: chance.pick([0, 0, 0.02, 0.1, 0.25]),
      duplication: chance.pick([0, 0, 0.05, 0.3]),
      delayTicksMax: chance.pick([0, 1, 3, 8]),
      faults: chance.pick([0.01, 0.03, 0.08]),
      configChanges: chance.pick([0, 0.01, 0.04, 0.1]),
      proposals: chance.pick([0.05, 0.3, 0.8]),
    };
    this.#settings = {
      persistTicksMax: chance.pick([0, 1, 4, 10]),
      lazyReader: chance.roll(0.5),
      appendBytesMax: chance.pick([100, 512, 4096]),
      inflightMessagesMax: chance.pick([1, 3, 16]),
    };
    const members: Member[] = [];
    const enlist = (role: StoringRole, count: number) => {
      for (let added = 0; added < count; added += 1) members.push({ id: `n${members.length}@s`, role });
    };
    enlist('PRIMARY', chance.between(1, 5));
    enlist('ACTIVE_BACKUP', chance.below(3));
    enlist('PASSIVE_BACKUP', chance.below(3));
    const bootstrap: GroupConfig = { members: [...members], minActiveBackups: chance.below(3) };
    this.#bootstrap = bootstrap;
    for (const { id } of members) this.#addNode(id, bootstrap);
    // Spares know nothing of the group until a leader tells them.
    for (let spare = chance.below(3); spare > 0; spare -= 1)
      this.#addNode(`x${spare}@s`, { members: [], minActiveBackups: 0 });
    this.checker = new Checker(this.nodes);
    for (const node of this.nodes) node.checker = this.checker;
    this.#log(
      `weather ${JSON.stringify(this.#weather)} ${JSON.stringify(this.#settings)} ${JSON.stringify(bootstrap)}`,
    );
  }

  #addNode(id: string, bootstrap: GroupConfig): void {
    this.nodes.push(new SimNode(id, bootstrap, this.#settings, this.chance, (message) => this.#send(message)));
  }

  run(): SimResult {
    for (const node of this.nodes) node.start();
    while (this.now < FAULT_TICKS) {
      this.#disturb();
      this.#work();
      this.step();
    }
    this.#heal();
    this.#awaitRecovery();
    this.#checkStability();
    return {
      traceHash: this.#hash >>> 0,
      committed: this.checker.committed.length,
      elections: this.checker.elections,
      reads: this.checker.readsServed,
      configChanges: this.#configChanges,
      messages: this.#messages,
    };
  }

  /** One tick: messages and ticks reach the nodes in an order left to chance. */
  step(): void {
    this.now += 1;
    const arrived = this.#network.get(this.now) ?? [];
    this.#network.delete(this.now);
    for (const message of this.chance.roll(0.3) ? this.chance.shuffle(arrived) : arrived) this.#deliver(message);
    for (const node of this.chance.shuffle([...this.nodes])) {
      if (!node.running) continue;
      const waiting = node.inbox;
      node.inbox = [];
      for (const message of waiting) node.input((group) => group.step(message));
      node.input((group) => group.tick());
      node.pump(this.now);
    }
  }

  #deliver(message: Message): void {
    const node = this.nodes.find((candidate) => candidate.id === message.to);
    if (node === undefined || node.group === null || this.#cut.has(`${message.from}>${message.to}`)) return;
    if (node.paused) {
      node.inbox.push(message);
      return;
    }
    node.input((group) => group.step(message));
    // A host may take several messages before it looks for output.
    if (this.chance.roll(0.7)) node.pump(this.now);
  }

  #send(message: Message): void {
    this.#messages += 1;
    this.#note(message);
    if (this.chance.roll(this.#weather.loss)) return;
    const copies = this.chance.roll(this.#weather.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const at = this.now + 1 + this.chance.below(this.#weather.delayTicksMax + 1);
      const queue = this.#network.get(at);
      if (queue === undefined) this.#network.set(at, [message]);
      else queue.push(message);
    }
  }

  // -- what clients and operators do ----------------------------------------------------------------------------------

  #work(): void {
    for (const node of this.nodes) {
      if (!node.running || !node.group?.isLeader) continue;
      if (this.chance.roll(this.#weather.proposals)) this.#propose(node);
      if (this.chance.roll(0.2)) this.#read(node);
      if (this.chance.roll(this.#weather.configChanges)) this.#changeConfig(node);
      if (this.chance.roll(0.005)) node.input((group) => group.transferLeadership(null));
    }
  }

  #read(node: SimNode): void {
    const token = this.#nextToken();
    node.input((group) => {
      if (group.readIndex(token)) this.checker.readAsked(token);
    });
    // A leader that slept may be asked before it reads the messages that depose it.
    if (this.chance.roll(0.5)) node.pump(this.now);
  }

  #nextToken(): number {
    this.#tokens += 1;
    return this.#tokens;
  }

  #propose(node: SimNode): void {
    for (let count = this.chance.between(1, 3); count > 0; count -= 1) {
      const token = this.#nextToken();
      const data = new Uint8Array([token & 0xff, (token >> 8) & 0xff, (token >> 16) & 0xff]);
      node.input((group) => group.propose(EntryType.EVENTS, data, token, 1));
    }
  }

  #changeConfig(node: SimNode): void {
    const config = node.group?.status().config;
    if (config === undefined) return;
    const roles: StoringRole[] = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'];
    const members = new Map(config.members.map((member) => [member.id, member.role]));
    for (let count = this.chance.between(1, 2); count > 0; count -= 1) {
      const id = this.chance.pick(this.nodes).id;
      if (members.has(id) && this.chance.roll(0.4)) members.delete(id);
      else members.set(id, this.chance.pick(roles));
    }
    const next = { members: [...members].map(([id, role]) => ({ id, role })), minActiveBackups: this.chance.below(3) };
    node.input((group) => {
      const result = group.proposeConfig(next);
      if (result.ok) this.#configChanges += 1;
      this.#log(`${node.id} proposes ${JSON.stringify(next)}: ${JSON.stringify(result)}`);
    });
  }

  // -- faults -----------------------------------------------------------------------------------------------------------

  #disturb(): void {
    if (!this.chance.roll(this.#weather.faults)) return;
    const node = this.chance.pick(this.nodes);
    const leader = this.nodes.find((candidate) => candidate.group?.isLeader);
    const target = leader !== undefined && this.chance.roll(0.3) ? leader : node;
    switch (this.chance.below(9)) {
      case 0:
      case 1:
        if (target.group === null) this.#restart(target);
        else this.#crash(target);
        break;
      case 2:
        if (node.group === null) this.#restart(node);
        node.paused = false;
        break;
      case 3:
        if (target.group !== null) target.paused = !target.paused;
        break;
      case 4:
        this.#partition(target);
        break;
      case 5:
        this.#cut.clear();
        break;
      case 6:
        if (node.running) node.input((group) => (this.chance.roll(0.5) ? group.forgetLeader() : group.campaign()));
        break;
      case 7:
        if (target.running) target.input((group) => group.stepDown());
        break;
      case 8:
        // Any member may start an election at any time, without a pre-vote: safety must not rest on patience.
        node.input((group) => {
          const from = group.leader ?? 'forged';
          group.step({ type: 'timeout-now', group: 1, from, to: node.id, term: group.term });
        });
        break;
    }
  }

  #crash(node: SimNode): void {
    this.#log(`crash ${node.id}`);
    node.crash();
    // The fast path: others see the link close, some of them, and act on it.
    for (const other of this.nodes) {
      if (!other.running || this.chance.roll(0.5)) continue;
      other.input((group) => {
        group.peerUnreachable(node.id);
        if (group.leader !== node.id) return;
        group.forgetLeader();
        if (group.isDesignatedSuccessor()) group.campaign();
      });
    }
  }

  #restart(node: SimNode): void {
    this.#log(`restart ${node.id} with ${node.disk.log.length} entries, ${JSON.stringify(node.disk.hardState)}`);
    node.start();
  }

  #partition(target: SimNode): void {
    const shape = this.chance.below(3);
    const side = new Set(this.nodes.filter(() => this.chance.roll(0.5)).map((node) => node.id));
    for (const from of this.nodes) {
      for (const to of this.nodes) {
        const alone = from === target || to === target;
        const across = side.has(from.id) !== side.has(to.id);
        if (shape === 0 ? alone : shape === 1 ? across : this.chance.roll(0.3)) this.#cut.add(`${from.id}>${to.id}`);
      }
    }
  }

  // -- recovery ---------------------------------------------------------------------------------------------------------

  #heal(): void {
    this.#log('heal');
    this.#cut.clear();
    this.#weather.loss = 0;
    this.#weather.duplication = 0;
    this.#weather.delayTicksMax = Math.min(this.#weather.delayTicksMax, 1);
    this.#settings.persistTicksMax = Math.min(this.#settings.persistTicksMax, 1);
    const lost = this.#chooseLost();
    for (const node of this.nodes) {
      if (lost.has(node.id)) {
        node.crash();
        continue;
      }
      if (node.group === null) node.start();
      node.paused = false;
      this.#read(node);
    }
  }

  /**
   * Members that never come back. Whatever happened before, a majority of PRIMARYs and the required ACTIVE_BACKUPs must be
   * enough (raft-design §6, electability); only asked of groups that kept their first configuration.
   */
  #chooseLost(): ReadonlySet<string> {
    if (this.#weather.configChanges > 0 || this.chance.roll(0.4)) return new Set();
    const of = (role: StoringRole) =>
      this.chance.shuffle(this.#bootstrap.members.filter((member) => member.role === role).map((member) => member.id));
    const primaries = of('PRIMARY');
    const actives = of('ACTIVE_BACKUP');
    const spareActives = Math.max(0, actives.length - this.#bootstrap.minActiveBackups);
    const lost = [
      ...primaries.slice(0, Math.floor((primaries.length - 1) / 2)),
      ...actives.slice(0, spareActives),
      ...of('PASSIVE_BACKUP').slice(0, 1),
    ];
    this.#log(`lost for good: ${lost.join(' ')}`);
    return new Set(lost);
  }

  #awaitRecovery(): void {
    const longest = Math.max(...this.nodes.map((node) => node.memory.length));
    const ticks = HEAL_TICKS_MAX + HEAL_TICKS_PER_ENTRY * longest;
    const limit = this.now + ticks;
    let marker: { readonly node: SimNode; readonly index: number; readonly term: number } | null = null;
    while (this.now < limit) {
      this.step();
      const leader = this.nodes.find((node) => node.group?.isLeader && node.group.status().leaderReady);
      if (leader?.group === undefined || leader.group === null) continue;
      if (marker === null || marker.node !== leader || marker.term !== leader.group.term) {
        const result = leader.group.propose(EntryType.EVENTS, new Uint8Array([1]), this.#nextToken(), 1);
        this.checker.afterInput(leader);
        if (result.ok) marker = { node: leader, index: result.index, term: result.term };
        continue;
      }
      const wanted = marker.index;
      const members = leader.group.status().config.members.map((member) => member.id);
      if (this.nodes.every((node) => node.group === null || !members.includes(node.id) || node.group.commit >= wanted))
        return;
    }
    const states = this.nodes.map((node) => JSON.stringify({ id: node.id, ...node.group?.status() }));
    throw new LivenessError(`I15: not recovered ${ticks} ticks after healing:\n${states.join('\n')}`);
  }

  /** A healthy cluster keeps its leader, whoever is left outside (EL-16). */
  #checkStability(): void {
    const leader = this.nodes.find((node) => node.group?.isLeader);
    const term = leader?.group?.term;
    const until = this.now + STABLE_TICKS;
    while (this.now < until) this.step();
    const config = leader?.group?.status().config;
    if (!config?.members.some((member) => member.id === leader?.id && member.role === 'PRIMARY')) {
      throw new LivenessError(`EL-15: ${leader?.id} leads a healthy cluster without being its PRIMARY`);
    }
    if (leader?.group?.isLeader !== true || leader.group.term !== term) {
      throw new LivenessError(`EL-16: ${leader?.id} lost term ${term} in a healthy cluster`);
    }
  }

  // -- trace ------------------------------------------------------------------------------------------------------------

  #note(message: Message): void {
    const position = message.type === 'append' ? message.prevIndex + message.entries.length : 0;
    const route = message.from.charCodeAt(1) * 31 + message.to.charCodeAt(1);
    this.#hash =
      (Math.imul(this.#hash, 31) + message.type.length * 7 + message.term * 131 + position * 17 + route + this.now) | 0;
    this.#log(() => JSON.stringify(message, (key, value) => (key === 'data' ? undefined : value)));
  }

  #log(line: string | (() => string)): void {
    if (this.#trace !== null) this.#trace(`${this.now} ${typeof line === 'string' ? line : line()}`);
  }
}
