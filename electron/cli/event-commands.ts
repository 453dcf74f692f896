// `muster events`, `append`, `verify`, `scrub`, `purge` (ux.md §9, §18; rows B8, B10). Entry points: the functions.
import { setTimeout as delay } from 'node:timers/promises';
import type { LauncherClient } from '../contract/api.ts';
import type { EventFilter, EventRow } from '../contract/events.ts';
import { filterOf, givenOf, parseTerms } from '../contract/event-words.ts';
import { UsageError, parseMoment, parseNode, parseWholeNumber } from '../contract/grammar.ts';
import { replicaMarks } from '../contract/replica-marks.ts';
import { contextOf } from '../launcher/events.ts';
import { searchNotFound } from '../launcher/searches.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';
import { onInterrupt } from './signals.ts';

const TAIL_POLL_MS = 250;
const PAGE_EVENTS = 1000;
const EXIT_NOT_MET = 3;

export interface EventsOptions {
  readonly type?: string;
  readonly aggregate?: string;
  readonly text?: string;
  readonly meta?: string;
  readonly where?: string;
  readonly search?: string;
  readonly since?: string;
  readonly until?: string;
  readonly fromToken?: string;
  readonly max?: string;
  readonly tail?: boolean;
  readonly payload?: boolean;
  readonly given?: boolean;
}

/** What is given word by word wins over `--where`, and that over the saved search. */
async function filterOfOptions(client: LauncherClient, cluster: string, options: EventsOptions): Promise<EventFilter> {
  const now = Date.now();
  const { type, aggregate, text, meta, since, until, where, search } = options;
  const own = {
    type,
    aggregate,
    text,
    meta,
    from: since === undefined ? undefined : parseMoment(since, now),
    to: until === undefined ? undefined : parseMoment(until, now),
  };
  return {
    ...(search === undefined ? {} : filterOf(parseTerms(await savedWords(client, cluster, search)), now)),
    ...(where === undefined ? {} : filterOf(parseTerms(where), now)),
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
  };
}

async function savedWords(client: LauncherClient, cluster: string, search: string): Promise<string> {
  const all = await client.searches(cluster);
  const found = all.find((one) => one.name === search);
  if (found === undefined) throw searchNotFound(cluster, search, all.map((one) => one.name).join(', '));
  return found.words;
}

export function events(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  options: EventsOptions,
): Promise<number> {
  const max = parseWholeNumber(options.max ?? '100');
  let from = options.fromToken === undefined ? null : parseWholeNumber(options.fromToken);
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const filter = await filterOfOptions(client, cluster, options);
    const interrupted = options.tail === true ? onInterrupt() : null;
    let stopped = false;
    void interrupted?.first.then(() => {
      stopped = true;
    });
    if (options.tail === true && from === null) {
      from = (await client.readEvents(cluster, context, { filter: {}, fromToken: null, max: 1 })).lastToken + 1;
    }
    do {
      const page = await client.readEvents(cluster, context, {
        filter,
        fromToken: from,
        max: Math.min(max, PAGE_EVENTS),
      });
      for (const event of page.events) {
        await print(client, output, cluster, context, event, options);
      }
      if (options.tail !== true) {
        output.note(honest(page.events.length, page.scanned, page.next));
      }
      from = page.next ?? page.lastToken + 1;
      if (options.tail === true && page.next === null) {
        await delay(TAIL_POLL_MS);
      }
    } while (options.tail === true && !stopped);
    interrupted?.release();
    return 0;
  });
}

function honest(shown: number, scanned: number, next: number | null): string {
  return next === null
    ? `${shown} events of ${scanned} looked at: all there are.`
    : `${shown} events of ${scanned} looked at; there is more: --from-token ${next}`;
}

async function print(
  client: LauncherClient,
  output: Output,
  cluster: string,
  context: string,
  event: EventRow,
  options: EventsOptions,
): Promise<void> {
  const withPayload = options.payload === true || options.given === true;
  const payload = withPayload
    ? Buffer.from((await client.readEvent(cluster, context, event.token)).payload, 'base64').toString('utf8')
    : null;
  const given = payload !== null && options.given === true ? givenOf(event.type, payload) : null;
  output.object({ ...event, ...(payload === null ? {} : { payload }), ...(given === null ? {} : { given }) });
  if (given !== null) {
    output.line(given);
    return;
  }
  const where = event.aggregateId === '' ? event.tags.join(' ') : `${event.aggregateId}#${event.sequence ?? ''}`;
  const replicas = Object.values(event.replicas)
    .map((mark) => replicaMarks[mark].glyph)
    .join('');
  const time = new Date(event.timestamp).toISOString();
  output.line(`${String(event.token).padStart(8)}  ${replicas}  ${time}  ${event.type}  ${where}  ${event.size} B`);
  if (payload !== null) {
    output.line(`          ${payload}`);
  }
}

export interface AppendOptions {
  readonly type?: string;
  readonly revision?: string;
  readonly aggregate?: string;
  readonly aggregateType?: string;
  readonly payload?: string;
  readonly tag?: readonly string[];
  readonly meta?: readonly string[];
}

function metaOf(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const cut = word.indexOf('=');
      if (cut < 1) throw new UsageError(`'${word}' is no metadata: write key=value.`);
      return [word.slice(0, cut), word.slice(cut + 1)];
    }),
  );
}

export function append(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  options: AppendOptions,
): Promise<number> {
  const { type } = options;
  if (type === undefined) {
    throw new UsageError('Say which event: --type CardIssued --aggregate card-1 --payload \'{"amount":5}\'');
  }
  const metaData = metaOf(options.meta ?? []);
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const { id } = await client.appendEvent(cluster, context, {
      type,
      revision: options.revision ?? '',
      aggregateType: options.aggregateType ?? '',
      aggregateId: options.aggregate ?? '',
      sequence: null,
      payload: options.payload ?? '',
      metaData,
      tags: options.tag ?? [],
    });
    output.object({ cluster, context, id });
    output.line(`${type} appended to ${context} (${id}).`);
    return 0;
  });
}

/** Exit 3 when members differ or one could not be compared. */
export function verify(
  installation: Installation,
  output: Output,
  name: string | undefined,
  contexts: readonly string[],
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const chosen =
      contexts.length > 0 ? contexts : (await client.getCluster(cluster)).contexts.map((context) => context.name);
    const checks = await client.verifyReplicas(cluster, chosen);
    output.object(checks);
    for (const check of checks) {
      output.line(`${check.equal ? '✓' : '✕'} ${check.sentence}`);
      const rows = check.members.map((member) => [
        `  ${member.node}`,
        String(member.lastToken ?? '-'),
        String(member.events ?? '-'),
        member.checksum ?? '-',
        member.problem ?? '',
      ]);
      output.line(table(['  MEMBER', 'LAST TOKEN', 'EVENTS', 'CHECKSUM', ''], rows).join('\n'));
    }
    return checks.every((check) => check.equal) ? 0 : EXIT_NOT_MET;
  });
}

/** Exit 3 when there is damage. */
export function scrub(
  installation: Installation,
  output: Output,
  name: string | undefined,
  node: string,
  context: string | undefined,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const contexts = await client.scrub(cluster, parseNode(node), context === undefined ? [] : [context]);
    output.object({ cluster, node, contexts });
    for (const { damage, sentence } of contexts) {
      output.line(`${damage === null ? '✓' : '✕'} ${sentence}`);
    }
    return contexts.every(({ damage }) => damage === null) ? 0 : EXIT_NOT_MET;
  });
}

export function purge(
  installation: Installation,
  output: Output,
  name: string | undefined,
  contexts: readonly string[],
  yes: boolean,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const view = await client.getCluster(cluster);
    const chosen =
      contexts.length > 0
        ? contexts
        : view.contexts.map((context) => context.name).filter((context) => !context.startsWith('_'));
    for (const context of chosen) contextOf(view, context);
    if (!yes) {
      const counts = view.contexts
        .filter((context) => chosen.includes(context.name))
        .map((context) => `${context.name} (${(context.lastToken ?? -1) + 1} events)`);
      throw new UsageError(`This deletes every event of ${counts.join(', ')} on all nodes. Say --yes to do it.`);
    }
    const purged = await client.purge(cluster, chosen);
    output.object({ cluster, purged });
    for (const { context, events: deleted } of purged) {
      output.line(`${context}: ${deleted} events deleted on all nodes; the next event is number 0.`);
    }
    return 0;
  });
}
