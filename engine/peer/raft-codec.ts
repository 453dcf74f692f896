// Raft messages as bytes: one bus frame carries a batch of messages of all groups. Strict on the way in. Pure.
// Layout: version, number of messages, messages; all numbers are unsigned varints below 2^53, texts and data have a length.
import type { Entry, EntryType, Message } from '../raft/types.ts';
import { readVarint, WireError, WireWriter } from '../util/wire.ts';

const VERSION = 1;
export const RAFT_MESSAGES_PER_FRAME_MAX = 4096;
export const RAFT_ENTRIES_PER_MESSAGE_MAX = 65_536;

/** What arrived is no batch of raft messages; nothing of it may be used. */
export class RaftCodecError extends Error {
  readonly code = 'PEER_RAFT_UNREADABLE';
  constructor(message: string) {
    super(message);
    this.name = 'RaftCodecError';
  }
}

const MESSAGE_TYPES = [
  'pre-vote',
  'pre-vote-response',
  'vote',
  'vote-response',
  'append',
  'append-response',
  'heartbeat',
  'heartbeat-response',
  'timeout-now',
] as const satisfies readonly Message['type'][];
const ENTRY_TYPES: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8] satisfies readonly EntryType[];
/** Added to the type of an entry that was compacted: then the checksum of its first form comes before the data. */
const COMPACTED = 16;
const CRC_MAX = 0xffff_ffff;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeRaftMessages(messages: readonly Message[]): Uint8Array {
  if (messages.length > RAFT_MESSAGES_PER_FRAME_MAX) {
    throw new RaftCodecError(`${messages.length} messages; at most ${RAFT_MESSAGES_PER_FRAME_MAX} go into one frame`);
  }
  const writer = new WireWriter(64 + messages.reduce((sum, message) => sum + sizeHint(message), 0));
  writer.varint(VERSION).varint(messages.length);
  for (const message of messages) {
    encodeMessage(writer, message);
  }
  return writer.finish();
}

/** Entry data are views on `bytes`. Throws RaftCodecError for anything but a complete, valid batch. */
export function decodeRaftMessages(bytes: Uint8Array): Message[] {
  try {
    const reader = new ByteReader(bytes);
    if (reader.number() !== VERSION) {
      throw new RaftCodecError('unknown version of the raft message format');
    }
    const count = reader.count(RAFT_MESSAGES_PER_FRAME_MAX);
    const messages: Message[] = [];
    for (let i = 0; i < count; i += 1) {
      messages.push(decodeMessage(reader));
    }
    if (!reader.atEnd) {
      throw new RaftCodecError('bytes left over after the last message');
    }
    return messages;
  } catch (error) {
    if (error instanceof RaftCodecError) {
      throw error;
    }
    throw new RaftCodecError(error instanceof Error ? error.message : String(error));
  }
}

function sizeHint(message: Message): number {
  return message.type === 'append' ? message.entries.reduce((sum, entry) => sum + entry.data.length + 48, 160) : 160;
}

function encodeMessage(writer: WireWriter, message: Message): void {
  writer.varint(MESSAGE_TYPES.indexOf(message.type)).varint(message.group);
  writeText(writer, message.from);
  writeText(writer, message.to);
  writer.varint(message.term);
  switch (message.type) {
    case 'pre-vote':
      writer.varint(message.lastIndex).varint(message.lastTerm);
      break;
    case 'vote':
      writer
        .varint(message.lastIndex)
        .varint(message.lastTerm)
        .varint(message.transfer ? 1 : 0);
      break;
    case 'pre-vote-response':
    case 'vote-response':
      writer.varint(message.granted ? 1 : 0).varint(message.lastIndex);
      break;
    case 'append':
      writer.varint(message.prevIndex).varint(message.prevTerm).varint(message.commit).varint(message.entries.length);
      for (const entry of message.entries) {
        writer
          .varint(entry.index)
          .varint(entry.term)
          .varint(entry.originalCrc === undefined ? entry.type : entry.type + COMPACTED)
          .varint(entry.firstToken)
          .varint(entry.eventCount);
        if (entry.originalCrc !== undefined) writer.varint(entry.originalCrc);
        writer.varint(entry.data.length).raw(entry.data);
      }
      break;
    case 'append-response':
      writer
        .varint(message.reject ? 1 : 0)
        .varint(message.matchIndex)
        .varint(message.hintIndex)
        .varint(message.hintTerm);
      break;
    case 'heartbeat':
      writer.varint(message.commit).varint(message.readSeq);
      writeText(writer, message.successor ?? '');
      break;
    case 'heartbeat-response':
      writer.varint(message.readSeq).varint(message.lastIndex).varint(message.durableIndex);
      break;
    case 'timeout-now':
      break;
    default:
      assertNever(message);
  }
}

function decodeMessage(reader: ByteReader): Message {
  const type = MESSAGE_TYPES[reader.number()];
  const base = { group: reader.number(), from: reader.memberId(), to: reader.memberId(), term: reader.number() };
  switch (type) {
    case 'pre-vote':
      return { ...base, type, lastIndex: reader.number(), lastTerm: reader.number() };
    case 'vote':
      return { ...base, type, lastIndex: reader.number(), lastTerm: reader.number(), transfer: reader.boolean() };
    case 'pre-vote-response':
    case 'vote-response':
      return { ...base, type, granted: reader.boolean(), lastIndex: reader.number() };
    case 'append': {
      const prevIndex = reader.number();
      const [prevTerm, commit] = [reader.number(), reader.number()];
      return { ...base, type, prevIndex, prevTerm, commit, entries: decodeEntries(reader, prevIndex) };
    }
    case 'append-response':
      return {
        ...base,
        type,
        reject: reader.boolean(),
        matchIndex: reader.number(),
        hintIndex: reader.number(),
        hintTerm: reader.number(),
      };
    case 'heartbeat': {
      const [commit, readSeq, successor] = [reader.number(), reader.number(), reader.text()];
      return { ...base, type, commit, readSeq, successor: successor === '' ? null : successor };
    }
    case 'heartbeat-response':
      return {
        ...base,
        type,
        readSeq: reader.number(),
        lastIndex: reader.number(),
        durableIndex: reader.number(),
      };
    case 'timeout-now':
      return { ...base, type };
    default:
      throw new RaftCodecError('unknown type of raft message');
  }
}

/** Entries follow `prevIndex` without gaps: a hole would let a follower store a log that nobody wrote. */
function decodeEntries(reader: ByteReader, prevIndex: number): Entry[] {
  const count = reader.count(RAFT_ENTRIES_PER_MESSAGE_MAX);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i += 1) {
    const [index, term, marked] = [reader.number(), reader.number(), reader.number()];
    const type = marked % COMPACTED;
    const isCompacted = marked >= COMPACTED;
    const [firstToken, eventCount] = [reader.number(), reader.number()];
    const originalCrc = isCompacted ? reader.number() : 0;
    if (
      index !== prevIndex + 1 + i ||
      !ENTRY_TYPES.includes(type) ||
      marked >= 2 * COMPACTED ||
      originalCrc > CRC_MAX
    ) {
      throw new RaftCodecError(`entry ${index} of type ${marked} does not belong after index ${prevIndex + i}`);
    }
    const entry = { index, term, type: type as EntryType, firstToken, eventCount, data: reader.view() };
    entries.push(isCompacted ? { ...entry, originalCrc } : entry);
  }
  return entries;
}

function writeText(writer: WireWriter, text: string): void {
  const bytes = encoder.encode(text);
  writer.varint(bytes.length).raw(bytes);
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  number(): number {
    const { value, next } = readVarint(this.#bytes, this.#position);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new RaftCodecError('number above 2^53');
    }
    this.#position = next;
    return value;
  }

  count(max: number): number {
    const value = this.number();
    if (value > max) {
      throw new RaftCodecError(`count ${value} above ${max}`);
    }
    return value;
  }

  boolean(): boolean {
    const value = this.number();
    if (value > 1) {
      throw new RaftCodecError('neither true nor false');
    }
    return value === 1;
  }

  view(): Uint8Array {
    const length = this.number();
    if (length > this.#bytes.length - this.#position) {
      throw new WireError('bytes run past the end');
    }
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  text(): string {
    return decoder.decode(this.view());
  }

  memberId(): string {
    const id = this.text();
    if (id === '' || id.length > 256) {
      throw new RaftCodecError('empty or overlong member id');
    }
    return id;
  }
}

function assertNever(value: never): never {
  throw new Error(`unexpected raft message ${JSON.stringify(value)}`);
}
