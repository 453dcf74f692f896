// Messages and entries as the scripts write them.
import { decodeConfig } from '../../engine/raft/membership.ts';
import { type Entry, EntryType, type Message } from '../../engine/raft/types.ts';

/** `2` an entry of term 2, `2n` the one that opens a leadership, `2c` a configuration. */
export function entryText(entry: Entry): string {
  const kind = entry.type === EntryType.NOOP ? 'n' : entry.type === EntryType.CONFIG ? 'c' : '';
  return `${entry.term}${kind}`;
}

function sentEntries(entries: readonly Entry[]): string {
  if (entries.length === 0) return 'nothing';
  return entries.map((entry) => `${entry.index}/${entryText(entry)}${membersText(entry)}`).join(' ');
}

function membersText(entry: Entry): string {
  if (entry.type !== EntryType.CONFIG) return '';
  return `{${decodeConfig(entry.data)
    .members.map((member) => `${member.id}:${member.role.split('_')[0]?.toLowerCase()}`)
    .join(' ')}}`;
}

export function messageText(message: Message): string {
  return `${message.from}>${message.to} ${message.type} of term ${message.term}${detailText(message)}`;
}

function detailText(message: Message): string {
  switch (message.type) {
    case 'pre-vote':
      return `, last ${message.lastIndex}/${message.lastTerm}`;
    case 'vote':
      return `, last ${message.lastIndex}/${message.lastTerm}${message.transfer ? ', by order of the leader' : ''}`;
    case 'pre-vote-response':
    case 'vote-response':
      return message.granted ? ': yes' : ': no';
    case 'append':
      return `: ${sentEntries(message.entries)} after ${message.prevIndex}/${message.prevTerm}, commit ${message.commit}`;
    case 'append-response':
      if (message.reject) return `: no ${message.matchIndex}, try ${message.hintIndex}/${message.hintTerm}`;
      return `: holds ${message.matchIndex}`;
    case 'heartbeat':
      return `, commit ${message.commit}${readText(message.readSeq)}, successor ${message.successor ?? '-'}`;
    case 'heartbeat-response':
      return `: log to ${message.lastIndex}${readText(message.readSeq)}`;
    case 'timeout-now':
      return '';
  }
}

const readText = (counter: number): string => (counter === 0 ? '' : `, read round ${counter}`);
