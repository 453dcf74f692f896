// Puts header blocks together from HEADERS and CONTINUATION frames, within limits.
import {
  CONTINUATIONS_MAX,
  ConnectionError,
  ErrorCode,
  Flag,
  HEADER_BLOCK_BYTES_MAX,
  protocolError,
  unpad,
} from './protocol.ts';

export interface HeaderBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly bytes: Buffer;
}

/** Stream dependency and weight, which we ignore. */
const PRIORITY_BYTES = 5;

export class HeaderBlocks {
  #stream = 0;
  #endStream = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Stream whose block is open: only its CONTINUATION frames may follow. 0: none. */
  get openStream(): number {
    return this.#parts.length > 0 ? this.#stream : 0;
  }

  /** The block when this frame ends it, else null. */
  start(flags: number, stream: number, body: Buffer): HeaderBlock | null {
    let part = unpad(flags, body);
    if ((flags & Flag.PRIORITY) !== 0) {
      if (part.length < PRIORITY_BYTES) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'HEADERS');
      part = part.subarray(PRIORITY_BYTES);
    }
    this.#stream = stream;
    this.#endStream = (flags & Flag.END_STREAM) !== 0;
    this.#parts = [part];
    this.#bytes = part.length;
    return this.#finish(flags);
  }

  continue(flags: number, body: Buffer): HeaderBlock | null {
    if (this.#parts.length === 0) throw protocolError('CONTINUATION without HEADERS');
    this.#parts.push(body);
    this.#bytes += body.length;
    if (this.#bytes > HEADER_BLOCK_BYTES_MAX || this.#parts.length > CONTINUATIONS_MAX) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'endless header block');
    }
    return this.#finish(flags);
  }

  #finish(flags: number): HeaderBlock | null {
    if ((flags & Flag.END_HEADERS) === 0) return null;
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [];
    return { stream: this.#stream, endStream: this.#endStream, bytes };
  }
}
