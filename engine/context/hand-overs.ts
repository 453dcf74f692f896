// Giving leaderships away: one whose role is to go, again and again and leading on between its tries when nobody follows; all before a
// stop. Entry points: HandOvers, handOver.
import type { Env } from '../util/env.ts';
import { pause } from '../util/next-turn.ts';
import type { Replica } from './replica.ts';

const LOOK_MS = 10;

export class HandOvers {
  readonly #env: Env;
  readonly #pauseMs: number;
  readonly #next = new WeakMap<Replica, number>();

  /** `transferMs`: how long the core waits for one transfer, and takes no appends. */
  constructor(env: Env, transferMs: number) {
    this.#env = env;
    this.#pauseMs = 2 * transferMs;
  }

  /** Called as long as it is wanted. Appends are taken for as long as one try may last before the next one. */
  try(replica: Replica): void {
    const now = this.#env.now();
    if (now < (this.#next.get(replica) ?? 0)) return;
    this.#next.set(replica, now + this.#pauseMs);
    replica.transferLeadership(null);
  }
}

/** Gives leadership away where another PRIMARY can take it; resolves when none is left here or after `timeoutMs`. */
export async function handOver(replicas: readonly Replica[], env: Env, timeoutMs: number): Promise<void> {
  const led = replicas.filter(
    (replica) =>
      replica.status().role === 'leader' &&
      replica.status().config.members.filter((member) => member.role === 'PRIMARY').length > 1,
  );
  for (const replica of led) replica.transferLeadership(null);
  const until = env.now() + timeoutMs;
  while (led.some((replica) => replica.status().role === 'leader') && env.now() < until) {
    await pause(LOOK_MS);
  }
}
