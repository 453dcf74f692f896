// Cuts the bytes of a connection into HTTP/2 frames. Bodies are views on the socket chunk wherever a frame lies in one chunk.
import { ConnectionError, ErrorCode, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from './protocol.ts';

export type FrameListener = (type: number, flags: number, stream: number, body: Buffer) => void;

export class FrameReader {
  readonly #onFrame: FrameListener;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  /** Body of a frame that spans chunks; null while its header is incomplete. */
  #body: Buffer | null = null;
  #bodyBytes = 0;

  constructor(onFrame: FrameListener) {
    this.#onFrame = onFrame;
  }

  /** Throws ConnectionError for a frame above FRAME_BYTES_MAX; what the listener throws comes through. */
  push(chunk: Buffer): void {
    let position = this.#headerBytes > 0 ? this.#finishHeld(chunk) : 0;
    while (chunk.length - position >= FRAME_HEADER_BYTES && this.#headerBytes === 0) {
      const length = lengthOf(chunk, position);
      const start = position + FRAME_HEADER_BYTES;
      if (chunk.length < start + length) break;
      const stream = chunk.readUInt32BE(position + 5) & 0x7fffffff;
      this.#onFrame(
        chunk[position + 3] as number,
        chunk[position + 4] as number,
        stream,
        chunk.subarray(start, start + length),
      );
      position = start + length;
    }
    if (position < chunk.length) this.#hold(chunk, position);
  }

  /** Takes what the held frame lacks. Returns the position after it. */
  #finishHeld(chunk: Buffer): number {
    let position = this.#takeHeader(chunk, 0);
    if (this.#body === null) return position;
    position += this.#takeBody(chunk, position);
    if (this.#bodyBytes < this.#body.length) return position;
    const body = this.#body;
    const header = this.#header;
    this.#body = null;
    this.#headerBytes = 0;
    this.#onFrame(header[3] as number, header[4] as number, header.readUInt32BE(5) & 0x7fffffff, body);
    return position;
  }

  #hold(chunk: Buffer, from: number): void {
    const position = this.#takeHeader(chunk, from);
    if (this.#body !== null) this.#takeBody(chunk, position);
  }

  #takeHeader(chunk: Buffer, from: number): number {
    if (this.#headerBytes === FRAME_HEADER_BYTES) return from;
    const taken = chunk.copy(this.#header, this.#headerBytes, from, from + FRAME_HEADER_BYTES - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === FRAME_HEADER_BYTES) {
      this.#body = Buffer.allocUnsafe(lengthOf(this.#header, 0));
      this.#bodyBytes = 0;
    }
    return from + taken;
  }

  #takeBody(chunk: Buffer, from: number): number {
    const body = this.#body as Buffer;
    const taken = chunk.copy(body, this.#bodyBytes, from, from + body.length - this.#bodyBytes);
    this.#bodyBytes += taken;
    return taken;
  }
}

function lengthOf(bytes: Buffer, position: number): number {
  const length =
    ((bytes[position] as number) << 16) | ((bytes[position + 1] as number) << 8) | (bytes[position + 2] as number);
  if (length > FRAME_BYTES_MAX) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `frame of ${length} bytes`);
  return length;
}
