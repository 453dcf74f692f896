// How busy this process is.
const PERIOD_MS = 1000;

export class CpuShare {
  #at = 0;
  #micros = 0;
  #percent = 0;

  /** Share of one core since the last second. `now`: monotonic ms. */
  percent(now: number): number {
    if (now - this.#at >= PERIOD_MS) {
      const usage = process.cpuUsage();
      const micros = usage.user + usage.system;
      const percent = this.#at === 0 ? 0 : (micros - this.#micros) / 10 / (now - this.#at);
      this.#at = now;
      this.#micros = micros;
      this.#percent = Math.round(percent * 10) / 10;
    }
    return this.#percent;
  }
}
