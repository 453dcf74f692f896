// What goes out on a connection: frames are collected and written to the socket once per turn (performance.md §7.3).
import type { Socket } from 'node:net';
import { PREFIX_BYTES, writePrefix } from '../grpc-frame.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FrameType, OUTPUT_HIGH_WATER_BYTES } from './protocol.ts';

/** Frames are copied into slabs of this size; the rest of a slab serves the next turn. */
const SLAB_BYTES = 32 * 1024;

export class Output {
  readonly #socket: Socket;
  readonly #onRoom: () => void;
  #slab: Buffer = Buffer.alloc(0);
  /** Unwritten part of the slab: from #start to #end. */
  #start = 0;
  #end = 0;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #scheduled = false;
  #congested = false;
  /** The DATA frame at the very end, which more data of the same stream may extend: its header and body length. */
  #openStream = 0;
  #openHeader: Buffer = this.#slab;
  #openBytes = 0;

  /** `onRoom` is called when data may be sent again after `full` was true. */
  constructor(socket: Socket, onRoom: () => void) {
    this.#socket = socket;
    this.#onRoom = onRoom;
    socket.on('drain', () => {
      if (!this.#congested) return;
      this.#congested = false;
      this.#onRoom();
    });
  }

  /** Streams must wait with their data. Control frames and trailers always go out. */
  get full(): boolean {
    return this.#congested || this.#unwritten >= OUTPUT_HIGH_WATER_BYTES;
  }

  /** Bytes not yet taken by the operating system. */
  get backlogBytes(): number {
    return this.#unwritten + this.#socket.writableLength;
  }

  frame(type: number, flags: number, stream: number, body: Uint8Array): void {
    this.#room(FRAME_HEADER_BYTES + body.length);
    this.#header(body.length, type, flags, stream);
    this.#slab.set(body, this.#end);
    this.#end += body.length;
    this.#openStream = 0;
    this.schedule();
  }

  /** Bytes of one stream in as few DATA frames as possible; windows are the caller's business. */
  data(stream: number, bytes: Uint8Array): void {
    let position = 0;
    while (position < bytes.length) {
      const room = this.#dataFrameRoom(stream);
      const length = Math.min(room, bytes.length - position);
      this.#slab.set(
        position === 0 && length === bytes.length ? bytes : bytes.subarray(position, position + length),
        this.#end,
      );
      this.#end += length;
      this.#openBytes += length;
      position += length;
      writeLength(this.#openHeader, this.#openBytes);
    }
    this.schedule();
  }

  /** One gRPC message: prefix and body as `data`. */
  message(stream: number, body: Uint8Array): void {
    writePrefix(prefix, 0, body.length);
    this.data(stream, prefix);
    this.data(stream, body);
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    const wasFull = this.full;
    if (this.#end > this.#start) this.#cut();
    const parts = this.#parts;
    if (parts.length === 0 || this.#socket.destroyed) return;
    this.#parts = [];
    this.#partBytes = 0;
    this.#openStream = 0;
    if (parts.length === 1) this.#socket.write(parts[0] as Buffer);
    else {
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    }
    if (this.#socket.writableLength >= OUTPUT_HIGH_WATER_BYTES && this.#socket.writableNeedDrain)
      this.#congested = true;
    // In a turn of its own: a fast reader must not keep the event loop from everybody else.
    else if (wasFull) setImmediate(this.#onRoom);
  }

  get #unwritten(): number {
    return this.#partBytes + this.#end - this.#start;
  }

  /** Bytes that fit into the open DATA frame of the stream; opens one when there is none. At least 1. */
  #dataFrameRoom(stream: number): number {
    if (this.#openStream === stream && this.#openBytes < FRAME_BYTES_MAX && this.#end < this.#slab.length) {
      return Math.min(FRAME_BYTES_MAX - this.#openBytes, this.#slab.length - this.#end);
    }
    this.#room(FRAME_HEADER_BYTES + 1);
    this.#openHeader = this.#slab.subarray(this.#end, this.#end + FRAME_HEADER_BYTES);
    this.#header(0, FrameType.DATA, 0, stream);
    this.#openStream = stream;
    this.#openBytes = 0;
    return Math.min(FRAME_BYTES_MAX, this.#slab.length - this.#end);
  }

  #header(length: number, type: number, flags: number, stream: number): void {
    const slab = this.#slab;
    const at = this.#end;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab.writeUInt32BE(stream, at + 5);
    this.#end = at + FRAME_HEADER_BYTES;
  }

  #room(bytes: number): void {
    if (this.#slab.length - this.#end >= bytes) return;
    if (this.#end > this.#start) this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#partBytes += this.#end - this.#start;
    this.#start = this.#end;
  }
}

const prefix = Buffer.alloc(PREFIX_BYTES);

function writeLength(header: Buffer, length: number): void {
  header[0] = length >>> 16;
  header[1] = length >>> 8;
  header[2] = length;
}
