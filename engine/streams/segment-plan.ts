// Who gets which segment of a persistent stream (client-behaviour PS-2, PS-5): evenly, and with as few moves as possible. Pure.

export interface SegmentOwner {
  readonly session: number;
  /** Asked to give the segment back. */
  readonly closing: boolean;
}

export interface SegmentPlan {
  readonly open: readonly { readonly segment: number; readonly session: number }[];
  readonly close: readonly number[];
}

/** `owners[segment]` is null for a free one; `held` segments are given to nobody for now. */
export function planSegments(
  owners: readonly (SegmentOwner | null)[],
  sessions: readonly number[],
  held: ReadonlySet<number>,
): SegmentPlan {
  const owned = new Map(sessions.map((session) => [session, [] as number[]]));
  for (const [segment, owner] of owners.entries())
    if (owner !== null && !owner.closing) owned.get(owner.session)?.push(segment);
  const share = Math.floor(owners.length / Math.max(1, sessions.length));
  let withOneMore = owners.length - share * sessions.length;
  const open: { segment: number; session: number }[] = [];
  const close: number[] = [];
  const free = owners.flatMap((owner, segment) => (owner === null && !held.has(segment) ? [segment] : []));
  // Those that have most keep the odd ones.
  const byLoad = [...sessions].sort((a, b) => owned.get(b)!.length - owned.get(a)!.length);
  for (const session of byLoad) {
    const mine = owned.get(session)!;
    const quota = share + (withOneMore > 0 ? 1 : 0);
    if (withOneMore > 0) withOneMore -= 1;
    close.push(...mine.slice(quota));
    for (let count = mine.length; count < quota && free.length > 0; count += 1)
      open.push({ segment: free.shift()!, session });
  }
  return { open, close };
}
