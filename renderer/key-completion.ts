// Which property keys fit what is being typed in a properties text. Pure. Entry point: `completionAt`.
import type { ConfigKeyDoc } from '../electron/contract/config-docs.ts';

/** A longer list is not read; typing one more letter is quicker. */
export const COMPLETIONS_MAX = 8;
const PREFIX = 'axoniq.axonserver.';

export interface Completion {
  /** What is replaced when a key is taken: from where it was begun to the end of the word. */
  readonly from: number;
  readonly to: number;
  /** Lines above the caret, and characters before the key on its line. */
  readonly line: number;
  readonly column: number;
  readonly keys: readonly ConfigKeyDoc[];
}

/** Null where no key can stand (in a value or a comment), where none fits, and where a key stands that no other one goes on from. */
export function completionAt(text: string, caret: number, docs: readonly ConfigKeyDoc[]): Completion | null {
  const lineStart = text.lastIndexOf('\n', caret - 1) + 1;
  const before = /^(\s*)([\w.*[\]-]*)$/.exec(text.slice(lineStart, caret));
  if (before === null) return null;
  const [, indent = '', begun = ''] = before;
  const rest = /^[\w.*[\]-]*/.exec(text.slice(caret))?.[0] ?? '';
  const keys = matching(begun.toLowerCase(), docs);
  const word = begun + rest;
  if (keys.length === 0 || (keys[0]?.key === word && keys[1]?.key.startsWith(word) !== true)) return null;
  return {
    from: lineStart + indent.length,
    to: caret + rest.length,
    line: text.slice(0, lineStart).split('\n').length - 1,
    column: indent.length,
    keys,
  };
}

/** Keys that begin so come before keys that begin so after the common prefix, and these before keys that hold it anywhere. */
function matching(begun: string, docs: readonly ConfigKeyDoc[]): readonly ConfigKeyDoc[] {
  const rank = (key: string): number => {
    if (key.startsWith(begun)) return 0;
    if (key.startsWith(PREFIX + begun)) return 1;
    return key.includes(begun) ? 2 : 3;
  };
  return docs
    .map((doc) => ({ doc, rank: rank(doc.key.toLowerCase()) }))
    .filter((one) => one.rank < 3)
    .sort((left, right) => left.rank - right.rank)
    .slice(0, COMPLETIONS_MAX)
    .map((one) => one.doc);
}

/** What takes the place of `from` to `to`: the key with its equals sign, unless one stands there already. */
export function completed(text: string, { to }: Completion, key: string): string {
  return /^[ \t]*[=:]/.test(text.slice(to)) ? key : `${key}=`;
}
