// Elections that do not wait for the time-out: when a leader's process is gone, and when a replica opens (raft-design §10; liveness only).
// The groups of a node ask together, so that fifty of them cost as many frames and flushes as one. Entry point: FastPath.
import type { Env } from '../util/env.ts';
import type { Replica } from './replica.ts';
import type { TickSource } from './tick-source.ts';

/** The successor tries at once and again after this, others wait a random time up to twice that. */
const RETRY_MS = 60;
const TRIES_MAX = 4;
/** A replica that just opened does not wait for the whole time-out either: nobody may be leading (pre-vote protects a leader). */
const FIRST_CAMPAIGN_MS = 20;
const LATER_CAMPAIGN_MS = 150;

interface Try {
  readonly replica: Replica;
  /** In which it began. */
  readonly term: number;
}

export class FastPath {
  readonly #env: Env;
  /** Waits in the time of ticks, so that slow motion slows these elections, too. */
  readonly #ticks: Pick<TickSource, 'later'>;
  #closed = false;

  constructor(env: Env, ticks: Pick<TickSource, 'later'>) {
    this.#env = env;
    this.#ticks = ticks;
  }

  /** These replicas follow a leader whose process is gone. */
  leaderGone(replicas: readonly Replica[]): void {
    const named: Replica[] = [];
    const others: Replica[] = [];
    for (const replica of replicas) {
      const { leader } = replica.status();
      if (leader !== null) (replica.forgetLeader(leader) ? named : others).push(replica);
    }
    this.#soon(named, 0);
    this.#soon(others, this.#pause(RETRY_MS));
  }

  /** A lone PRIMARY has nobody to wait for. */
  alone(replica: Replica): void {
    this.#soon([replica], 0, 1);
  }

  /** `first`: the first founder of a new group, before any other. */
  opened(replica: Replica, first: boolean): void {
    this.#soon([replica], first ? FIRST_CAMPAIGN_MS : this.#pause(LATER_CAMPAIGN_MS));
  }

  close(): void {
    this.#closed = true;
  }

  #pause(ms: number): number {
    return ms * (1 + this.#env.random());
  }

  #soon(replicas: readonly Replica[], delayMs: number, tries = TRIES_MAX): void {
    if (replicas.length === 0) return;
    const all = replicas.map((replica) => ({ replica, term: replica.status().term }));
    this.#ticks.later(delayMs, () => this.#try(all, tries));
  }

  /**
   * A replica whose term has changed gave its vote to another, or asked for votes itself: that election runs, and a new one would only
   * take its voters away. If it comes to nothing, the time-out follows.
   */
  #try(all: readonly Try[], tries: number): void {
    if (this.#closed) return;
    const due = all.filter(({ replica, term }) => {
      const status = replica.closed ? null : replica.status();
      return status !== null && status.leader === null && status.term === term;
    });
    for (const { replica } of due) replica.campaign();
    if (due.length > 0 && tries > 1) this.#ticks.later(this.#pause(RETRY_MS), () => this.#try(due, tries - 1));
  }
}
