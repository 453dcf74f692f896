// What the launcher may ask a node beyond its status: read its own copy of the events, compare its log, append by hand, tell a
// client to reconnect. Bounded per call. Entry point: `answerAsk`; rejections become the reply.
import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Contexts } from './context/contexts.ts';
import type { GroupHost } from './context/group-host.ts';
import type { Replica } from './context/replica.ts';
import type { Scrubber } from './context/scrubber.ts';
import type { AppendReport, DigestReport, EngineAsk, EventsReport, NewEvent } from './control/protocol.ts';
import { ASK_CHUNKS_MAX, ASK_EVENTS_MAX } from './control/protocol.ts';
import { reportEvent } from './event-report.ts';
import { eventFromJson } from './http/event-json.ts';
import type { Messaging } from './messaging/messaging.ts';
import { EntryType } from './raft/types.ts';
import type { Env } from './util/env.ts';
import { WireWriter } from './util/wire.ts';

const READ_BYTES_MAX = 2 * 1024 * 1024;
const DIGEST_SLICE_BYTES = 1024 * 1024;
const TAG_SEPARATOR = '=';
const DEFAULT_AGGREGATE_TYPE = 'Aggregate';

export interface AskParts {
  readonly env: Env;
  readonly groups: GroupHost;
  readonly scrubber: Scrubber;
  readonly contexts: Contexts;
  readonly messaging: Messaging;
}

export async function answerAsk(parts: AskParts, ask: EngineAsk): Promise<unknown> {
  switch (ask.kind) {
    case 'client':
      return { streams: parts.messaging.tellClient(ask.context, ask.clientId, ask.action) };
    case 'events':
      return readEvents(replicaOf(parts, ask.context), ask.fromToken, ask.max, ask.payload);
    case 'digest':
      return digest(replicaOf(parts, ask.context), ask.from, ask.to, ask.chunks);
    case 'scrub': {
      return ask.begin ? parts.scrubber.ask(replicaOf(parts, ask.context).context) : parts.scrubber.report(ask.context);
    }
    case 'pace': {
      const { ticks } = parts.groups;
      if (ask.step > 0) ticks.step(ask.step);
      else ticks.setPace({ slowdown: ask.slowdown, held: ask.held });
      return { ...ticks.pace, count: ticks.count };
    }
    case 'append':
      return append(parts, ask.context, ask.events);
    default:
      throw new Error('this engine does not know the question');
  }
}

function replicaOf({ groups }: AskParts, context: string): Replica {
  const replica = groups.replica(context);
  if (replica === null) throw new Error(`${context} is not stored on this node`);
  return replica;
}

/** This node's own files, committed events only. */
function readEvents({ store }: Replica, fromToken: number, max: number, withPayload: boolean): EventsReport {
  const from = Math.max(fromToken, store.firstToken);
  const wanted = Math.min(max, ASK_EVENTS_MAX);
  const { dcb } = store;
  const found =
    from > store.lastToken
      ? []
      : dcb === null
        ? store.readEvents(from, wanted, READ_BYTES_MAX)
        : dcb.read([], from).next(wanted, READ_BYTES_MAX, store.lastToken);
  const events = found.map(({ token, bytes }) =>
    reportEvent(token, bytes, dcb === null ? null : (dcb.tags(token) ?? []).map(readableTag), withPayload),
  );
  const last = events.at(-1);
  return {
    events,
    firstToken: store.firstToken,
    lastToken: store.lastToken,
    appendedToken: store.nextToken - 1,
    next: last === undefined || last.token >= store.lastToken ? null : last.token + 1,
  };
}

/** `TagText` keeps key and value in one text, length first: shown as key=value. */
function readableTag(text: string): string {
  const found = /^(\d+):/.exec(text);
  if (found === null) return text;
  const rest = text.slice(found[0].length);
  const length = Number(found[1]);
  return [rest.slice(0, length), rest.slice(length)]
    .map((part) => Buffer.from(part, 'latin1').toString('utf8'))
    .join(TAG_SEPARATOR);
}

/**
 * SHA-256 per slice of entries, read from this node's log. A slice that cannot be read carries the reason instead. Gives the
 * event loop back between blocks of DIGEST_SLICE_BYTES.
 */
async function digest({ store }: Replica, from: number, to: number, chunks: number): Promise<DigestReport> {
  const last = Math.min(to, store.committedIndex);
  const count = Math.max(1, Math.min(chunks, ASK_CHUNKS_MAX, last - from + 1));
  const size = Math.ceil((last - from + 1) / count);
  const slices: DigestReport['slices'][number][] = [];
  for (let start = from; start <= last; start += size) {
    const end = Math.min(last, start + size - 1);
    slices.push({ from: start, to: end, ...(await digestSlice(store, start, end)) });
  }
  return {
    slices,
    committedIndex: store.committedIndex,
    firstToken: store.firstToken,
    lastToken: store.lastToken,
  };
}

async function digestSlice(
  store: Replica['store'],
  from: number,
  to: number,
): Promise<{ readonly hash: string; readonly events: number; readonly problem: string | null }> {
  const hash = createHash('sha256');
  let events = 0;
  for (let next = from; next <= to; ) {
    try {
      const entries = store.entries(next, to, DIGEST_SLICE_BYTES);
      for (const entry of entries) {
        // Members need not have compacted at the same time: what counts is what a compaction leaves.
        const data = store.transformations.compacted(entry) ?? entry.data;
        hash.update(`${entry.index} ${entry.term} ${entry.type} ${data.length} `).update(data);
        if (entry.type === EntryType.EVENTS) events += entry.eventCount;
      }
      next += Math.max(1, entries.length);
    } catch (error) {
      return { hash: '', events, problem: error instanceof Error ? error.message : String(error) };
    }
    await nextTurn();
  }
  return { hash: hash.digest('hex').slice(0, 16), events, problem: null };
}

/** One transaction through this node, as a client would send it. Answers when it is committed. */
async function append(
  { env, contexts }: AskParts,
  context: string,
  events: readonly NewEvent[],
): Promise<AppendReport> {
  const ids = events.map((event) => event.id ?? randomUUID());
  if (contexts.requireServable(context).dcb) {
    const bytes = events.map((event, i) => taggedEvent(event, ids[i] ?? '', env.wallClock()));
    const appended = await contexts.dcbStore(context).append(null, bytes);
    return { ids, firstToken: appended?.first ?? null };
  }
  const store = contexts.eventStore(context);
  const nextOf = new Map<string, number>();
  const messages: Buffer[] = [];
  for (const [i, event] of events.entries()) {
    const { aggregateId } = event;
    const next =
      event.sequence ??
      (aggregateId === '' ? 0 : (nextOf.get(aggregateId) ?? (await store.highestSequence(aggregateId)) + 1));
    nextOf.set(aggregateId, next + 1);
    const json = {
      messageIdentifier: ids[i],
      aggregateIdentifier: aggregateId,
      // Without a type an event belongs to no aggregate, whatever its id (client-behaviour ES-4).
      aggregateType: event.aggregateType === '' && aggregateId !== '' ? DEFAULT_AGGREGATE_TYPE : event.aggregateType,
      aggregateSequenceNumber: next,
      payload: { type: event.type, revision: event.revision, data: event.payload },
      metaData: event.metaData,
    };
    messages.push(
      eventFromJson(json, { messageIdentifier: ids[i] ?? '', timestamp: env.wallClock(), snapshot: false }),
    );
  }
  await store.append(messages);
  return { ids, firstToken: null };
}

function taggedEvent(event: NewEvent, id: string, timestamp: number): Buffer {
  const inner = new WireWriter()
    .text(1, id)
    .int(2, timestamp)
    .text(3, event.type)
    .text(4, event.revision)
    .text(5, event.payload);
  for (const [key, value] of Object.entries(event.metaData)) {
    inner.bytes(6, new WireWriter().text(1, key).text(2, String(value)).finish());
  }
  const tagged = new WireWriter().bytes(1, inner.finish());
  for (const tag of event.tags) {
    const cut = tag.indexOf(TAG_SEPARATOR);
    const [key, value] = cut < 0 ? [tag, ''] : [tag.slice(0, cut), tag.slice(cut + 1)];
    tagged.bytes(2, new WireWriter().text(1, key).text(2, value).finish());
  }
  return tagged.finish();
}
