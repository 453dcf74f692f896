// Which segments of an event processor should move so that every client works on as many as its threads deserve
// (client-behaviour EP-22, strategy threadNumber). Pure.

export interface BalancedInstance {
  readonly clientId: string;
  /** Threads: free ones plus those at work on segments (EP-3). */
  readonly capacity: number;
  readonly segments: readonly number[];
}

export interface SegmentMove {
  readonly segment: number;
  readonly to: string;
}

/** Moves in order; each one narrows the gap between the busiest and the idlest client. Never more moves than segments. */
export function planBalance(instances: readonly BalancedInstance[]): readonly SegmentMove[] {
  const loads = instances
    .filter((instance) => instance.capacity > 0)
    .map(({ clientId, capacity, segments }) => ({ clientId, capacity, segments: [...segments] }));
  const total = loads.reduce((sum, load) => sum + load.segments.length, 0);
  const moves: SegmentMove[] = [];
  for (let i = 0; i < total; i += 1) {
    const byLoad = [...loads].sort(
      (left, right) => left.segments.length / left.capacity - right.segments.length / right.capacity,
    );
    const idlest = byLoad[0];
    const busiest = byLoad[byLoad.length - 1];
    if (idlest === undefined || busiest === undefined || idlest === busiest) break;
    // The move must leave the idlest below what the busiest was, else it only changes who is busy.
    const after = (idlest.segments.length + 1) / idlest.capacity;
    if (idlest.segments.length >= idlest.capacity || after >= busiest.segments.length / busiest.capacity) break;
    const segment = busiest.segments.pop()!;
    idlest.segments.push(segment);
    moves.push({ segment, to: idlest.clientId });
  }
  return moves;
}
