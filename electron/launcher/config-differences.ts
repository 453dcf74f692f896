// Where the generated part, yours and the running process differ, key by key (ux.md §12). Pure. Entry point: `differencesOf`.
import { documentationOf } from '../../engine/config/documentation.ts';
import { parseProperties, uniformKey } from '../../engine/config/properties.ts';
import type { ConfigDifference } from '../contract/config-docs.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
}

/** Tokens and passwords are in the file and in `muster connect`, not on a page. */
export const HIDDEN = '(secret)';
export const isSecret = (key: string): boolean => /token$|password$/.test(uniformKey(key));

export interface ConfigParts {
  readonly generated: readonly Entry[];
  /** The user's part of the file as text. */
  readonly yours: string;
  /** What the process that runs was started with; null: nothing runs, or it does not tell. */
  readonly inForce: readonly Entry[] | null;
  /** The node has data: keys of the first start come too late. */
  readonly started: boolean;
}

/** Keys that the user's part sets, then those that the process has otherwise than the file. */
export function differencesOf(parts: ConfigParts): readonly ConfigDifference[] {
  const generated = byKey(parts.generated);
  const yours = byKey(entriesOf(parts.yours));
  const inForce = parts.inForce === null ? null : byKey(parts.inForce);
  const keys = new Map([...generated, ...(inForce ?? []), ...yours].map(([uniform, { key }]) => [uniform, key]));
  const found: ConfigDifference[] = [];
  for (const [uniform, key] of keys) {
    const known = documentationOf(key) !== null;
    const file = yours.get(uniform) ?? generated.get(uniform);
    const running = inForce?.get(uniform);
    const waits = known && inForce !== null && file?.value !== running?.value;
    if (!waits && !yours.has(uniform)) continue;
    const shown = (entry: Entry | undefined): string | null =>
      entry === undefined ? null : isSecret(key) ? HIDDEN : entry.value;
    const difference = {
      key,
      generated: shown(generated.get(uniform)),
      yours: shown(yours.get(uniform)),
      inForce: shown(running),
      waits,
    };
    found.push({ ...difference, sentence: sentenceOf(difference, parts.started) });
  }
  return found;
}

function byKey(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map(({ key, value }) => [uniformKey(key), { key, value: value.trim() }]));
}

/** As the engine reads it: the file is UTF-8 on disk and, as Java has it, Latin-1 to the reader. */
function entriesOf(text: string): readonly Entry[] {
  const { lines } = parseProperties(Buffer.from(text, 'utf8').toString('latin1'));
  return lines.flatMap((line) => (line.kind === 'entry' ? [{ key: line.key, value: line.value }] : []));
}

function sentenceOf(difference: Omit<ConfigDifference, 'sentence'>, started: boolean): string {
  const { key, generated, yours, inForce, waits } = difference;
  const documentation = documentationOf(key);
  if (documentation === null) return 'Not supported by this engine; the line is kept.';
  if (documentation.effect === 'never') return documentation.text;
  if (documentation.effect === 'first-start' && started)
    return 'Too late: only a node without data reads this key, and this one has data.';
  const without = documentation.fallback === '' ? 'none' : `the default ${documentation.fallback}`;
  const words = (value: string | null): string => (value === null ? without : value === '' ? 'empty' : value);
  if (waits) {
    return inForce === HIDDEN || yours === HIDDEN
      ? 'Waits for a restart of the node: another secret.'
      : `Waits for a restart of the node: ${words(inForce)} now, ${words(yours ?? generated)} then.`;
  }
  return generated === null ? `Yours, instead of ${without}.` : 'Yours wins over the generated line.';
}
