// One HTTP/2 connection of a client (RFC 9113, with prior knowledge or after TLS): frames in, calls out.
import type { Socket } from 'node:net';
import { ByteBudget } from '../../util/byte-budget.ts';
import type { Env } from '../../util/env.ts';
import { ServerCall } from '../grpc-call.ts';
import { KeepAlive, type KeepAliveSettings } from '../keep-alive.ts';
import { CONNECTION_WINDOW_BYTES, STREAMS_PER_CONNECTION_MAX, UNFINISHED_BYTES_PER_CONNECTION_MAX } from '../limits.ts';
import { type GrpcHandler, GrpcStatus } from '../transport.ts';
import { FrameReader } from './frame-reader.ts';
import { type HeaderBlock, HeaderBlocks } from './header-blocks.ts';
import { Output } from './output.ts';
import * as h2 from './protocol.ts';
import { calmDown, ConnectionError, ErrorCode, Flag, FrameType, protocolError, uint32, unpad } from './protocol.ts';
import { RateGuard } from './rate-guard.ts';
import { HeadReader, type RequestHead } from './request-head.ts';
import { CONNECTION_WINDOW_EXTRA, OWN_SETTINGS, readSettings } from './settings.ts';
import { H2Stream, type StreamHost } from './stream.ts';

export interface ConnectionOptions {
  readonly env: Env;
  readonly connectionId: number;
  readonly maxMessageBytes: number;
  /** For unfinished messages of all connections. */
  readonly budget: ByteBudget;
  readonly handlers: ReadonlyMap<string, GrpcHandler>;
  /** The connection broke the protocol or a limit and is being closed. */
  readonly onBad: (peer: string, reason: string) => void;
  readonly keepAlive: KeepAliveSettings;
  /** It gave no sign of life and is being cut. */
  readonly onSilent: (peer: string) => void;
  readonly onClosed: () => void;
}

/** After our GOAWAY for an error the socket gets so long to take it. */
const LAST_WORDS_MS = 1000;
/** Table size update to 0: we never use the dynamic table, so any limit of the client is kept by saying this once. */
const NO_DYNAMIC_TABLE = Buffer.from([0x20]);
const EMPTY = Buffer.alloc(0);
/** Its answer needs no telling apart: any byte of the client is a sign of life. */
const PING_BODY = Buffer.alloc(8);

export class H2Connection implements StreamHost {
  readonly output: Output;
  sendWindow = h2.DEFAULT_WINDOW_BYTES;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #peer: string;
  readonly #budget: ByteBudget;
  readonly #reader = new FrameReader((type, flags, stream, body) => this.#frame(type, flags, stream, body));
  readonly #heads = new HeadReader();
  readonly #streams = new Map<number, H2Stream>();
  /** Streams with data and a window, in the order of their turns. */
  readonly #waiting = new Set<H2Stream>();
  readonly #resets: RateGuard;
  readonly #idleFrames: RateGuard;
  #prefaceTimer: NodeJS.Timeout | null;
  /** From the preface on. */
  #keepAlive: KeepAlive | null = null;
  #prefaceBytes = 0;
  #settingsSeen = false;
  readonly #blocks = new HeaderBlocks();
  #lastStream = 0;
  #initialWindow = h2.DEFAULT_WINDOW_BYTES;
  #blockPrefix: Buffer | null = null;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  #uncredited = 0;
  #pumping = false;
  #draining = false;
  #over = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#budget = new ByteBudget(UNFINISHED_BYTES_PER_CONNECTION_MAX, options.budget);
    this.#resets = new RateGuard(h2.RESET_BURST, h2.RESETS_PER_SECOND, options.env.now);
    this.#idleFrames = new RateGuard(h2.IDLE_FRAME_BURST, h2.IDLE_FRAMES_PER_SECOND, options.env.now);
    this.output = new Output(socket, () => this.#pump());
    this.#prefaceTimer = setTimeout(
      () => this.#fail(new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'no preface')),
      h2.PREFACE_TIMEOUT_MS,
    );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, h2.TCP_KEEP_ALIVE_MS);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
    this.output.frame(FrameType.SETTINGS, 0, 0, OWN_SETTINGS);
    this.output.frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(CONNECTION_WINDOW_EXTRA));
  }

  /** GOAWAY; the connection ends with its last call. */
  drain(): void {
    if (this.#over || this.#draining) return;
    this.#draining = true;
    this.#sendGoaway(ErrorCode.NO_ERROR, '');
    this.#endWhenDone();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // -- StreamHost -----------------------------------------------------------------------------------------------------

  takeBlockPrefix(): Buffer | null {
    const prefix = this.#blockPrefix;
    this.#blockPrefix = null;
    return prefix;
  }

  enqueue(stream: H2Stream): void {
    if (!stream.ready) return;
    this.#waiting.add(stream);
    this.#pump();
  }

  forget(stream: H2Stream): void {
    this.#streams.delete(stream.id);
    this.#waiting.delete(stream);
    this.#endWhenDone();
  }

  /** Turns for all waiting streams until the windows or the output are full. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (const stream of this.#waiting) {
      if (this.sendWindow <= 0 || this.output.full) break;
      this.#waiting.delete(stream);
      stream.sendTurn();
      // At the end of the set: visited again in this loop after all others.
      if (stream.ready) this.#waiting.add(stream);
    }
    this.#pumping = false;
  }

  // -- input ------------------------------------------------------------------------------------------------------------

  #receive(chunk: Buffer): void {
    if (this.#over) return;
    try {
      const from = this.#prefaceBytes < h2.PREFACE.length ? this.#readPreface(chunk) : 0;
      if (from < chunk.length) this.#reader.push(from === 0 ? chunk : chunk.subarray(from));
      if (this.output.backlogBytes > h2.OUTPUT_BYTES_MAX) throw calmDown('answers are not read');
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#fail(error);
    }
  }

  #readPreface(chunk: Buffer): number {
    const length = Math.min(chunk.length, h2.PREFACE.length - this.#prefaceBytes);
    const expected = h2.PREFACE.subarray(this.#prefaceBytes, this.#prefaceBytes + length);
    if (!expected.equals(chunk.subarray(0, length))) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'not HTTP/2');
    this.#prefaceBytes += length;
    if (this.#prefaceBytes === h2.PREFACE.length) {
      this.#stopPrefaceTimer();
      this.#keepAlive = this.#watchOver();
    }
    return length;
  }

  #watchOver(): KeepAlive {
    const ping = (): void => this.output.frame(FrameType.PING, 0, 0, PING_BODY);
    const cut = (): void => {
      this.#options.onSilent(this.#peer);
      this.destroy();
    };
    return new KeepAlive({ socket: this.#socket, ping, cut }, this.#options.keepAlive);
  }

  #frame(type: number, flags: number, id: number, body: Buffer): void {
    if (this.#over) return;
    if (!this.#settingsSeen && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0))
      throw protocolError('the first frame is not SETTINGS');
    const open = this.#blocks.openStream;
    if (open !== 0 && (type !== FrameType.CONTINUATION || id !== open)) throw protocolError('header block interrupted');
    if (type === FrameType.DATA) this.#onData(flags, id, body);
    else if (type === FrameType.HEADERS) this.#onHeaders(flags, id, body);
    else if (type === FrameType.WINDOW_UPDATE) this.#onWindowUpdate(id, body);
    else if (type === FrameType.RST_STREAM) this.#onReset(id, body);
    else if (type === FrameType.PING) this.#onPing(flags, id, body);
    else if (type === FrameType.SETTINGS) this.#onSettings(flags, id, body);
    else if (type === FrameType.CONTINUATION) this.#onBlock(this.#blocks.continue(flags, body));
    else this.#onOther(type, id, body);
  }

  #onOther(type: number, id: number, body: Buffer): void {
    this.#countIdle();
    if (type === FrameType.PUSH_PROMISE) throw protocolError('PUSH_PROMISE from a client');
    if (type === FrameType.GOAWAY && (id !== 0 || body.length < 8)) throw protocolError('bad GOAWAY');
    if (type !== FrameType.PRIORITY) return;
    if (id === 0) throw protocolError('PRIORITY without a stream');
    if (body.length !== 5) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'PRIORITY');
  }

  #onData(flags: number, id: number, body: Buffer): void {
    const size = body.length;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'connection window');
    this.#uncredited += size;
    if (this.#uncredited >= CONNECTION_WINDOW_BYTES / 2) {
      this.output.frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(this.#uncredited));
      this.#receiveWindow += this.#uncredited;
      this.#uncredited = 0;
    }
    this.#requireKnown(id, 'DATA');
    const data = unpad(flags, body);
    const stream = this.#streams.get(id);
    const end = (flags & Flag.END_STREAM) !== 0;
    if (stream === undefined || (size === 0 && !end)) this.#countIdle();
    else if (stream.remoteClosed) stream.reset(ErrorCode.STREAM_CLOSED);
    else stream.receive(data, size, end);
  }

  #onHeaders(flags: number, id: number, body: Buffer): void {
    if (id % 2 === 0) throw protocolError(`HEADERS on stream ${id}`);
    this.#onBlock(this.#blocks.start(flags, id, body));
  }

  #onBlock(block: HeaderBlock | null): void {
    if (block === null) return;
    if (block.stream <= this.#lastStream) this.#onTrailers(block);
    else this.#onRequest(block);
  }

  #onRequest({ stream: id, endStream, bytes }: HeaderBlock): void {
    this.#lastStream = id;
    if (this.#draining || this.#streams.size >= STREAMS_PER_CONNECTION_MAX) {
      this.#heads.skip(bytes);
      this.#countReset();
      this.output.frame(FrameType.RST_STREAM, 0, id, uint32(ErrorCode.REFUSED_STREAM));
      return;
    }
    const head = this.#heads.read(bytes);
    const stream = new H2Stream(id, this, this.#initialWindow);
    stream.remoteClosed = endStream;
    this.#streams.set(id, stream);
    if (head === null) stream.refuse(431);
    else if (head.malformed !== null) stream.reset(ErrorCode.PROTOCOL_ERROR);
    else if (head.method !== 'POST') stream.refuse(405);
    else if (!head.contentType.startsWith('application/grpc')) stream.refuse(415);
    else this.#startCall(stream, head);
  }

  #startCall(stream: H2Stream, head: RequestHead): void {
    const { env, connectionId, maxMessageBytes, handlers } = this.#options;
    const { path, metadata } = head;
    const budget = this.#budget;
    const context = { env, path, metadata, peer: this.#peer, connectionId, maxMessageBytes, budget };
    const call = new ServerCall(stream, context);
    stream.call = call;
    const handler = handlers.get(path);
    if (handler === undefined) {
      // HD-10: no AXONIQ trailer.
      call.end({ status: GrpcStatus.UNIMPLEMENTED, description: `Method not found: ${path}`, trailers: {} });
      return;
    }
    call.start(handler);
    if (stream.remoteClosed) call.receiveHalfClose();
  }

  /** A second header block of a stream: trailers of the client, which gRPC does not use. */
  #onTrailers({ stream: id, endStream, bytes }: HeaderBlock): void {
    this.#heads.skip(bytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#countIdle();
    else if (stream.remoteClosed) stream.reset(ErrorCode.STREAM_CLOSED);
    else if (!endStream) stream.reset(ErrorCode.PROTOCOL_ERROR);
    else stream.receive(EMPTY, 0, true);
  }

  #onReset(id: number, body: Buffer): void {
    if (body.length !== 4) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'RST_STREAM');
    this.#requireKnown(id, 'RST_STREAM');
    this.#countReset();
    this.#streams.get(id)?.cancel();
  }

  #onSettings(flags: number, id: number, body: Buffer): void {
    if (id !== 0) throw protocolError('SETTINGS on a stream');
    if ((flags & Flag.ACK) !== 0) {
      if (body.length > 0) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'SETTINGS with ACK');
      return;
    }
    const settings = readSettings(body);
    this.#settingsSeen = true;
    if (settings.headerTable !== undefined) this.#blockPrefix = NO_DYNAMIC_TABLE;
    if (settings.initialWindow !== undefined) this.#changeWindows(settings.initialWindow);
    this.output.frame(FrameType.SETTINGS, Flag.ACK, 0, EMPTY);
  }

  #changeWindows(initialWindow: number): void {
    const change = initialWindow - this.#initialWindow;
    this.#initialWindow = initialWindow;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > h2.WINDOW_BYTES_MAX)
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'stream window');
      if (stream.ready) this.#waiting.add(stream);
      else this.#waiting.delete(stream);
    }
    this.#pump();
  }

  /** HD-6: every PING is answered; only a client that never reads the answers is cut (OUTPUT_BYTES_MAX). */
  #onPing(flags: number, id: number, body: Buffer): void {
    if (id !== 0) throw protocolError('PING on a stream');
    if (body.length !== 8) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'PING');
    if ((flags & Flag.ACK) === 0) this.output.frame(FrameType.PING, Flag.ACK, 0, body);
  }

  #onWindowUpdate(id: number, body: Buffer): void {
    if (body.length !== 4) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'WINDOW_UPDATE');
    const increment = body.readUInt32BE(0) & 0x7fffffff;
    if (id === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE of 0');
      this.sendWindow += increment;
      if (this.sendWindow > h2.WINDOW_BYTES_MAX)
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'connection window');
      this.#pump();
      return;
    }
    this.#requireKnown(id, 'WINDOW_UPDATE');
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#countIdle();
    else if (increment === 0) stream.reset(ErrorCode.PROTOCOL_ERROR);
    else if (stream.sendWindow + increment > h2.WINDOW_BYTES_MAX) stream.reset(ErrorCode.FLOW_CONTROL_ERROR);
    else {
      stream.sendWindow += increment;
      this.enqueue(stream);
    }
  }

  /** Frames may only name streams that were opened before. */
  #requireKnown(id: number, frame: string): void {
    if (id === 0 || id % 2 === 0 || id > this.#lastStream) throw protocolError(`${frame} on stream ${id}`);
  }

  #countReset(): void {
    if (!this.#resets.take()) throw calmDown('too many calls reset');
  }

  #countIdle(): void {
    if (!this.#idleFrames.take()) throw calmDown('too many idle frames');
  }

  // -- end ----------------------------------------------------------------------------------------------------------------

  #endWhenDone(): void {
    if (this.#draining && !this.#over && this.#streams.size === 0) this.#end();
  }

  #fail(error: ConnectionError): void {
    if (this.#over) return;
    this.#options.onBad(this.#peer, error.message);
    this.#sendGoaway(error.code, error.message);
    this.#end();
    this.#cancelAll();
  }

  /** Sends what is queued, then ends the socket; a client that does not take it is cut. */
  #end(): void {
    this.#over = true;
    this.output.flush();
    this.#socket.destroySoon();
    const timer = setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #cancelAll(): void {
    for (const stream of [...this.#streams.values()]) stream.cancel();
  }

  #sendGoaway(code: ErrorCode, text: string): void {
    this.output.frame(
      FrameType.GOAWAY,
      0,
      0,
      Buffer.concat([uint32(this.#lastStream), uint32(code), Buffer.from(text, 'utf8')]),
    );
  }

  #stopPrefaceTimer(): void {
    if (this.#prefaceTimer !== null) clearTimeout(this.#prefaceTimer);
    this.#prefaceTimer = null;
  }

  #closed(): void {
    this.#over = true;
    this.#stopPrefaceTimer();
    this.#keepAlive?.stop();
    this.#cancelAll();
    this.#options.onClosed();
  }
}
