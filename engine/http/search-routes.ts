// Ad-hoc queries over REST as server-sent events: metadata, row, done, error (rest-and-cli §4, client-behaviour §8).
import type { Settings } from '../config/settings.ts';
import { AxonError, DEFAULT_CONTEXT } from '../context/api.ts';
import { requireKind } from '../context/dcb-api.ts';
import { EventQuery } from '../query/event-query.ts';
import { QueryError } from '../query/lexer.ts';
import type { QueryLimits } from '../query/limits.ts';
import type { Change } from '../query/stages.ts';
import { isList, isMoment, textOf, type Value } from '../query/values.ts';
import type { Env } from '../util/env.ts';
import type { Exchange } from './exchange.ts';
import { contextOf, HttpError, queryFlag } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import { SSE_STREAMS_MAX } from './limits.ts';
import { SseStream } from './sse.ts';

interface Search {
  readonly query: EventQuery;
  stopped: boolean;
}

export class SearchRoutes {
  readonly #env: Env;
  readonly #limits: QueryLimits;
  readonly #node: HttpNodeFacade;
  readonly #searches = new Set<Search>();
  readonly #byToken = new Map<string, Search>();

  constructor(env: Env, settings: Settings, node: HttpNodeFacade) {
    this.#env = env;
    this.#limits = settings.messaging;
    this.#node = node;
  }

  /** What is wrong with the query comes as an event with HTTP 200. */
  async search(exchange: Exchange): Promise<void> {
    if (this.#searches.size >= SSE_STREAMS_MAX)
      throw new HttpError(503, `${SSE_STREAMS_MAX} searches are open already`);
    const { query, response } = exchange;
    const context = contextOf(exchange) ?? DEFAULT_CONTEXT;
    const options = {
      query: query.get('query') ?? '',
      live: queryFlag(query, 'liveupdates', false),
      snapshots: queryFlag(query, 'querySnapshots', false),
      fromLeader: queryFlag(query, 'forceleader', false),
      /** Our own: rows say which of their `sortValues` fall. */
      order: queryFlag(query, 'order', false),
    };
    // DP-5: who reads from the leader may ask any node, also one that has no part in the context.
    if (!options.fromLeader) requireKind(this.#node.directory.requireServable(context), false);
    const stream = new SseStream(response);
    const token = query.get('clientToken') ?? '';
    stream.open();
    try {
      const search = this.#begin(options, context, stream, token);
      response.on('close', () => search.query.cancelled());
      try {
        await search.query.run();
      } finally {
        this.#searches.delete(search);
        if (this.#byToken.get(token) === search) this.#byToken.delete(token);
      }
    } catch (error) {
      await stream.write(`event:error\ndata:${describe(error).replace(/\s+/g, ' ')}\n\n`);
    }
    response.end();
  }

  /** A new search with the token of an older one ends that. */
  #begin(
    options: { query: string; live: boolean; snapshots: boolean; fromLeader: boolean; order: boolean },
    context: string,
    stream: SseStream,
    token: string,
  ): Search {
    let names: readonly string[] = [];
    let sent: Promise<void> = Promise.resolve();
    const send = (event: string, data: unknown): void => {
      sent = stream.write(`event:${event}\ndata:${JSON.stringify(data)}\n\n`);
    };
    const sink = {
      get open(): boolean {
        return !stream.closed && !search.stopped;
      },
      columns: (columns: readonly string[]) => {
        names = columns;
        send('metadata', columns);
      },
      row: (change: Change) => send('row', rowOf(change, names, options.order)),
      historyDone: () => send('done', 'Done'),
      ready: () => sent,
    };
    const store = this.#node.directory.eventStore(context);
    const query = new EventQuery({ ...options, store, clock: this.#env, sink, limits: this.#limits });
    const search: Search = { query, stopped: false };
    search.query.addPermits(Number.MAX_SAFE_INTEGER);
    this.#searches.add(search);
    const older = this.#byToken.get(token);
    if (token !== '') this.#byToken.set(token, search);
    if (older !== undefined) {
      older.stopped = true;
      older.query.cancelled();
    }
    return search;
  }
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof QueryError || error instanceof AxonError ? `[${error.code}] ${message}` : message;
}

function rowOf({ id, row }: Change, names: readonly string[], order: boolean): unknown {
  const idValues = id.map(jsonOf);
  if (row === null) return { idValues, deleted: true };
  const sortValues = row.sort.map((value) =>
    isMoment(value ?? '') ? (value as { epochMs: number }).epochMs : jsonOf(value),
  );
  const value = Object.fromEntries(names.map((name) => [name, jsonOf(row.get(name) ?? null)]));
  return { idValues, sortValues, value, ...(order ? { descending: row.descending } : {}) };
}

function jsonOf(value: Value): unknown {
  return isList(value) ? value.map(jsonOf) : isMoment(value) ? textOf(value) : value;
}
