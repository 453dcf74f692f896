// The global invariants of raft-design.md §12, looked at after every input to every core.
// Knows the truth: what each simulated disk holds. Throws SafetyError at the first broken one.
import type { Entry, HardState, Index, MemberId, Message, Term } from '../../engine/raft/types.ts';
import type { RaftGroup } from '../../engine/raft/raft.ts';

export class SafetyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SafetyError';
  }
}

/** What the checker looks at: a member whose log in memory and on disk is known. */
export interface CheckedNode {
  readonly id: MemberId;
  readonly group: RaftGroup | null;
  commitSeen: Index;
  leadingTerm: Term;
  readonly held: Index;
  heldEntry(index: Index): Entry | undefined;
  heldTerm(index: Index): Term | undefined;
  /** What a crash at this moment would leave for certain. */
  readonly durableIndex: Index;
  durableTerm(index: Index): Term | undefined;
  readonly durableHardState: HardState;
}

interface PlacedEntry {
  readonly previousTerm: Term;
  readonly content: string;
}

const TERMS_MAX = 1 << 20;

export class Checker {
  /** Entries known committed, by index - 1; `toldIn` is the term of the replica that told so first. */
  readonly committed: { readonly term: Term; readonly content: string; readonly toldIn: Term }[] = [];
  readonly #entries = new Map<number, PlacedEntry>();
  readonly #leaders = new Map<Term, MemberId>();
  readonly #votes = new Map<string, MemberId>();
  readonly #readsAsked = new Map<number, Index>();
  readonly #nodes: readonly CheckedNode[];
  elections = 0;
  readsServed = 0;

  constructor(nodes: readonly CheckedNode[]) {
    this.#nodes = nodes;
  }

  fail(rule: string, text: string): never {
    throw new SafetyError(`${rule}: ${text}`);
  }

  /** After each call into the core of `node`. */
  afterInput(node: CheckedNode): void {
    const group = node.group;
    if (group === null) return;
    if (group.isLeader && node.leadingTerm !== group.term) {
      node.leadingTerm = group.term;
      this.#elected(node, group.term);
    }
    if (group.commit > node.commitSeen) {
      if (node.leadingTerm === group.term) this.#checkQuorum(node, group.commit);
      node.commitSeen = group.commit;
    }
  }

  #elected(node: CheckedNode, term: Term): void {
    this.elections += 1;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== node.id) this.fail('I1', `${other} and ${node.id} lead in term ${term}`);
    this.#leaders.set(term, node.id);
    const status = node.group?.status();
    const primary = status?.config.members.some((member) => member.id === node.id && member.role === 'PRIMARY');
    if (!primary && !status?.configPending) this.fail('I1', `${node.id} leads without being a PRIMARY`);
    this.committed.forEach((entry, position) => {
      // A replica that slept may take an old office late: only commits of earlier terms bind it.
      if (entry.toldIn < term && node.heldTerm(position + 1) !== entry.term) {
        this.fail('I5', `leader ${node.id} of term ${term} lacks committed entry ${position + 1}`);
      }
    });
  }

  /** I4: durable on a majority of PRIMARYs and on the required ACTIVE_BACKUPs, by the truth of the disks. */
  #checkQuorum(node: CheckedNode, index: Index): void {
    const status = node.group?.status();
    if (status === undefined) return;
    const term = node.group?.term;
    const held = { PRIMARY: 0, ACTIVE_BACKUP: 0, PASSIVE_BACKUP: 0 };
    const all = { PRIMARY: 0, ACTIVE_BACKUP: 0, PASSIVE_BACKUP: 0 };
    for (const member of status.config.members) {
      all[member.role] += 1;
      const other = this.#nodes.find((candidate) => candidate.id === member.id);
      if (other?.durableTerm(index) === term) held[member.role] += 1;
    }
    const backups = Math.min(status.config.minActiveBackups, all.ACTIVE_BACKUP);
    if (held.PRIMARY * 2 <= all.PRIMARY || held.ACTIVE_BACKUP < backups) {
      this.fail(
        'I4',
        `${node.id} committed ${index} in term ${term} with ${JSON.stringify(held)} of ${JSON.stringify(all)}`,
      );
    }
  }

  /** I2: an (index, term) pair has one content and one predecessor, everywhere and always. */
  entriesWritten(node: CheckedNode, entries: readonly Entry[], previousTerm: Term): void {
    let before = previousTerm;
    for (const entry of entries) {
      const key = entry.index * TERMS_MAX + entry.term;
      const known = this.#entries.get(key);
      const content = contentOf(entry);
      if (known === undefined) this.#entries.set(key, { previousTerm: before, content });
      else if (known.previousTerm !== before || known.content !== content) {
        this.fail('I2', `${node.id} holds another entry (${entry.index}, term ${entry.term}) than others`);
      }
      before = entry.term;
    }
  }

  /** I3: what one replica tells as committed, no replica ever tells differently. */
  commitTold(node: CheckedNode, from: Index, to: Index): void {
    for (let index = from + 1; index <= to; index += 1) {
      const entry = node.heldEntry(index);
      if (entry === undefined) this.fail('I3', `${node.id} tells commit ${to} but holds ${node.held} entries`);
      const content = contentOf(entry);
      const known = this.committed[index - 1];
      if (known === undefined) this.committed.push({ term: entry.term, content, toldIn: node.group?.term ?? 0 });
      else if (known.term !== entry.term || known.content !== content) {
        this.fail('I3', `${node.id} commits (${index}, term ${entry.term}), others (${index}, term ${known.term})`);
      }
    }
  }

  /** One vote per member and term, over crashes; no confirmation of what is not on the disk (I16). */
  messageSent(node: CheckedNode, message: Message): void {
    if (message.type === 'vote' || (message.type === 'vote-response' && message.granted)) {
      const candidate = message.type === 'vote' ? message.from : message.to;
      const key = `${message.from} ${message.term}`;
      const before = this.#votes.get(key);
      if (before !== undefined && before !== candidate) this.fail('vote', `${key}: ${before}, then ${candidate}`);
      this.#votes.set(key, candidate);
      const { term, vote } = node.durableHardState;
      if (term < message.term || (term === message.term && vote !== candidate)) {
        this.fail('I16', `${node.id} tells a vote of term ${message.term} that is not durable`);
      }
    }
    if (message.type !== 'append-response' || message.reject || message.term !== node.durableHardState.term) return;
    if (node.durableIndex < message.matchIndex) {
      this.fail('I16', `${node.id} confirms ${message.matchIndex} with ${node.durableIndex} entries durable`);
    }
  }

  readAsked(token: number): void {
    this.#readsAsked.set(token, this.committed.length);
  }

  /** I12: a confirmed read sees everything that was committed before it was asked. */
  readConfirmed(node: CheckedNode, token: number, index: Index): void {
    const needed = this.#readsAsked.get(token);
    if (needed === undefined) this.fail('I12', `${node.id} confirms read ${token} that nobody asked, or twice`);
    if (index < needed)
      this.fail('I12', `${node.id} confirms read ${token} at ${index}, but ${needed} was committed before`);
    this.#readsAsked.delete(token);
    this.readsServed += 1;
  }
}

export function contentOf(entry: Entry): string {
  return entry.data.length === 0 ? `${entry.type}:${entry.firstToken}` : `${entry.type}:${entry.data.join(',')}`;
}
