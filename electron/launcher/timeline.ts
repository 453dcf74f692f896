// What happened to a cluster, one JSON line per event on disk, bounded. Entry points: `Timeline`, `describeChanges`.
import { appendFile, rename, stat } from 'node:fs/promises';
import type { ClusterView, LinkFaultView, TimelineEvent } from '../contract/model.ts';
import { readTail } from './logs.ts';

/** Two files of this size: ux.md §10 allows 50 MB per cluster. */
export const TIMELINE_FILE_BYTES_MAX = 25 * 1024 * 1024;
const READ_BYTES_MAX = 2 * 1024 * 1024;
const EVENTS_ANSWERED_MAX = 5000;
const UNWRITTEN_EVENTS_MAX = 10_000;

export class Timeline {
  readonly #file: string;
  readonly #listener: (event: TimelineEvent) => void;
  #unwritten: TimelineEvent[] = [];
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(file: string, listener: (event: TimelineEvent) => void) {
    this.#file = file;
    this.#listener = listener;
  }

  add(event: TimelineEvent): void {
    this.#listener(event);
    if (this.#closed) {
      return;
    }
    this.#unwritten.push(event);
    if (this.#unwritten.length > UNWRITTEN_EVENTS_MAX) {
      this.#unwritten = this.#unwritten.slice(-UNWRITTEN_EVENTS_MAX / 2);
    }
    this.#writing ??= this.#drain();
  }

  /** Events at or after `since` (epoch ms), oldest first, at most EVENTS_ANSWERED_MAX (the newest). */
  async since(since: number): Promise<readonly TimelineEvent[]> {
    await this.flush();
    const lines = (await readTail(this.#file, READ_BYTES_MAX)).split('\n');
    return lines
      .map(parseEvent)
      .filter((event): event is TimelineEvent => event !== null && event.at >= since)
      .slice(-EVENTS_ANSWERED_MAX);
  }

  async flush(): Promise<void> {
    while (this.#writing !== null) {
      await this.#writing;
    }
  }

  /** Writes nothing more: the folder may be deleted afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#unwritten.length > 0) {
        const text = this.#unwritten.map((event) => `${JSON.stringify(event)}\n`).join('');
        this.#unwritten = [];
        const size = await stat(this.#file).then(
          (found) => found.size,
          () => 0,
        );
        if (size + text.length > TIMELINE_FILE_BYTES_MAX) {
          await rename(this.#file, `${this.#file}.1`);
        }
        await appendFile(this.#file, text);
      }
    } catch {
      // The timeline is a convenience: a full disk is reported by the engines, whose data matters.
      this.#unwritten = [];
    } finally {
      this.#writing = null;
    }
  }
}

function parseEvent(line: string): TimelineEvent | null {
  try {
    const event = JSON.parse(line) as TimelineEvent;
    return typeof event.at === 'number' && typeof event.text === 'string' ? event : null;
  } catch {
    return null;
  }
}

/** Pure: what a person would say about the difference of two views. */
export function describeChanges(before: ClusterView, after: ClusterView, at: number): readonly TimelineEvent[] {
  const event = (kind: TimelineEvent['kind'], subject: string, text: string): TimelineEvent => ({
    at,
    cluster: after.name,
    kind,
    subject,
    text,
  });
  const events: TimelineEvent[] = [];
  for (const node of after.nodes) {
    const earlier = before.nodes.find((candidate) => candidate.name === node.name);
    if (earlier !== undefined && earlier.state !== node.state) {
      events.push(event('node', node.name, `${node.name}: ${node.state}. ${node.sentence}`));
    }
  }
  for (const context of after.contexts) {
    const earlier = before.contexts.find((candidate) => candidate.name === context.name);
    if (context.leader !== null && (earlier?.leader !== context.leader || earlier.term !== context.term)) {
      events.push(event('context', context.name, `${context.name}: ${context.leader} leads (term ${context.term}).`));
    } else if (earlier !== undefined && earlier.why.headline !== context.why.headline) {
      events.push(event('context', context.name, `${context.name}: ${context.why.sentence}`));
    }
  }
  const apps = new Set(before.apps.map((app) => `${app.clientId}@${app.node}`));
  const appsNow = new Set(after.apps.map((app) => `${app.clientId}@${app.node}`));
  for (const app of after.apps) {
    if (!apps.has(`${app.clientId}@${app.node}`)) {
      events.push(event('app', app.clientId, `${app.componentName} (${app.clientId}) connected to ${app.node}.`));
    }
  }
  for (const app of before.apps) {
    if (!appsNow.has(`${app.clientId}@${app.node}`)) {
      events.push(event('app', app.clientId, `${app.componentName} (${app.clientId}) left ${app.node}.`));
    }
  }
  return events;
}

export function describeFault(fault: Omit<LinkFaultView, 'since'>): string {
  const link = `${fault.from} to ${fault.to}`;
  if (fault.cut) {
    return `Cut ${link}.`;
  }
  const parts = [
    fault.delayMs > 0 ? `delay ${fault.delayMs} ms` : '',
    fault.jitterMs > 0 ? `jitter ${fault.jitterMs} ms` : '',
    fault.lossPercent > 0 ? `loss ${fault.lossPercent} %` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? `Healed ${link}.` : `${link}: ${parts.join(', ')}.`;
}
