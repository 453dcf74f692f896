// Properties as people read them: what a key means, and where generated, yours and what runs differ (ux.md §12).

/** `restart`: at the next start of the node; `first-start`: only by a node that has no data yet; `never`: kept, without effect here. */
export type ConfigEffect = 'restart' | 'first-start' | 'never';

export interface ConfigKeyDoc {
  readonly key: string;
  /** What a value has to look like, as a phrase. */
  readonly type: string;
  /** Value when the key is absent; empty: none. */
  readonly fallback: string;
  readonly text: string;
  readonly effect: ConfigEffect;
}

/** One key that is not the same in the generated part, in yours, and in the process that runs. Secrets are not told. */
export interface ConfigDifference {
  readonly key: string;
  /** Null: the key is not in that part. */
  readonly generated: string | null;
  readonly yours: string | null;
  /** What the running process was started with; null also while nothing runs. */
  readonly inForce: string | null;
  /** The process runs with another value than the file has. */
  readonly waits: boolean;
  /** What that means, as one sentence. */
  readonly sentence: string;
}

/** What is set on every node of a cluster at once. */
export interface ClusterConfigView {
  /** The lines that the parts of all nodes share. */
  readonly yours: string;
  readonly unknownKeys: readonly string[];
  readonly meantKeys?: MeantKeys;
  readonly problems: readonly string[];
  /** Nodes with further lines, which win over the shared ones. */
  readonly ownLines: readonly string[];
  readonly needsRestart: readonly string[];
}

export const effectWords: Readonly<Record<ConfigEffect, string>> = {
  restart: 'at the next start of the node',
  'first-start': 'at the first start of a node without data only',
  never: 'never',
};

/** Keys that the engine knows by another spelling, by how they were typed. */
export type MeantKeys = Readonly<Record<string, string>>;

/** A key without meaning for the engine. */
export function unsupportedWords(key: string, meant: MeantKeys | undefined): string {
  const known = meant?.[key];
  return `${key} is not supported by this engine; it is kept.${known === undefined ? '' : ` Did you mean ${known}?`}`;
}
