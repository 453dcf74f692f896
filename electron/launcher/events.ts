// Events of a context read from the copy of one node, with the truth about the others (ux.md §9). Bounded per call.
// Entry points: `readEvents`, `readEvent`, `eventTree`, `appendEvent`.
import type { AppendReport, EngineAsk, EventReport, EventsReport } from '../../engine/control/protocol.ts';
import { ASK_EVENTS_MAX } from '../../engine/control/protocol.ts';
import type {
  EventDetail,
  EventFilter,
  EventGroup,
  EventPage,
  EventQuery,
  EventRow,
  EventTree,
  NewEventInput,
} from '../contract/events.ts';
import type { ClusterView, ContextView, NodeName, ReplicaView } from '../contract/model.ts';
import { markOf } from '../contract/replica-marks.ts';
import { launcherError } from './errors.ts';
import { contextNotFound } from './targets.ts';

/** Events looked at for one answer; the answer tells where to go on. */
export const EVENTS_SCANNED_MAX = 20_000;
export const TREE_SCANNED_MAX = 100_000;
const AGGREGATES_LISTED_MAX = 200;

export interface EventSource {
  readonly view: () => ClusterView;
  readonly ask: <T>(node: NodeName, ask: EngineAsk) => Promise<T>;
}

export async function readEvents(source: EventSource, name: string, query: EventQuery): Promise<EventPage> {
  const context = contextOf(source.view(), name);
  const node = query.node ?? readerOf(context);
  const found: EventReport[] = [];
  let scanned = 0;
  let next: number | null = query.fromToken ?? 0;
  let last: EventsReport | null = null;
  const needsPayload = query.filter.text !== undefined && query.filter.text !== '';
  while (next !== null && found.length < query.max && scanned < EVENTS_SCANNED_MAX) {
    last = await source.ask<EventsReport>(node, {
      kind: 'events',
      context: name,
      fromToken: next,
      max: ASK_EVENTS_MAX,
      payload: needsPayload,
    });
    next = last.next;
    for (const event of last.events) {
      scanned += 1;
      if (matches(event, query.filter)) {
        found.push(event);
        if (found.length === query.max) {
          next = event.token < last.lastToken ? event.token + 1 : null;
          break;
        }
      }
    }
  }
  const members = contextOf(source.view(), name).members;
  return {
    context: name,
    node,
    events: found.map((event) => rowOf(event, members)),
    firstToken: last?.firstToken ?? 0,
    lastToken: last?.lastToken ?? -1,
    scanned,
    next,
    uncommitted: Object.fromEntries(
      members.flatMap((member) => {
        const open = (member.appendedToken ?? -1) - (member.lastToken ?? -1);
        return open > 0 ? [[member.node, open] as const] : [];
      }),
    ),
  };
}

/** Fails with EVENT_NOT_FOUND. */
export async function readEvent(source: EventSource, name: string, token: number): Promise<EventDetail> {
  const context = contextOf(source.view(), name);
  const report = await source.ask<EventsReport>(readerOf(context), {
    kind: 'events',
    context: name,
    fromToken: token,
    max: 1,
    payload: true,
  });
  const event = report.events.find((candidate) => candidate.token === token);
  if (event === undefined) {
    throw launcherError('EVENT_NOT_FOUND', `${name} has no event ${token}.`, `Its last is ${report.lastToken}.`, []);
  }
  return { ...rowOf(event, context.members), payload: event.payload ?? '' };
}

/** Types and their aggregates (for DCB contexts: their tags) with counts. */
export async function eventTree(source: EventSource, name: string): Promise<EventTree> {
  const node = readerOf(contextOf(source.view(), name));
  const groups = new Map<string, { events: number; aggregates: Map<string, number> }>();
  let scanned = 0;
  let next: number | null = 0;
  while (next !== null && scanned < TREE_SCANNED_MAX) {
    const report: EventsReport = await source.ask<EventsReport>(node, {
      kind: 'events',
      context: name,
      fromToken: next,
      max: ASK_EVENTS_MAX,
      payload: false,
    });
    scanned += report.events.length;
    next = report.next;
    for (const event of report.events) {
      count(groups, event);
    }
  }
  return { groups: [...groups].map(groupOf).sort((a, b) => b.events - a.events), scanned, complete: next === null };
}

function count(groups: Map<string, { events: number; aggregates: Map<string, number> }>, event: EventReport): void {
  const type = event.aggregateType !== '' ? event.aggregateType : event.type;
  const group = groups.get(type) ?? { events: 0, aggregates: new Map<string, number>() };
  groups.set(type, group);
  group.events += 1;
  for (const id of event.aggregateId !== '' ? [event.aggregateId] : event.tags) {
    group.aggregates.set(id, (group.aggregates.get(id) ?? 0) + 1);
  }
}

function groupOf([type, { events, aggregates }]: readonly [
  string,
  { readonly events: number; readonly aggregates: ReadonlyMap<string, number> },
]): EventGroup {
  const listed = [...aggregates].sort((a, b) => b[1] - a[1]).slice(0, AGGREGATES_LISTED_MAX);
  return {
    type,
    events,
    aggregates: listed.map(([id, number]) => ({ id, events: number })),
    more: aggregates.size - listed.length,
  };
}

/** Through any node that serves the context, as an app would: committed when answered. */
export function appendEvent(source: EventSource, name: string, event: NewEventInput): Promise<AppendReport> {
  const node = readerOf(contextOf(source.view(), name));
  return source.ask<AppendReport>(node, { kind: 'append', context: name, events: [event] });
}

export function contextOf(view: ClusterView, name: string): ContextView {
  const found = view.contexts.find((context) => context.name === name);
  if (found === undefined) {
    throw contextNotFound(
      view.name,
      name,
      view.contexts.map((context) => context.name),
    );
  }
  return found;
}

/** The leader, else the member that has most. Fails with CONTEXT_UNREADABLE. */
export function readerOf(context: ContextView): NodeName {
  const storing = context.members.filter((member) => member.lastToken !== null);
  const best = [...storing].sort((left, right) => (right.lastToken ?? -1) - (left.lastToken ?? -1))[0];
  const node = context.leader ?? best?.node;
  if (node === undefined) {
    throw launcherError('CONTEXT_UNREADABLE', `No node can read ${context.name} now.`, context.why.sentence, [
      'Start a node that stores it.',
    ]);
  }
  return node;
}

function rowOf(event: EventReport, members: readonly ReplicaView[]): EventRow {
  const { payload: _payload, ...row } = event;
  const storing = members.filter((member) => member.role !== 'MESSAGING_ONLY');
  return { ...row, replicas: Object.fromEntries(storing.map((member) => [member.node, markOf(event.token, member)])) };
}

export function matches(event: EventReport, filter: EventFilter): boolean {
  const { text, type, aggregate, from, to, meta } = filter;
  return (
    (type === undefined || type === '' || patternOf(type).test(event.type)) &&
    (aggregate === undefined ||
      aggregate === '' ||
      event.aggregateId === aggregate ||
      event.tags.includes(aggregate)) &&
    (from === undefined || event.timestamp >= from) &&
    (to === undefined || event.timestamp <= to) &&
    (meta === undefined || meta === '' || hasMeta(event, meta)) &&
    (text === undefined || text === '' || hasText(event, text.toLowerCase()))
  );
}

function patternOf(words: string): RegExp {
  const escaped = words.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(words.includes('*') ? `^${escaped.join('.*')}$` : escaped.join(''), 'i');
}

function hasMeta(event: EventReport, meta: string): boolean {
  if (event.tags.includes(meta)) return true;
  const cut = meta.indexOf('=');
  return cut < 0
    ? Object.hasOwn(event.metaData, meta)
    : String(event.metaData[meta.slice(0, cut)]) === meta.slice(cut + 1);
}

function hasText(event: EventReport, wanted: string): boolean {
  const payload = event.payload === null ? '' : Buffer.from(event.payload, 'base64').toString('utf8');
  return [event.id, event.type, event.aggregateId, ...event.tags, JSON.stringify(event.metaData), payload].some(
    (part) => part.toLowerCase().includes(wanted),
  );
}
