// A replica whose running store met damage: when its store may be opened again, which finds the extent of the damage, marks the log
// SUSPECT and so starts the repair (raft-design §9). Giving leaderships away, as before a stop. Entry points: mayReopen, eachOnce, handOver.
import type { Entry } from '../raft/types.ts';
import type { Env } from '../util/env.ts';
import type { Replica } from './replica.ts';

const LOOK_MS = 10;

/** A leader gives its place away first (disk-duty.ts), and leads on while nobody else can: its other entries are still good. */
export function mayReopen(replica: Replica): boolean {
  return replica.store.foundDamage !== null && (replica.closed || replica.status().role !== 'leader');
}

/** What `_admin` said is applied once, also when its store is opened again. */
export function eachOnce(apply: (entry: Entry) => void): (entry: Entry) => void {
  let applied = 0;
  return (entry) => {
    if (entry.index <= applied) return;
    applied = entry.index;
    apply(entry);
  };
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
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
