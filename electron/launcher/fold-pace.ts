// When facts are folded into a view: at once for what happens, at a measured pace for what engines only report. Entry point: `FoldPace`.

/** The part of the time that folding reports may take: of the largest cluster (9 nodes × 50 contexts) 90 reports come in a second. */
export const FOLD_SHARE_MAX = 0.1;
/** Reports wait no longer than this, however long a fold takes. */
export const FOLD_REST_MS_MAX = 50;

export class FoldPace {
  readonly #fold: () => void;
  #soon: NodeJS.Immediate | null = null;
  #later: NodeJS.Timeout | null = null;
  #tookMs = 0;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(fold: () => void) {
    this.#fold = fold;
  }

  /** Once for all that is told in this turn. */
  soon(): void {
    this.#soon ??= setImmediate(() => this.#run());
  }

  /** As `soon`, but not before the last fold is so long ago that folding keeps to its part of the time. */
  whenRested(): void {
    if (this.#soon !== null || this.#later !== null) {
      return;
    }
    const restMs = Math.min(FOLD_REST_MS_MAX, this.#tookMs / FOLD_SHARE_MAX);
    const waitMs = restMs - (performance.now() - this.#endedAt);
    if (waitMs <= 0) {
      this.soon();
    } else {
      this.#later = setTimeout(() => this.#run(), waitMs);
    }
  }

  #run(): void {
    if (this.#soon !== null) clearImmediate(this.#soon);
    if (this.#later !== null) clearTimeout(this.#later);
    this.#soon = null;
    this.#later = null;
    const began = performance.now();
    this.#fold();
    this.#endedAt = performance.now();
    this.#tookMs = this.#endedAt - began;
  }
}
