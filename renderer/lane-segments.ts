// Pure: spans of a lane as pieces of the shown time, in parts of its width. Entry points: `segmentsOf`, `partOf`.

export interface Shown {
  readonly from: number;
  readonly to: number;
}

export interface Segment<T> {
  readonly span: T;
  /** 0..1 of the shown time. */
  readonly left: number;
  readonly width: number;
}

/** Where a moment lies: 0 at the left end, 1 at the right one. */
export const partOf = (at: number, { from, to }: Shown): number => (at - from) / (to - from);

/** Each span lasts until the next; the last one until `until`. Spans outside are left out. */
export function segmentsOf<T extends { readonly at: number }>(
  spans: readonly T[],
  shown: Shown,
  until: number,
): readonly Segment<T>[] {
  return spans.flatMap((span, index) => {
    const start = Math.max(span.at, shown.from);
    const end = Math.min(spans[index + 1]?.at ?? until, shown.to);
    if (end <= start) return [];
    const left = partOf(start, shown);
    return [{ span, left, width: partOf(end, shown) - left }];
  });
}
