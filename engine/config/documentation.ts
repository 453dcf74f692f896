// What every property means, for people: type and default come from its definition, the sentence and when it takes effect from here.
// A test holds it to the definitions. Pure. Entry points: `documentedKeys`, `documentationOf`.
import { allDefinitions, formationKeys, PREFIX } from './definitions.ts';
import { KEY_TEXTS } from './key-texts.ts';
import { uniformKey } from './properties.ts';
import type { Definition } from './values.ts';
import { WITHOUT_EFFECT } from './without-effect.ts';

/** `restart`: at the next start of the node; `first-start`: only by a node that has no data yet; `never`: kept, without effect here. */
export type KeyEffect = 'restart' | 'first-start' | 'never';

export interface KeyDocumentation {
  readonly key: string;
  /** What a value has to look like, as a phrase. */
  readonly type: string;
  /** Value when the key is absent; empty: none. */
  readonly fallback: string;
  readonly text: string;
  readonly effect: KeyEffect;
}

const FIRST_START: ReadonlySet<string> = new Set(
  [
    formationKeys.first,
    formationKeys.contexts,
    formationKeys.dcb,
    formationKeys.standalone,
    formationKeys.standaloneDcb,
    formationKeys.clusterTemplatePath,
  ].map((definition) => definition.key),
);

/** Checked when a node starts, and nothing else. */
const NOT_USED: ReadonlySet<string> = new Set([
  `${PREFIX}pid-file-location`,
  `${PREFIX}controldb-backup-location`,
  `${PREFIX}plugins-enabled`,
  `${PREFIX}event.storage`,
  `${PREFIX}snapshot.storage`,
  `${PREFIX}replication.log-storage-folder`,
  'logging.file.name',
]);

const KB = 1024;

/** A text that no checked type takes: what is expected instead names the type. */
const NO_VALUE = '?!';

function documentation(definition: Definition<unknown>): KeyDocumentation {
  const { key } = definition;
  const probe = definition.parse(NO_VALUE);
  const type = probe.ok ? 'text' : probe.expected;
  const why = WITHOUT_EFFECT.get(key);
  return {
    key,
    type,
    fallback: fallbackOf(definition, type),
    text: why === undefined ? (KEY_TEXTS.get(key) ?? '') : `No effect here: ${why}.`,
    effect: why !== undefined || NOT_USED.has(key) ? 'never' : FIRST_START.has(key) ? 'first-start' : 'restart',
  };
}

function fallbackOf({ fallback }: Definition<unknown>, type: string): string {
  if (fallback === null || (Array.isArray(fallback) && fallback.length === 0)) return '';
  if (typeof fallback !== 'number') return String(fallback);
  if (type.startsWith('a duration') && fallback >= 0) return `${fallback}ms`;
  if (!type.startsWith('a size')) return String(fallback);
  if (fallback % (KB * KB) === 0) return `${fallback / (KB * KB)}MB`;
  return fallback % KB === 0 ? `${fallback / KB}KB` : String(fallback);
}

/** Every supported key, in the order of the definitions, and the family of tags. */
export const documentedKeys: readonly KeyDocumentation[] = [
  ...allDefinitions.map(documentation),
  {
    key: `${PREFIX}tags.*`,
    type: 'text',
    fallback: '',
    text: 'Tags of the node, such as a region; a client that gives the same tags is sent here first.',
    effect: 'restart',
  },
];

const byUniformKey = new Map(documentedKeys.map((entry) => [uniformKey(entry.key), entry]));

/** Of a key in any of its spellings; null when the engine does not know it. */
export function documentationOf(key: string): KeyDocumentation | null {
  const uniform = uniformKey(key);
  const family = uniform.startsWith(uniformKey(`${PREFIX}tags.`))
    ? byUniformKey.get(uniformKey(`${PREFIX}tags.*`))
    : null;
  return byUniformKey.get(uniform) ?? family ?? null;
}
