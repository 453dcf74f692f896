// gRPC over HTTP/2 as bytes: the 5-byte message prefix, timeouts and trailers. Pure; no sockets.
import type { ByteBudget } from '../util/byte-budget.ts';
import { UNFINISHED_FIRST_BYTES, UNFINISHED_GROWTH } from './limits.ts';
import { type GrpcError, GrpcStatus } from './transport.ts';

/** Flag byte and 32-bit big-endian length. */
export const PREFIX_BYTES = 5;
/** Inbound message limit unless configured (client-behaviour HD-7). */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Longest timeout that setTimeout takes; longer deadlines count as none. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A message as it goes on the wire, in a buffer of its own. */
export function frameMessage(body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  writePrefix(frame, 0, body.length);
  frame.set(body, PREFIX_BYTES);
  return frame;
}

export function writePrefix(target: Buffer, offset: number, bodyBytes: number): void {
  target[offset] = 0;
  target.writeUInt32BE(bodyBytes, offset + 1);
}

/** Cuts a byte stream into messages. Bodies are copies: neither they nor half a message keep a socket chunk alive. */
export class FrameDecoder {
  readonly #maxMessageBytes: number;
  readonly #budget: ByteBudget;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** Beginning of a body whose end has not arrived; its whole length is taken from the budget. */
  #body: Buffer = NOTHING;
  #received = 0;
  #bodyBytes = 0;

  constructor(maxMessageBytes: number, budget: ByteBudget) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#budget = budget;
  }

  /** True between messages: the only place where a half-close is legal. */
  get idle(): boolean {
    return this.#prefixBytes === 0;
  }

  /** Adds complete messages to `messages`. Returns an error when the stream cannot be read any further. */
  push(chunk: Uint8Array, messages: Buffer[]): GrpcError | null {
    let position = 0;
    while (position < chunk.length) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        position = this.#readPrefix(chunk, position);
        if (this.#prefixBytes < PREFIX_BYTES) return null;
        const error = this.#startBody();
        if (error !== null) return error;
      }
      const end = Math.min(chunk.length, position + this.#bodyBytes - this.#received);
      const part = chunk.subarray(position, end);
      position = end;
      if (this.#received + part.length < this.#bodyBytes) return this.#keep(part);
      messages.push(this.#finish(part));
    }
    return null;
  }

  /** Nothing more is read: gives back what half a message holds. */
  close(): void {
    this.#budget.give(this.#body.length);
    this.#body = NOTHING;
    this.#received = 0;
  }

  #readPrefix(chunk: Uint8Array, from: number): number {
    let position = from;
    while (this.#prefixBytes < PREFIX_BYTES && position < chunk.length) {
      this.#prefix[this.#prefixBytes] = chunk[position] as number;
      this.#prefixBytes += 1;
      position += 1;
    }
    return position;
  }

  #startBody(): GrpcError | null {
    if (this.#prefix[0] !== 0) return compressedError(this.#prefix[0] as number);
    this.#bodyBytes = this.#prefix.readUInt32BE(1);
    this.#received = 0;
    return this.#bodyBytes > this.#maxMessageBytes ? tooLargeError(this.#bodyBytes, this.#maxMessageBytes) : null;
  }

  /** Adds to half a message. */
  #keep(part: Uint8Array): GrpcError | null {
    const needed = this.#received + part.length;
    if (needed > this.#body.length) {
      const roomy = Math.max(UNFINISHED_FIRST_BYTES, needed, this.#body.length * UNFINISHED_GROWTH);
      const length = Math.min(this.#bodyBytes, roomy);
      if (!this.#budget.take(length - this.#body.length)) return noRoomError();
      this.#body = enlarged(this.#body, this.#received, length);
    }
    this.#body.set(part, this.#received);
    this.#received = needed;
    return null;
  }

  #finish(last: Uint8Array): Buffer {
    const whole = this.#body.length === this.#bodyBytes;
    const body = whole ? this.#body : enlarged(this.#body, this.#received, this.#bodyBytes);
    body.set(last, this.#received);
    this.close();
    this.#prefixBytes = 0;
    return body;
  }
}

const NOTHING = Buffer.alloc(0);

function enlarged(from: Buffer, used: number, length: number): Buffer {
  const to = Buffer.allocUnsafe(length);
  from.copy(to, 0, 0, used);
  return to;
}

/** Memory for what has arrived and cannot be handed on yet is used up. */
export function noRoomError(): GrpcError {
  return {
    status: GrpcStatus.RESOURCE_EXHAUSTED,
    description: 'Too many unfinished messages wait on this connection or node; send this one again later',
    trailers: {},
  };
}

function compressedError(flags: number): GrpcError {
  const description = flags === 1 ? 'Compressed messages are not supported' : `Unknown message flags ${flags}`;
  return { status: GrpcStatus.UNIMPLEMENTED, description, trailers: {} };
}

function tooLargeError(bytes: number, limit: number): GrpcError {
  return {
    status: GrpcStatus.RESOURCE_EXHAUSTED,
    description: `Message of ${bytes} bytes is larger than the limit of ${limit} bytes`,
    trailers: {},
  };
}

const TIMEOUT_UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1 / 1000,
  n: 1 / 1_000_000,
};

/** Milliseconds of a `grpc-timeout` value, at least 1; null: no deadline; NaN: malformed. */
export function parseTimeout(value: string | undefined): number | null {
  if (value === undefined) return null;
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  if (match === null) return Number.NaN;
  const milliseconds = Math.ceil(Number(match[1]) * (TIMEOUT_UNIT_MS[match[2] as string] as number));
  return milliseconds > TIMER_MAX_MS ? null : Math.max(1, milliseconds);
}

/** Longest description sent: several proxies and clients limit the header list to 8 KiB. */
export const DESCRIPTION_CHARACTERS_MAX = 1024;

/** Percent-encoding of `grpc-message`: UTF-8 bytes outside the printable ASCII range and `%`. */
export function encodeDescription(text: string): string {
  const short = text.length > DESCRIPTION_CHARACTERS_MAX ? `${text.slice(0, DESCRIPTION_CHARACTERS_MAX)}…` : text;
  if (/^[ -$&-~]*$/.test(short)) return short;
  let encoded = '';
  for (const byte of Buffer.from(short, 'utf8')) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Trailers of an ended call as header fields; null means OK. */
export function trailersOf(error: GrpcError | null): [string, string][] {
  if (error === null) return [['grpc-status', '0']];
  const trailers: [string, string][] = [['grpc-status', String(error.status)]];
  if (error.description !== '') trailers.push(['grpc-message', encodeDescription(error.description)]);
  for (const [name, value] of Object.entries(error.trailers)) trailers.push([name, encodeDescription(value)]);
  return trailers;
}
