// One query over the events of a context, asked of a node that has them (rest-and-cli §4, client-behaviour QE-1 to QE-10).
// Entry points: `queryEvents`, `answerOf`.
import { QUERY_ROWS_MAX } from '../contract/query.ts';
import type { QueryAnswer, QueryValue } from '../contract/query.ts';
import { ANSWER_CHARS_MAX, callNode } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import { contextOf, readerOf } from './events.ts';
import { notRunning } from './waiters.ts';

interface SentRow {
  readonly idValues: readonly QueryValue[];
  readonly deleted?: boolean;
  readonly sortValues?: readonly QueryValue[];
  readonly descending?: readonly boolean[];
  readonly value?: Readonly<Record<string, QueryValue>>;
}

const refused = (why: string) =>
  launcherError('QUERY_REFUSED', 'The query has no answer.', why, [
    'Correct it: the language is in docs/queries.md, with examples.',
  ]);

export async function queryEvents(cluster: Cluster, name: string, query: string): Promise<QueryAnswer> {
  const { view } = cluster;
  const node = view.nodes.find((one) => one.name === readerOf(contextOf(view, name)));
  if (node === undefined) throw notRunning(view.name);
  const door = { httpPort: node.http, security: await cluster.security() };
  const words = new URLSearchParams({ context: name, query, order: 'true' });
  const begun = performance.now();
  const { status, text } = await callNode(door, 'GET', `/v1/search?${words}`, null);
  if (status !== 200) throw refused(text === '' ? `The server answered ${status}.` : text);
  return answerOf(text, Math.round(performance.now() - begun));
}

/** Rows of one id replace each other, one without values goes (QE-3). Fails with QUERY_REFUSED. */
export function answerOf(text: string, tookMs: number): QueryAnswer {
  let columns: readonly string[] = [];
  const rows = new Map<string, SentRow>();
  let isWhole = false;
  // The last part has no end: it was cut, or is empty.
  const isCut = text.length >= ANSWER_CHARS_MAX;
  for (const part of text.split('\n\n').slice(0, isCut ? -1 : undefined)) {
    const found = /^event:(\w+)\ndata:(.*)$/s.exec(part);
    if (found === null) continue;
    const [, kind = '', data = ''] = found;
    if (kind === 'error') throw refused(data);
    if (kind === 'done') isWhole = true;
    if (kind === 'metadata') columns = JSON.parse(data) as readonly string[];
    if (kind !== 'row') continue;
    const row = JSON.parse(data) as SentRow;
    const id = JSON.stringify(row.idValues);
    rows.delete(id);
    if (row.deleted !== true) rows.set(id, row);
  }
  if (!isWhole && !isCut) throw refused('The answer ended before all was read.');
  const sorted = [...rows.values()].sort(byOrder);
  return {
    columns,
    rows: sorted.slice(0, QUERY_ROWS_MAX).map(({ value }) => columns.map((column) => value?.[column] ?? null)),
    more: isCut || sorted.length > QUERY_ROWS_MAX,
    tookMs,
  };
}

function byOrder(left: SentRow, right: SentRow): number {
  for (const [i, value] of (left.sortValues ?? []).entries()) {
    const difference = compare(value, right.sortValues?.[i] ?? null);
    if (difference !== 0) return left.descending?.[i] === true ? -difference : difference;
  }
  return 0;
}

/** Numbers before texts, nothing first. */
function compare(left: QueryValue, right: QueryValue): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  if (typeof left === 'number' || typeof right === 'number') return typeof left === 'number' ? -1 : 1;
  const [a, b] = [String(left), String(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}
