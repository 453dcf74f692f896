// A replica whose running store met damage: when its store may be opened again, which finds the extent of the damage, marks the log
// SUSPECT and so starts the repair (raft-design §9). Entry points: mayReopen, eachOnce.
import type { Entry } from '../raft/types.ts';
import type { Replica } from './replica.ts';

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
