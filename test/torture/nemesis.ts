// What is done to a cluster during a torture run: a plan drawn from a seed, carried out through the launcher's API.
// The plan says what and for how long; whom it hits (the leader, say) is decided when it happens.
import type { LauncherApi } from '../../electron/contract/api.ts';
import type { DiskFault } from '../../electron/contract/faults.ts';
import type { ClusterView, NodeAction } from '../../electron/contract/model.ts';
import { Chance } from '../sim/chance.ts';

export type Target = 'leader' | 'follower' | 'any' | 'majority' | 'all';

export type Fault =
  | { readonly kind: 'kill' | 'freeze' | 'stop' | 'blink'; readonly target: Target }
  | { readonly kind: 'isolate' | 'mute' | 'deafen'; readonly target: Target }
  | { readonly kind: 'failDisk' | 'fillDisk'; readonly target: Target }
  | { readonly kind: 'slowDisk'; readonly target: Target; readonly slowMs: number }
  | { readonly kind: 'split' | 'bridge' | 'holes' | 'rot' }
  | { readonly kind: 'flap'; readonly target: Target; readonly times: number }
  | { readonly kind: 'delay'; readonly target: Target; readonly delayMs: number; readonly jitterMs: number }
  | { readonly kind: 'loss'; readonly target: Target; readonly percent: number };

export interface Episode {
  readonly quietMs: number;
  readonly faults: readonly Fault[];
  /** Between one fault of the episode and the next. */
  readonly staggerMs: number;
  readonly holdMs: number;
  /** After healing: wait for a confirmed append in every context before anything else happens (I15). */
  readonly awaitRecovery: boolean;
}

const KINDS = [
  'kill',
  'kill',
  'kill',
  'freeze',
  'freeze',
  'stop',
  'blink',
  'isolate',
  'isolate',
  'mute',
  'deafen',
  'split',
  'bridge',
  'holes',
  'flap',
  'delay',
  'loss',
  'slowDisk',
  'slowDisk',
  'failDisk',
  'failDisk',
  'fillDisk',
  'fillDisk',
  'rot',
  'rot',
] as const;
const TARGETS = ['leader', 'leader', 'leader', 'follower', 'any', 'majority', 'all'] as const;
const FLAP_MS_MAX = 350;

/** An endless plan; the same seed gives the same plan. */
export function* episodes(seed: number): Generator<Episode, never> {
  const chance = new Chance(seed);
  for (;;) {
    const count = chance.pick([1, 1, 1, 2, 2, 3]);
    yield {
      quietMs: chance.pick([50, 300, 800, 1500]) + chance.below(400),
      faults: Array.from({ length: count }, () => drawFault(chance)),
      staggerMs: chance.pick([0, 20, 150, 700]),
      // Short of an election time-out, about one, and far longer than one.
      holdMs: chance.pick([150, 500, 1200, 2500, 4500]) + chance.below(300),
      awaitRecovery: chance.roll(0.5),
    };
  }
}

function drawFault(chance: Chance): Fault {
  const kind = chance.pick(KINDS);
  const target = chance.pick(TARGETS);
  switch (kind) {
    case 'split':
    case 'bridge':
    case 'holes':
    case 'rot':
      return { kind };
    case 'flap':
      return { kind, target, times: chance.between(2, 6) };
    case 'delay':
      return { kind, target, delayMs: chance.pick([5, 30, 120, 400]), jitterMs: chance.pick([0, 50, 300]) };
    case 'slowDisk':
      return { kind, target, slowMs: chance.pick([2, 20, 100, 400]) };
    case 'loss':
      return { kind, target, percent: chance.pick([3, 15, 40, 80]) };
    default:
      return { kind, target };
  }
}

export function faultText(fault: Fault): string {
  const { kind, ...rest } = fault;
  return [kind, ...Object.values(rest)].join(' ');
}

type Link = Parameters<LauncherApi['setLinks']>[1][number];

export interface NemesisOptions {
  readonly api: LauncherApi;
  readonly cluster: string;
  /** Contexts whose leaders are hit. */
  readonly contexts: readonly string[];
  readonly seed: number;
  readonly note: (text: string) => void;
  /** The one node whose files rot. */
  readonly rotten: string;
  /** Damages a file of a node that does not run; says which. `draw` gives whole numbers by chance. */
  readonly rot: (node: string, draw: () => number) => Promise<string>;
  /** A node that is being taken away: started meanwhile it would lose its folder while it runs. */
  readonly spared: () => string | null;
}

export class Nemesis {
  readonly #options: NemesisOptions;
  /** Whom a fault hits is drawn here, so that the plan itself does not depend on what happened. */
  readonly #chance: Chance;
  readonly counts = new Map<string, number>();

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed ^ 0x5bd1e995);
  }

  /** Everything of one episode but its quiet time, healed at the end. */
  async carryOut(episode: Episode): Promise<void> {
    for (const fault of episode.faults) {
      await this.#begin(fault);
      await pause(episode.staggerMs);
    }
    await pause(episode.holdMs);
    await this.recover();
  }

  /** No link fault, nobody frozen, everybody running. */
  async recover(): Promise<void> {
    await this.#actOnAll('resume');
    // First, because a cluster of which nothing runs has no links to heal.
    await this.#actOnAll('start');
    await this.#options.api.heal(this.#options.cluster);
    // A disk may have failed between the start and the healing.
    await this.#actOnAll('start');
    this.#options.note('healed');
  }

  async #actOnAll(action: NodeAction): Promise<void> {
    if (this.#options.spared() === null) return this.#act('all', action);
    const view = await this.#options.api.getCluster(this.#options.cluster);
    await this.#actOnEach(this.#touchable(view), action);
  }

  #touchable(view: ClusterView): readonly string[] {
    return view.nodes.map(({ name }) => name).filter((name) => name !== this.#options.spared());
  }

  async #begin(fault: Fault): Promise<void> {
    const view = await this.#options.api.getCluster(this.#options.cluster);
    const names = 'target' in fault ? this.#nodesOf(view, fault.target) : [];
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    this.#options.note(`${faultText(fault)}${names.length > 0 ? `: ${names.join(' ')}` : ''}`);
    const all = this.#touchable(view);
    switch (fault.kind) {
      case 'kill':
      case 'freeze':
      case 'stop':
        await this.#actOnEach(names, fault.kind);
        return;
      case 'blink':
        await this.#actOnEach(names, 'kill');
        await this.#actOnEach(names, 'start');
        return;
      case 'slowDisk':
        await this.#breakDisks(names, { slowMs: fault.slowMs });
        return;
      case 'rot':
        // Always the same node: what is damaged on a majority is lost, and nobody promises otherwise.
        await this.#actOnEach([this.#options.rotten], 'kill');
        this.#options.note(`rot: ${await this.#options.rot(this.#options.rotten, () => this.#chance.below(1 << 30))}`);
        await this.#actOnEach([this.#options.rotten], 'start');
        return;
      case 'failDisk':
        // The engine ends with exit code 74 at its next flush; `recover` starts it again.
        await this.#breakDisks(names, { failing: true });
        return;
      case 'fillDisk':
        await this.#breakDisks(names, { full: true });
        return;
      case 'flap':
        await this.#flap(all, names, fault.times);
        return;
      default:
        await this.#setLinks(this.#linksOf(fault, all, names));
    }
  }

  async #breakDisks(names: readonly string[], change: Partial<DiskFault>): Promise<void> {
    for (const name of names) await this.#options.api.setDisk(this.#options.cluster, name, change);
  }

  #linksOf(fault: Fault, all: readonly string[], names: readonly string[]): readonly Link[] {
    const pairs = all.flatMap((from) => all.filter((to) => to !== from).map((to) => ({ from, to })));
    const cut = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
    const touching = pairs.filter(({ from, to }) => names.includes(from) || names.includes(to));
    switch (fault.kind) {
      case 'isolate':
        return touching.map((pair) => ({ ...pair, ...cut }));
      case 'mute':
        return pairs.filter(({ from }) => names.includes(from)).map((pair) => ({ ...pair, ...cut }));
      case 'deafen':
        return pairs.filter(({ to }) => names.includes(to)).map((pair) => ({ ...pair, ...cut }));
      case 'split': {
        const side = new Set(this.#chance.shuffle([...all]).slice(0, Math.floor(all.length / 2)));
        return pairs.filter(({ from, to }) => side.has(from) !== side.has(to)).map((pair) => ({ ...pair, ...cut }));
      }
      case 'bridge': {
        // Two groups that see each other only through one node in the middle.
        const [middle, ...others] = this.#chance.shuffle([...all]);
        const side = new Set(others.slice(0, Math.ceil(others.length / 2)));
        return pairs
          .filter(({ from, to }) => from !== middle && to !== middle && side.has(from) !== side.has(to))
          .map((pair) => ({ ...pair, ...cut }));
      }
      case 'holes':
        return pairs.filter(() => this.#chance.roll(0.35)).map((pair) => ({ ...pair, ...cut }));
      case 'delay':
        return touching.map((pair) => ({
          ...pair,
          cut: false,
          delayMs: fault.delayMs,
          jitterMs: fault.jitterMs,
          lossPercent: 0,
        }));
      case 'loss':
        return touching.map((pair) => ({ ...pair, cut: false, delayMs: 0, jitterMs: 0, lossPercent: fault.percent }));
      default:
        return [];
    }
  }

  async #flap(all: readonly string[], names: readonly string[], times: number): Promise<void> {
    const links = this.#linksOf({ kind: 'isolate', target: 'any' }, all, names);
    for (let turn = 0; turn < times; turn += 1) {
      await this.#setLinks(links);
      await pause(this.#chance.below(FLAP_MS_MAX));
      await this.#setLinks(links.map((link) => ({ ...link, cut: false })));
      await pause(this.#chance.below(FLAP_MS_MAX));
    }
  }

  #nodesOf(view: ClusterView, target: Target): readonly string[] {
    const all = this.#touchable(view);
    const context = view.contexts.find((candidate) => candidate.name === this.#chance.pick(this.#options.contexts));
    const leader = context?.leader ?? null;
    switch (target) {
      case 'all':
        return all;
      case 'majority': {
        const others = this.#chance.shuffle(all.filter((name) => name !== leader));
        return others.slice(0, Math.floor(all.length / 2) + 1);
      }
      case 'leader':
        return [leader !== null && all.includes(leader) ? leader : this.#chance.pick(all)];
      case 'follower':
        return [this.#chance.pick(all.filter((name) => name !== leader))];
      case 'any':
        return [this.#chance.pick(all)];
    }
  }

  async #actOnEach(names: readonly string[], action: NodeAction): Promise<void> {
    await Promise.all(names.map((name) => this.#act(name, action)));
  }

  /** A node that another fault of the episode stopped already cannot be killed or frozen: that is no failure of the run. */
  async #act(target: string, action: NodeAction): Promise<void> {
    try {
      await this.#options.api.actOnNode(this.#options.cluster, target, action);
    } catch (error) {
      this.#options.note(`${action} ${target} was refused: ${String(error)}`);
    }
  }

  #setLinks(links: readonly Link[]): Promise<void> {
    return this.#options.api.setLinks(this.#options.cluster, links);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
