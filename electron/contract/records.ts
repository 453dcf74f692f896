// The calls of what people write down about a cluster, saved searches and notes, of what they tell its event processors, and of
// who may use it (access.ts): part of LauncherApi (api.ts). Types only.
import { accessMethods } from './access.ts';
import type { AccessApi } from './access.ts';
import type { TimelineEvent } from './history.ts';
import type { ClusterName } from './model.ts';
import type { ProcessorApi } from './processors.ts';

/** A filter of events under a name, kept in the cluster's folder. */
export interface SavedSearch {
  readonly name: string;
  /** As event-words.ts reads it: `type:Card* from:10m`. Times so long ago stay relative. */
  readonly words: string;
}

export const SEARCHES_MAX = 100;

export interface RecordsApi extends ProcessorApi, AccessApi {
  /** By name. Fails with SEARCHES_UNREADABLE. */
  searches(cluster: ClusterName): Promise<readonly SavedSearch[]>;
  /** Replaces the one of that name. Fails with SEARCHES_FULL. */
  saveSearch(cluster: ClusterName, name: string, words: string): Promise<SavedSearch>;
  /** Fails with SEARCH_NOT_FOUND, SEARCH_EXISTS. */
  renameSearch(cluster: ClusterName, name: string, to: string): Promise<SavedSearch>;
  /** Fails with SEARCH_NOT_FOUND. */
  removeSearch(cluster: ClusterName, name: string): Promise<void>;
  /** Pins one line of text to an epoch millisecond of the timeline, at the latest to now. */
  addNote(cluster: ClusterName, at: number, text: string): Promise<TimelineEvent>;
  /** The note keeps its moment. Fails with NOTE_NOT_FOUND. */
  editNote(cluster: ClusterName, id: string, text: string): Promise<TimelineEvent>;
  /** Fails with NOTE_NOT_FOUND. */
  removeNote(cluster: ClusterName, id: string): Promise<void>;
}

/** Push: the searches of a cluster, whoever changed them. */
export interface SearchesChanged {
  readonly cluster: ClusterName;
  readonly searches: readonly SavedSearch[];
}

export const recordMethods = [
  'searches',
  'saveSearch',
  'renameSearch',
  'removeSearch',
  'addNote',
  'editNote',
  'removeNote',
  'steerProcessor',
  ...accessMethods,
] as const satisfies readonly (keyof RecordsApi)[];
