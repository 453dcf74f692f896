// What a replica may do with the state of its disk, and a leader that cannot store giving its place away (raft-design §9).
// May not: touch files. Entry points: DiskDuty, dutyOf.
import type { Env } from '../util/env.ts';
import type { RaftGroup } from '../raft/raft.ts';
import type { Duty, MemberId } from '../raft/types.ts';
import type { GroupStore } from '../storage/api.ts';
import { AxonError } from './api.ts';
import { NotLeaderError } from './errors.ts';

/** A leader without space tries the other PRIMARYs in turn, this far apart: longer than a transfer may take. */
const HAND_OVER_RETRY_MS = 1_200;
/** After so many tries an append is told why instead of being sent to look for another leader. */
const HAND_OVERS_HOPEFUL = 2;
/** Once nobody took over, proposals wait for a transfer only now and then. */
const HAND_OVER_PAUSE_MS = 10_000;

export function dutyOf(store: Pick<GroupStore, 'damage' | 'foundDamage' | 'spaceProblem'>): Duty {
  if (store.damage !== null || store.foundDamage !== null) return 'none';
  return store.spaceProblem === null ? 'full' : 'votes-only';
}

export class DiskDuty {
  readonly #raft: RaftGroup;
  readonly #env: Env;
  readonly #context: string;
  #duty: Duty = 'full';
  #handOvers = 0;
  #nextHandOver = 0;

  constructor(raft: RaftGroup, env: Env, context: string) {
    this.#raft = raft;
    this.#env = env;
    this.#context = context;
  }

  /** Called at every tick. Only a follower's duty becomes `none`: a leader hands over first, and leads on where nobody else can. */
  follow(wanted: Duty): void {
    const leads = this.#raft.isLeader;
    const duty = wanted === 'none' && leads ? this.#duty : wanted;
    if (duty !== this.#duty) {
      this.#duty = duty;
      this.#handOvers = 0;
      this.#raft.setDuty(duty);
    }
    if (wanted === 'full' || !leads || this.#env.now() < this.#nextHandOver) return;
    this.#nextHandOver =
      this.#env.now() + (this.#handOvers < HAND_OVERS_HOPEFUL ? HAND_OVER_RETRY_MS : HAND_OVER_PAUSE_MS);
    const targets = this.#targets();
    const target = targets[this.#handOvers % Math.max(1, targets.length)];
    this.#handOvers += 1;
    if (target !== undefined) this.#raft.transferLeadership(target);
  }

  /** Why a proposal was refused for lack of space. Another may take over in a moment, then the asker finds it. */
  refusal(): Error {
    if (this.#handOvers <= HAND_OVERS_HOPEFUL && this.#targets().length > 0) return new NotLeaderError(this.#context);
    return new AxonError('AXONIQ-9100', `${this.#context}: the disk of its leader is full; nothing was stored`);
  }

  /** PRIMARYs that answer, the most up-to-date first. */
  #targets(): readonly MemberId[] {
    const others = this.#raft.status().progress.filter((peer) => peer.role === 'PRIMARY' && peer.recentActive);
    return [...others].sort((left, right) => right.match - left.match).map((peer) => peer.id);
  }
}
