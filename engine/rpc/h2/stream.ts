// One HTTP/2 stream: windows in both directions, and the messages that wait for the client to make room.
import type { CallStream, ServerCall } from '../grpc-call.ts';
import { frameMessage, PREFIX_BYTES } from '../grpc-frame.ts';
import { STREAM_WINDOW_BYTES, STREAM_WRITE_HIGH_WATER_BYTES } from '../limits.ts';
import { encodeFields, encodeStatus } from './hpack.ts';
import type { Output } from './output.ts';
import { ErrorCode, Flag, FRAME_BYTES_MAX, FrameType, uint32 } from './protocol.ts';

/** The connection as a stream sees it. */
export interface StreamHost {
  readonly output: Output;
  /** What the client still takes on the whole connection. */
  sendWindow: number;
  /** To stand before the next header block; usually empty. */
  takeBlockPrefix(): Buffer | null;
  /** The stream has data and a window: it takes its turn in the connection's `pump`. */
  enqueue(stream: H2Stream): void;
  /** The stream has ended on our side. */
  forget(stream: H2Stream): void;
}

const RESPONSE_HEAD = Buffer.concat([encodeStatus(200), encodeFields([['content-type', 'application/grpc']])]);
const TRAILERS_OK = encodeFields([['grpc-status', '0']]);
const END_HEADERS_AND_STREAM = Flag.END_HEADERS | Flag.END_STREAM;
/** What one stream sends before the next one has its turn. */
const TURN_BYTES = FRAME_BYTES_MAX;

export class H2Stream implements CallStream {
  readonly id: number;
  readonly #host: StreamHost;
  call: ServerCall | null = null;
  /** What the client still takes on this stream; may be negative after SETTINGS (RFC 9113 §6.9.2). */
  sendWindow: number;
  /** The client has sent END_STREAM. */
  remoteClosed = false;
  #closed = false;
  #headersSent = false;
  #pending: Buffer[] = [];
  /** Bytes of the first pending message already sent. */
  #pendingOffset = 0;
  #pendingBytes = 0;
  #trailers: Buffer | null = null;
  #receiveWindow = STREAM_WINDOW_BYTES;
  #uncredited = 0;
  #reading = true;

  constructor(id: number, host: StreamHost, sendWindow: number) {
    this.id = id;
    this.#host = host;
    this.sendWindow = sendWindow;
  }

  /** Has data that its window lets through. */
  get ready(): boolean {
    return this.#pendingBytes > 0 && this.sendWindow > 0 && !this.#closed;
  }

  sendMessage(body: Uint8Array): boolean {
    if (this.#closed) return true;
    if (!this.#headersSent) {
      this.#headersSent = true;
      this.#sendBlock(Flag.END_HEADERS, RESPONSE_HEAD);
    }
    const host = this.#host;
    const size = PREFIX_BYTES + body.length;
    if (this.#pendingBytes === 0 && size <= this.sendWindow && size <= host.sendWindow && !host.output.full) {
      this.sendWindow -= size;
      host.sendWindow -= size;
      host.output.message(this.id, body);
      return true;
    }
    this.#pending.push(frameMessage(body));
    this.#pendingBytes += size;
    host.enqueue(this);
    return this.#pendingBytes < STREAM_WRITE_HIGH_WATER_BYTES;
  }

  finish(trailers: [string, string][]): void {
    if (this.#closed) return;
    const ok = trailers.length === 1 && trailers[0]?.[1] === '0';
    const block = ok ? TRAILERS_OK : encodeFields(trailers);
    this.#trailers = this.#headersSent ? block : Buffer.concat([RESPONSE_HEAD, block]);
    if (this.#pendingBytes === 0) this.#sendTrailers();
  }

  /** An HTTP answer to a request that is not gRPC. */
  refuse(status: number): void {
    this.#trailers = encodeStatus(status);
    this.#sendTrailers();
  }

  setReading(reading: boolean): void {
    this.#reading = reading;
    if (reading) this.#credit();
  }

  /** Sends one turn of pending data, as far as the windows go. */
  sendTurn(): void {
    const host = this.#host;
    let budget = Math.min(TURN_BYTES, this.sendWindow, host.sendWindow, this.#pendingBytes);
    if (budget <= 0) return;
    this.sendWindow -= budget;
    host.sendWindow -= budget;
    this.#pendingBytes -= budget;
    while (budget > 0) {
      const first = this.#pending[0] as Buffer;
      const length = Math.min(budget, first.length - this.#pendingOffset);
      host.output.data(this.id, first.subarray(this.#pendingOffset, this.#pendingOffset + length));
      budget -= length;
      this.#pendingOffset += length;
      if (this.#pendingOffset === first.length) {
        this.#pending.shift();
        this.#pendingOffset = 0;
      }
    }
    if (this.#pendingBytes === 0 && this.#trailers !== null) this.#sendTrailers();
    else if (this.#pendingBytes < STREAM_WRITE_HIGH_WATER_BYTES / 2) this.call?.drained();
  }

  /** Data from the client; `size` counts padding, `end` says that it was the last. */
  receive(body: Buffer, size: number, end: boolean): void {
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) {
      this.reset(ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    this.#uncredited += size;
    // Known before the handler runs: an answer to the last message needs no RST_STREAM after it.
    if (end) this.remoteClosed = true;
    if (body.length > 0) this.call?.receiveData(body);
    if (end) this.call?.receiveHalfClose();
    else if (this.#reading) this.#credit();
  }

  /** The stream or its connection is gone. */
  cancel(): void {
    if (this.#closed) return;
    this.#close();
    this.call?.receiveCancel();
  }

  /** We give the stream up with an error of the protocol. */
  reset(code: ErrorCode): void {
    if (this.#closed) return;
    this.#sendReset(code);
    this.cancel();
  }

  #credit(): void {
    if (this.#uncredited < STREAM_WINDOW_BYTES / 2 || this.remoteClosed || this.#closed) return;
    this.#host.output.frame(FrameType.WINDOW_UPDATE, 0, this.id, uint32(this.#uncredited));
    this.#receiveWindow += this.#uncredited;
    this.#uncredited = 0;
  }

  #sendTrailers(): void {
    this.#sendBlock(END_HEADERS_AND_STREAM, this.#trailers as Buffer);
    // The client may stop sending (RFC 9113 §8.1); this also ends the stream on its side.
    if (!this.remoteClosed) this.#sendReset(ErrorCode.NO_ERROR);
    this.#close();
  }

  #sendBlock(flags: number, block: Buffer): void {
    const prefix = this.#host.takeBlockPrefix();
    this.#host.output.frame(
      FrameType.HEADERS,
      flags,
      this.id,
      prefix === null ? block : Buffer.concat([prefix, block]),
    );
  }

  #sendReset(code: ErrorCode): void {
    this.#host.output.frame(FrameType.RST_STREAM, 0, this.id, uint32(code));
  }

  #close(): void {
    this.#closed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#host.forget(this);
  }
}
