// Log lines of the shown cluster, merged in arrival order and bounded. No signals: the log pane writes lines to its terminal itself.
import type { ClusterName, LogChunk, LogLine, NodeName } from '../electron/contract/model.ts';

export const LOG_LINES_MAX = 40_000;
/** Lines are of any length: the text of all of them has a limit, too. */
export const LOG_CHARS_MAX = 16_000_000;
/** Trimming moves the whole array, so it is done in steps. */
const TRIM_STEP = 4_000;
const TRIM_CHARS = 1_600_000;

const charsOf = (lines: readonly NodeLine[]): number => lines.reduce((sum, { line }) => sum + line.text.length, 0);

export interface NodeLine {
  readonly node: NodeName;
  readonly line: LogLine;
}

export type LogListener = (added: readonly NodeLine[] | 'reset') => void;

class LogLines {
  #cluster: ClusterName | null = null;
  #lines: NodeLine[] = [];
  #chars = 0;
  readonly #lastSeq = new Map<NodeName, number>();
  readonly #listeners = new Set<LogListener>();

  /** What was logged until the shown moment; null = now. */
  #until: number | null = null;
  #shownCount = 0;

  /** Lines that `clear` put out of sight; they stay known. */
  #cleared = new WeakSet<NodeLine>();
  #clearedCount = 0;

  get all(): readonly NodeLine[] {
    const shown = this.#shown();
    return this.#clearedCount === 0 ? shown : shown.filter((entry) => !this.#cleared.has(entry));
  }

  get clearedCount(): number {
    return this.#clearedCount;
  }

  /** Out of every view of the log, until `showCleared`. */
  clear(): void {
    this.#cleared = new WeakSet(this.#lines);
    this.#clearedCount = this.#lines.length;
    this.#tell('reset');
  }

  showCleared(): void {
    this.#clearedCount = 0;
    this.#tell('reset');
  }

  /** While the past is shown, logs end where it ends. */
  showUntil(at: number | null): void {
    if (this.#until === at) return;
    const wasLive = this.#until === null;
    this.#until = at;
    const count = this.#shown().length;
    if (wasLive || at === null || count !== this.#shownCount) this.#tell('reset');
    this.#shownCount = count;
  }

  #shown(): readonly NodeLine[] {
    const until = this.#until;
    return until === null ? this.#lines : this.#lines.filter(({ line }) => line.at <= until);
  }

  reset(
    cluster: ClusterName | null,
    history: readonly { readonly node: NodeName; readonly lines: readonly LogLine[] }[],
  ): void {
    this.#cluster = cluster;
    this.#clearedCount = 0;
    this.#lastSeq.clear();
    this.#lines = history
      .flatMap(({ node, lines }) => lines.map((line) => ({ node, line })))
      .sort((a, b) => a.line.at - b.line.at);
    this.#chars = charsOf(this.#lines);
    this.#trim();
    for (const { node, lines } of history) this.#lastSeq.set(node, lines[lines.length - 1]?.seq ?? -1);
    this.#tell('reset');
  }

  /** Lines already known by their sequence number (a push that crossed a `readLogs` answer) are dropped. */
  append(chunk: LogChunk): void {
    if (chunk.cluster !== this.#cluster) return;
    const last = this.#lastSeq.get(chunk.node) ?? -1;
    const added = chunk.lines.filter((line) => line.seq > last).map((line) => ({ node: chunk.node, line }));
    const newest = added[added.length - 1];
    if (newest === undefined) return;
    this.#lastSeq.set(chunk.node, newest.line.seq);
    this.#lines.push(...added);
    this.#chars += charsOf(added);
    this.#trim();
    if (this.#until === null) this.#tell(added);
  }

  /** The oldest go. */
  #trim(): void {
    if (this.#lines.length <= LOG_LINES_MAX + TRIM_STEP && this.#chars <= LOG_CHARS_MAX) return;
    let dropped = Math.max(0, this.#lines.length - LOG_LINES_MAX);
    let left = this.#chars - charsOf(this.#lines.slice(0, dropped));
    for (; left > LOG_CHARS_MAX - TRIM_CHARS; dropped++) left -= this.#lines[dropped]?.line.text.length ?? left;
    this.#lines.splice(0, dropped);
    this.#chars = left;
  }

  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(added: readonly NodeLine[] | 'reset'): void {
    for (const listener of this.#listeners) listener(added);
  }
}

export const logs = new LogLines();
