// Changes of membership during a torture run: roles, members that leave and come back, leaders that move. Drawn from the seed and asked for
// while the nemesis works, so that most of them meet a fault; the cluster must finish each under whatever leader comes next.
import type { LauncherApi } from '../../electron/contract/api.ts';
import type { NodeRole } from '../../electron/contract/model.ts';
import { Chance } from '../sim/chance.ts';
import type { Door } from './subject.ts';

/** A change that is not done by then is asked for again. */
const CHANGE_MS_MAX = 6000;
/** After the last fault every node gets its first role back within this (I17). */
const RESTORE_MS_MAX = 60_000;
const ASK_AGAIN_MS = 200;
/** Beside the node whose files rot: damage of one of two voters stops a group for good, and nobody promises otherwise. */
const PRIMARIES_MIN = 2;
/** Nodes that clients are connected to and that still serve them. */
const DOORS_MIN = 2;
const WISHES: readonly (NodeRole | null)[] = [
  'PRIMARY',
  'PRIMARY',
  'ACTIVE_BACKUP',
  'PASSIVE_BACKUP',
  'MESSAGING_ONLY',
  null,
];

const serves = (role: NodeRole | null | undefined): boolean => role === 'PRIMARY' || role === 'MESSAGING_ONLY';

export interface ChangesOptions {
  readonly api: LauncherApi;
  readonly cluster: string;
  readonly contexts: readonly { readonly name: string; readonly roles: readonly Door[] }[];
  readonly seed: number;
  /** The one node whose files rot. */
  readonly rotten: string;
  readonly note: (text: string) => void;
}

export class Changes {
  readonly #options: ChangesOptions;
  readonly #chance: Chance;
  /** What was asked for last, by context and node. */
  readonly #wanted = new Map<string, Map<string, NodeRole | null>>();
  readonly counts = new Map<string, number>();
  #stopped = false;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed ^ 0x3c6ef372);
    for (const { name, roles } of options.contexts)
      this.#wanted.set(name, new Map(roles.map(({ node, role }) => [node, role])));
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await pause(this.#chance.pick([50, 400, 1500]) + this.#chance.below(500));
      const { name, roles } = this.#chance.pick(this.#options.contexts);
      if (this.#chance.roll(0.35)) await this.#moveLeader(name);
      else await this.#change(name, roles);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Every node as at the start. Call when all faults are healed; rejects when the cluster does not get there. */
  async restore(): Promise<void> {
    const until = performance.now() + RESTORE_MS_MAX;
    const { api, cluster, contexts } = this.#options;
    for (const { name, roles } of contexts) {
      // Voters first: there are enough of them at every moment.
      for (const { node, role } of [...roles].sort((a, b) => rank(a.role) - rank(b.role))) {
        while (!(await this.#ask(name, node, role, true))) {
          if (performance.now() > until) throw new Error(`${node} does not get ${role} in ${name} back`);
          await pause(ASK_AGAIN_MS);
        }
      }
      for (const { node, role } of roles)
        await api.wait(cluster, { kind: 'role', context: name, node, role }, until - performance.now());
    }
    this.#options.note('roles as at the start');
  }

  async #moveLeader(context: string): Promise<void> {
    const primaries = [...(this.#wanted.get(context) ?? [])].filter(([, role]) => role === 'PRIMARY');
    const to = this.#chance.roll(0.5) ? null : this.#chance.pick(primaries)[0];
    const text = `move the leader of ${context} to ${to ?? 'anyone'}`;
    this.#options.note(text);
    const moved = await outcomeOf(this.#options.api.moveLeader(this.#options.cluster, context, to));
    this.#count(moved === null ? 'leader moved' : 'leader not moved');
    if (moved !== null) this.#options.note(`${text}: ${moved}`);
  }

  async #change(context: string, doors: readonly Door[]): Promise<void> {
    const roles = this.#wanted.get(context);
    if (roles === undefined) throw new Error(`no context ${context}`);
    const node = this.#chance.pick(doors).node;
    const role = this.#chance.pick(WISHES);
    const after = new Map(roles).set(node, role);
    const primaries = [...after].filter(([name, each]) => each === 'PRIMARY' && name !== this.#options.rotten).length;
    const open = doors.filter((door) => serves(door.role) && serves(after.get(door.node))).length;
    if (roles.get(node) === role || primaries < PRIMARIES_MIN || open < DOORS_MIN) return;
    const keepEvents = this.#chance.roll(0.3);
    // One after the other: what is only wanted yet does not count as a voter.
    while (!this.#stopped) {
      if (await this.#done(context, node, role, keepEvents)) return this.#count(`became ${role ?? 'no member'}`);
      this.#count('change not done yet');
      await pause(ASK_AGAIN_MS);
      if (this.#chance.roll(0.35)) await this.#moveLeader(context);
    }
  }

  async #done(context: string, node: string, role: NodeRole | null, keepEvents: boolean): Promise<boolean> {
    if (!(await this.#ask(context, node, role, keepEvents))) return false;
    const { api, cluster } = this.#options;
    return (await outcomeOf(api.wait(cluster, { kind: 'role', context, node, role }, CHANGE_MS_MAX))) === null;
  }

  async #ask(context: string, node: string, role: NodeRole | null, keepEvents: boolean): Promise<boolean> {
    const text = `${node} shall be ${role ?? 'no member'} in ${context}${keepEvents ? ', events kept' : ''}`;
    this.#options.note(text);
    this.#wanted.get(context)?.set(node, role);
    const refusal = await outcomeOf(
      this.#options.api.setRole(this.#options.cluster, context, node, role, { keepEvents }),
    );
    if (refusal !== null) this.#options.note(`${text}: ${refusal}`);
    return refusal === null;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

const rank = (role: NodeRole): number => (role === 'PRIMARY' ? 0 : 1);

/** Null: it went well; else why not. */
function outcomeOf(call: Promise<unknown>): Promise<string | null> {
  return call.then(
    () => null,
    (error: unknown) => String(error),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
