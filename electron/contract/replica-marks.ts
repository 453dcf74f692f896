// Who has an event, from what members report of their logs (ux.md §9). Pure.
import type { ReplicaMark } from './events.ts';
import type { ReplicaView } from './model.ts';

export function markOf(token: number, { lastToken, appendedToken }: ReplicaView): ReplicaMark {
  if (lastToken === null) return 'unknown';
  if (token <= lastToken) return 'durable';
  return token <= (appendedToken ?? -1) ? 'appended' : 'absent';
}

/** As shown, with the word for those who do not see it. */
export const replicaMarks: Readonly<Record<ReplicaMark, { readonly glyph: string; readonly word: string }>> = {
  durable: { glyph: '●', word: 'durable' },
  appended: { glyph: '◐', word: 'appended, not committed' },
  absent: { glyph: '–', word: 'absent' },
  unknown: { glyph: '?', word: 'not known' },
};
