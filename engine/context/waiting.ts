// What waits inside one replica: appends for their commit, linearizable reads for their confirmation. No IO.
import type { Index, Term } from '../raft/types.ts';
import { AxonError } from './api.ts';
import { NotLeaderError } from './errors.ts';

/** Appends waiting for commit in one group; one more is refused with AXONIQ-1900. */
export const PENDING_PROPOSALS_MAX = 20_000;
/** How long an append waits for its commit before its outcome is called unknown. AF's commit time-out is 10 s. */
export const COMMIT_WAIT_MS = 9_000;

interface Proposal {
  readonly index: Index;
  readonly term: Term;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
}

/**
 * Outcomes: committed here in the term of the proposal = success; something of a later term committed in its place = definite
 * failure; time-out = unknown. That a leader lost an entry from its own log decides nothing: with five PRIMARYs another member
 * may still hold it, be elected and commit it.
 */
export class PendingProposals {
  readonly #context: string;
  /** In the log of this node, ordered by index. */
  #list: Proposal[] = [];
  /** No longer in the log of this node. */
  #cut: Proposal[] = [];

  constructor(context: string) {
    this.#context = context;
  }

  get full(): boolean {
    return this.#list.length + this.#cut.length >= PENDING_PROPOSALS_MAX;
  }

  add(index: Index, term: Term, now: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#list.push({ index, term, resolve, reject, deadline: now + COMMIT_WAIT_MS });
    });
  }

  settle(commit: Index, termAt: (index: Index) => Term | undefined): void {
    let done = 0;
    for (const proposal of this.#list) {
      if (proposal.index > commit) break;
      done += 1;
      this.#decide(proposal, termAt);
    }
    if (done > 0) this.#list.splice(0, done);
    if (this.#cut.length > 0) this.#settleCut(commit, termAt);
  }

  /** Terms never fall along a log: behind a committed entry of a later term no entry of the proposal's term can follow. */
  #settleCut(commit: Index, termAt: (index: Index) => Term | undefined): void {
    const committedTerm = termAt(commit) ?? 0;
    this.#cut = this.#cut.filter((proposal) => {
      if (proposal.index <= commit) this.#decide(proposal, termAt);
      else if (committedTerm > proposal.term) proposal.reject(this.#lost());
      else return true;
      return false;
    });
  }

  #decide(proposal: Proposal, termAt: (index: Index) => Term | undefined): void {
    if (termAt(proposal.index) === proposal.term) proposal.resolve();
    else proposal.reject(this.#lost());
  }

  truncate(from: Index): void {
    this.#cut.push(...this.#list.filter((proposal) => proposal.index >= from));
    this.#list = this.#list.filter((proposal) => proposal.index < from);
  }

  expire(now: number, why: () => string): void {
    if ((this.#list[0]?.deadline ?? Infinity) > now && this.#cut.length === 0) return;
    const expired = [...this.#list, ...this.#cut].filter((proposal) => proposal.deadline <= now);
    this.#list = this.#list.filter((proposal) => proposal.deadline > now);
    this.#cut = this.#cut.filter((proposal) => proposal.deadline > now);
    for (const proposal of expired) {
      const text = `${this.#context}: not committed within ${COMMIT_WAIT_MS} ms${why()}; the outcome is unknown`;
      proposal.reject(new AxonError('AXONIQ-10003', text));
    }
  }

  failAll(error: Error): void {
    for (const proposal of [...this.#list.splice(0), ...this.#cut.splice(0)]) proposal.reject(error);
  }

  #lost(): AxonError {
    return new AxonError('AXONIQ-9900', `${this.#context}: the leader changed before the commit; nothing was stored`);
  }
}

/** Reads by the token that the core gives back. */
export class PendingReads {
  readonly #context: string;
  readonly #reads = new Map<number, { resolve: (index: Index) => void; reject: (error: Error) => void }>();
  #token = 0;

  constructor(context: string) {
    this.#context = context;
  }

  add(): { readonly token: number; readonly index: Promise<Index> } {
    this.#token += 1;
    const token = this.#token;
    const index = new Promise<Index>((resolve, reject) => this.#reads.set(token, { resolve, reject }));
    index.catch(() => undefined);
    return { token, index };
  }

  confirm(token: number, index: Index): void {
    this.#reads.get(token)?.resolve(index);
    this.#reads.delete(token);
  }

  fail(token: number): void {
    this.#reads.get(token)?.reject(new NotLeaderError(this.#context));
    this.#reads.delete(token);
  }

  failAll(): void {
    for (const token of [...this.#reads.keys()]) this.fail(token);
  }
}
