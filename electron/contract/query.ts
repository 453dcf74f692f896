// The query language over the events of a context: part of LauncherApi (slices.ts). Types, limits and words.
import type { ClusterName, ContextName } from './model.ts';

export const QUERY_CHARS_MAX = 10_000;
/** Rows of one answer; more are left out, and said so. */
export const QUERY_ROWS_MAX = 1000;

export type QueryValue = string | number | boolean | null | readonly QueryValue[];

export const valueText = (value: QueryValue): string =>
  value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

export interface QueryAnswer {
  readonly columns: readonly string[];
  /** In order: as sorted by the query, groups by their key, events from new to old. */
  readonly rows: readonly (readonly QueryValue[])[];
  readonly more: boolean;
  readonly tookMs: number;
}

export interface QueryApi {
  /**
   * What the server answers to a query of all events so far; an empty one gives the last 200. Fails with QUERY_REFUSED, whose reason is
   * the server's and names the place, CONTEXT_NOT_FOUND, CONTEXT_UNREADABLE.
   */
  queryEvents(cluster: ClusterName, context: ContextName, query: string): Promise<QueryAnswer>;
}

export const queryMethods = ['queryEvents'] as const satisfies readonly (keyof QueryApi)[];

/** `at position 12` of a refused query; null: it names none. */
export function placeIn(why: string): number | null {
  const found = /at position (\d+)/.exec(why);
  return found === null ? null : Number(found[1]);
}
