// What happened to a cluster, one JSON line per event on disk, bounded. Entry points: `Timeline`, `describeChanges`.
import type { TimelineEvent, TimelineMark } from '../contract/history.ts';
import type { DiskFault, LinkFaultView } from '../contract/faults.ts';
import type { ClusterView } from '../contract/model.ts';
import { skewWords } from '../contract/words.ts';
import { LineFile } from './line-file.ts';
import { readTail } from './logs.ts';

/** Two files of this size: ux.md §10 allows 50 MB per cluster. */
export const TIMELINE_FILE_BYTES_MAX = 25 * 1024 * 1024;
const READ_BYTES_MAX = 2 * 1024 * 1024;
const EVENTS_ANSWERED_MAX = 5000;
const UNWRITTEN_EVENTS_MAX = 10_000;

export class Timeline {
  readonly #file: string;
  readonly #listener: (event: TimelineEvent) => void;
  readonly #lines: LineFile<TimelineEvent>;

  constructor(file: string, listener: (event: TimelineEvent) => void) {
    this.#file = file;
    this.#listener = listener;
    this.#lines = new LineFile({
      file,
      unwrittenMax: UNWRITTEN_EVENTS_MAX,
      trim: (unwritten) => unwritten.slice(-UNWRITTEN_EVENTS_MAX / 2),
      rotateAt: (unwritten, size) => {
        const bytes = unwritten.reduce((sum, { text }) => sum + text.length, size);
        return bytes > TIMELINE_FILE_BYTES_MAX ? 0 : null;
      },
    });
  }

  add(event: TimelineEvent): void {
    this.#listener(event);
    this.#lines.add(event);
  }

  /** Events at or after `since` (epoch ms), oldest first, at most EVENTS_ANSWERED_MAX (the newest). */
  async since(since: number): Promise<readonly TimelineEvent[]> {
    await this.flush();
    const lines = (await readTail(this.#file, READ_BYTES_MAX)).split('\n');
    // A note stands at the moment that it is about, not where it was written.
    return latest(lines.map(parseEvent).filter((event): event is TimelineEvent => event !== null))
      .filter((event) => event.at >= since && event.removed !== true)
      .sort((left, right) => left.at - right.at)
      .slice(-EVENTS_ANSWERED_MAX);
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }

  /** Writes nothing more: the folder may be deleted afterwards. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** The file is only added to: what was written last of a note counts. */
function latest(events: readonly TimelineEvent[]): readonly TimelineEvent[] {
  const last = new Map(events.map((event) => [event.id, event]));
  return events.filter((event) => event.id === undefined || last.get(event.id) === event);
}

function parseEvent(line: string): TimelineEvent | null {
  try {
    const { script, ...event } = JSON.parse(line) as TimelineEvent;
    if (typeof event.at !== 'number' || typeof event.text !== 'string') return null;
    const usable = Array.isArray(script) && script.every((words) => typeof words === 'string');
    return usable ? { ...event, script } : event;
  } catch {
    return null;
  }
}

/** Pure: what a person would say about the difference of two views. */
export function describeChanges(before: ClusterView, after: ClusterView, at: number): readonly TimelineEvent[] {
  const event = (kind: TimelineEvent['kind'], subject: string, text: string, mark?: TimelineMark): TimelineEvent => ({
    at,
    cluster: after.name,
    kind,
    subject,
    text,
    ...(mark === undefined ? {} : { mark }),
  });
  const events: TimelineEvent[] = [];
  for (const node of after.nodes) {
    const earlier = before.nodes.find((candidate) => candidate.name === node.name);
    if (earlier !== undefined && earlier.state !== node.state) {
      const mark = node.state === 'crashed' ? 'crash' : undefined;
      events.push(event('node', node.name, `${node.name}: ${node.state}. ${node.sentence}`, mark));
    }
  }
  for (const context of after.contexts) {
    const earlier = before.contexts.find((candidate) => candidate.name === context.name);
    if (context.leader !== null && (earlier?.leader !== context.leader || earlier.term !== context.term)) {
      const text = `${context.name}: ${context.leader} leads (term ${context.term}).`;
      events.push(event('context', context.name, text, 'election'));
    } else if (earlier !== undefined && earlier.why.headline !== context.why.headline) {
      events.push(event('context', context.name, `${context.name}: ${context.why.sentence}`));
    }
  }
  const apps = new Set(before.apps.map((app) => `${app.clientId}@${app.node}`));
  const appsNow = new Set(after.apps.map((app) => `${app.clientId}@${app.node}`));
  for (const app of after.apps) {
    if (!apps.has(`${app.clientId}@${app.node}`)) {
      events.push(
        event('app', app.clientId, `${app.componentName} (${app.clientId}) connected to ${app.node}.`, 'connect'),
      );
    }
  }
  for (const app of before.apps) {
    if (!appsNow.has(`${app.clientId}@${app.node}`)) {
      events.push(event('app', app.clientId, `${app.componentName} (${app.clientId}) left ${app.node}.`, 'disconnect'));
    }
  }
  return events;
}

export function describeDiskFault(node: string, { slowMs, failing, full }: DiskFault): string {
  const parts = [
    slowMs > 0 ? `every flush takes ${slowMs} ms longer` : '',
    failing ? 'the next flush fails' : '',
    full ? 'full' : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? `Disk of ${node} healed.` : `Disk of ${node}: ${parts.join(', ')}.`;
}

/** `skewMs` 0: healed. */
export function describeClockFault(node: string, skewMs: number): string {
  return skewMs === 0 ? `Clock of ${node} healed.` : `Clock of ${node}: ${skewWords(skewMs)}.`;
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
