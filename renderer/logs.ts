// Log lines of the shown cluster, merged in arrival order and bounded. No signals: the log pane writes lines to its terminal itself.
import type { ClusterName, LogChunk, LogLine, NodeName } from '../electron/contract/model.ts';

export const LOG_LINES_MAX = 40_000;
/** Trimming moves the whole array, so it is done in steps. */
const TRIM_STEP = 4_000;

export interface NodeLine {
  readonly node: NodeName;
  readonly line: LogLine;
}

export type LogListener = (added: readonly NodeLine[] | 'reset') => void;

class LogLines {
  #cluster: ClusterName | null = null;
  #lines: NodeLine[] = [];
  readonly #lastSeq = new Map<NodeName, number>();
  readonly #listeners = new Set<LogListener>();

  get all(): readonly NodeLine[] {
    return this.#lines;
  }

  reset(
    cluster: ClusterName | null,
    history: readonly { readonly node: NodeName; readonly lines: readonly LogLine[] }[],
  ): void {
    this.#cluster = cluster;
    this.#lastSeq.clear();
    this.#lines = history
      .flatMap(({ node, lines }) => lines.map((line) => ({ node, line })))
      .sort((a, b) => a.line.at - b.line.at);
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
    if (this.#lines.length > LOG_LINES_MAX + TRIM_STEP) this.#lines.splice(0, this.#lines.length - LOG_LINES_MAX);
    this.#tell(added);
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
