// Messages come from outside: what must hold before the core looks at one.
import { decodeConfig } from './membership.ts';
import { EntryType, type Message } from './types.ts';

/** Null when the message is well formed, else what is wrong with it. */
export function messageDefect(message: Message): string | null {
  if (!isCount(message.term)) return 'term is not a count';
  switch (message.type) {
    case 'pre-vote':
    case 'vote':
      return isCount(message.lastIndex) && isCount(message.lastTerm) ? null : 'last entry is not a position';
    case 'append':
      return appendDefect(message);
    case 'append-response':
      if (!isCount(message.matchIndex) || !isCount(message.hintIndex)) return 'match or hint is not an index';
      return isCount(message.hintTerm) ? null : 'hint is not a term';
    case 'heartbeat':
      return isCount(message.commit) && isCount(message.readSeq) ? null : 'commit or read counter is not a count';
    case 'heartbeat-response':
      return isCount(message.readSeq) ? null : 'read counter is not a count';
    default:
      return null;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function appendDefect(message: Extract<Message, { type: 'append' }>): string | null {
  if (!isCount(message.prevIndex) || !isCount(message.prevTerm) || !isCount(message.commit)) return 'not a position';
  if (message.prevIndex === 0 && message.prevTerm !== 0) return 'a term before the log';
  let index = message.prevIndex;
  let term = message.prevTerm;
  for (const entry of message.entries) {
    if (entry.index !== index + 1) return 'entries are not contiguous';
    if (!isCount(entry.term) || entry.term < term || entry.term > message.term) return 'terms are out of order';
    if (entry.type === EntryType.CONFIG) {
      try {
        decodeConfig(entry.data);
      } catch (error) {
        return error instanceof Error ? error.message : 'malformed configuration';
      }
    }
    index = entry.index;
    term = entry.term;
  }
  return null;
}
