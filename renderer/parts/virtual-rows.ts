// Long tables whose rows have one height: only those near what is in sight are elements (ux.md §2). May not know what rows are about.
// Entry points: `drawnRows`, and `useVirtualRows` for the element that scrolls.
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** Drawn above and below what is in sight, so that most scrolling finds its rows there. */
export const SPARE_ROWS = 20;
/** What is drawn changes only every so many rows. */
const STEP_ROWS = 10;
/** Until the first row is there to be measured. */
const ROW_PX = 28;

export interface DrawnRows {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/** Which of `total` rows are drawn when `heightPx` are in sight from `topPx` on. */
export function drawnRows(topPx: number, heightPx: number, rowPx: number, total: number): DrawnRows {
  const stepAt = (px: number): number => Math.floor(px / rowPx / STEP_ROWS) * STEP_ROWS;
  const end = Math.min(total, stepAt(topPx + heightPx) + STEP_ROWS + SPARE_ROWS);
  return { first: Math.max(0, Math.min(end, stepAt(topPx) - SPARE_ROWS)), end };
}

export interface VirtualRows extends DrawnRows {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly rowPx: number;
  readonly isAtEnd: () => boolean;
  readonly toEnd: () => void;
  /** As little as it takes to see the row below the head of the table. */
  readonly reveal: (index: number) => void;
  /** Rows that are in sight at once. */
  readonly inSight: () => number;
  /** After each scroll, by whomever. */
  readonly onScroll: () => void;
}

/** `dropped` counts the rows that ever left at the top: what is in sight stays where it is when they go. */
export function useVirtualRows(total: number, dropped: number): VirtualRows {
  const scroller = useRef<HTMLElement>(null);
  const rowPx = useSignal(ROW_PX);
  const drawn = useSignal<DrawnRows>(drawnRows(0, 0, ROW_PX, total));
  const droppedBefore = useRef(dropped);
  const totalNow = useRef(total);
  totalNow.current = total;
  const headPx = (): number => scroller.current?.querySelector('thead')?.offsetHeight ?? 0;
  const draw = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const next = drawnRows(box.scrollTop, box.clientHeight, rowPx.peek(), totalNow.current);
    if (next.first !== drawn.peek().first || next.end !== drawn.peek().end) drawn.value = next;
  };
  const scrollTo = (px: number): void => {
    if (scroller.current !== null) scroller.current.scrollTop = px;
    draw();
  };
  useLayoutEffect(() => {
    const measured = scroller.current?.querySelector('tbody tr[aria-rowindex]')?.getBoundingClientRect().height ?? 0;
    if (measured > 0 && Math.abs(measured - rowPx.peek()) > 0.01) rowPx.value = measured;
    const left = dropped - droppedBefore.current;
    droppedBefore.current = dropped;
    if (left > 0 && scroller.current !== null) scroller.current.scrollTop -= left * rowPx.peek();
    draw();
  });
  useLayoutEffect(() => {
    const seen = new ResizeObserver(draw);
    if (scroller.current !== null) seen.observe(scroller.current);
    return () => seen.disconnect();
  }, []);
  return {
    // Rows may have become fewer since the last scroll.
    first: Math.min(drawn.value.first, total),
    end: Math.min(drawn.value.end, total),
    scroller,
    rowPx: rowPx.value,
    isAtEnd() {
      const box = scroller.current;
      return box === null || box.scrollHeight - box.scrollTop - box.clientHeight < rowPx.peek();
    },
    toEnd: () => scrollTo(scroller.current?.scrollHeight ?? 0),
    reveal(index) {
      const box = scroller.current;
      if (box === null) return;
      const top = index * rowPx.peek();
      const lowest = top + rowPx.peek() + headPx() - box.clientHeight;
      if (top < box.scrollTop) scrollTo(top);
      else if (lowest > box.scrollTop) scrollTo(lowest);
    },
    inSight: () => Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - headPx()) / rowPx.peek()) - 1),
    onScroll: draw,
  };
}
