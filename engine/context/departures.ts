// When a copy that this node is no longer asked to store may go. A member that only `_admin` has taken out may still be needed for
// the majority that takes it out of its group: it goes when the leader of the group says so, not before. No IO.
import { nodeOfMember, type AdminContext, type AdminState } from './admin-state.ts';

/** A node that was removed from the whole cluster hears no leader any more: its replicas go after this. */
const UNREGISTERED_GRACE_MS = 3_000;

interface Settled {
  readonly term: number;
  /** Nodes of the committed configuration. */
  readonly nodes: ReadonlySet<string>;
}

export class Departures {
  readonly #self: string;
  /** Group → since when (ms) this node is not wanted there although it has a replica. */
  readonly #leaving = new Map<number, number>();
  /** Groups whose copy was closed in this run and is not to be opened again. */
  readonly #left = new Set<number>();
  readonly #settled = new Map<number, Settled>();

  constructor(self: string) {
    this.#self = self;
  }

  get leaving(): readonly number[] {
    return [...this.#leaving.keys()];
  }

  /** Told by the leader of the group: its members, as committed in this term. */
  noteMembers(group: number, term: number, members: readonly string[]): void {
    const known = this.#settled.get(group);
    if (known === undefined || known.term <= term)
      this.#settled.set(group, { term, nodes: new Set(members.map(nodeOfMember)) });
  }

  /**
   * The contexts whose replicas are to be open here: those this node stores by its role, and those it has a copy of without a
   * role: their groups may still count on this node, until their leaders say otherwise.
   */
  review(state: AdminState, folders: readonly string[], now: number): readonly AdminContext[] {
    const copies = new Set(folders.map(groupOfFolder));
    return state.contexts.filter((context) => {
      const { group } = context;
      if (storesOn(context, this.#self)) {
        this.#leaving.delete(group);
        this.#left.delete(group);
        return true;
      }
      if (!copies.has(group) || this.#left.has(group)) return false;
      if (!this.#leaving.has(group)) this.#leaving.set(group, now);
      return true;
    });
  }

  mayGo(group: number, term: number, registered: boolean, now: number): boolean {
    const since = this.#leaving.get(group);
    if (since === undefined) return false;
    if (!registered) return now - since >= UNREGISTERED_GRACE_MS;
    const settled = this.#settled.get(group);
    return settled !== undefined && settled.term >= term && !settled.nodes.has(this.#self);
  }

  gone(group: number): void {
    this.#leaving.delete(group);
    this.#left.add(group);
  }

  /** The group does not exist any more, or only as a preserved copy. */
  forget(group: number): void {
    this.#leaving.delete(group);
    this.#left.delete(group);
    this.#settled.delete(group);
  }
}

export function storesOn(context: AdminContext, node: string): boolean {
  return context.roles.some((role) => role.node === node && role.role !== 'MESSAGING_ONLY');
}

export function folderOf(context: Pick<AdminContext, 'group' | 'name'>): string {
  return `${String(context.group).padStart(4, '0')}-${context.name}`;
}

/** Reverse of `folderOf`; null for folders that are none of ours. */
export function groupOfFolder(folder: string): number | null {
  const digits = /^(\d{4,9})-/.exec(folder)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function isPreserved(state: AdminState, group: number): boolean {
  return (state.preserved ?? []).some((context) => context.group === group);
}

/** Group numbers are never used twice: one that was given out and is neither in use nor preserved was deleted for good. */
export function isDeletedForGood(state: AdminState, group: number): boolean {
  return (
    group < state.nextGroup && !state.contexts.some((context) => context.group === group) && !isPreserved(state, group)
  );
}
