// How much was committed when, as bars of a time each: fine ones of the last minutes, coarse ones before that. Entry point: `AppendBars`.
import type { AppendBar } from '../contract/history.ts';

const FINE_MS = 2000;
const COARSE_MS = 30_000;
/** Ten minutes. */
export const FINE_BARS_MAX = 300;
/** Six hours, which is the longest time that a timeline shows. */
export const COARSE_BARS_MAX = 720;

export class AppendBars {
  #fine: AppendBar[] = [];
  #coarse: AppendBar[] = [];

  /** Times without entries have no bar. `at` does not fall. */
  add(at: number, entries: number): void {
    addTo(this.#fine, at, FINE_MS, entries);
    if (this.#fine.length > FINE_BARS_MAX) {
      const [oldest] = this.#fine.splice(0, 1);
      if (oldest !== undefined) addTo(this.#coarse, oldest.at, COARSE_MS, oldest.entries);
      this.#coarse = this.#coarse.slice(-COARSE_BARS_MAX);
    }
  }

  forgetBefore(at: number): void {
    const isKept = (bar: AppendBar): boolean => bar.at + bar.ms > at;
    this.#fine = this.#fine.filter(isKept);
    this.#coarse = this.#coarse.filter(isKept);
  }

  clear(): void {
    this.#fine = [];
    this.#coarse = [];
  }

  /** Oldest first. A coarse bar may reach into the time of the first fine one. */
  get list(): readonly AppendBar[] {
    return [...this.#coarse, ...this.#fine];
  }
}

function addTo(bars: AppendBar[], at: number, ms: number, entries: number): void {
  const begin = Math.floor(at / ms) * ms;
  const last = bars.at(-1);
  if (last?.at === begin) bars[bars.length - 1] = { ...last, entries: last.entries + entries };
  else bars.push({ at: begin, ms, entries });
}
