// One TCP connection that carries frames: parser, two send lanes, corked writes, fault pipes. Both ends use it.
// May not: know what frames mean beyond their lane. Owner: `peer-link.ts` (dialled) or `peer-server.ts` (accepted).
import type { Socket } from 'node:net';
import type { Env } from '../util/env.ts';
import { isTlsFailure } from './dial.ts';
import type { Frame } from './frame.ts';
import { encodeFrameHeader, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, FrameParser, FrameType } from './frame.ts';
import { HELLO_BYTES_MAX } from './hello.ts';
import {
  PEER_QUEUE_BYTES_MAX,
  PEER_QUEUE_RESERVE_BYTES,
  PEER_SMALL_BODY_BYTES,
  SOCKET_BULK_BYTES_MAX,
} from './limits.ts';
import type { LinkFaults } from './link-faults.ts';
import { FaultPipe } from './link-faults.ts';

export type Lane = 'control' | 'bulk';

/** Why a connection ended. `bad` is set when the other side broke the protocol. */
export interface CloseReason {
  readonly code: string;
  readonly message: string;
  readonly bad: boolean;
}

export interface FrameConnectionListener {
  onFrame(frame: Frame): void;
  /** Called once, synchronously when this side closes. */
  onClosed(reason: CloseReason): void;
}

interface OutgoingFrame {
  readonly type: FrameType;
  readonly lane: Lane;
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

/** Raft and keepalives repeat what is lost; everything else relies on the connection (see FaultPipeOptions.mayVanish). */
function mayVanish(frame: { readonly type: FrameType }): boolean {
  return frame.type === FrameType.RAFT || frame.type === FrameType.PING || frame.type === FrameType.PONG;
}

export class FrameConnection {
  /** `address:port` of the other end, for logs. */
  readonly remote: string;
  /** Monotonic ms of the last frame that got through. */
  lastHeardAt: number;
  /** A cut swallowed something: the connection is closed when the cut heals, so that both ends are told of the loss. */
  lostFrames = false;
  receivedAnything = false;
  readonly #env: Env;
  readonly #socket: Socket;
  readonly #faults: LinkFaults;
  readonly #listener: FrameConnectionListener;
  readonly #parser = new FrameParser(HELLO_BYTES_MAX);
  readonly #outbound: FaultPipe<OutgoingFrame>;
  readonly #inbound: FaultPipe<Frame>;
  #control: OutgoingFrame[] = [];
  #bulk: OutgoingFrame[] = [];
  #laneBytes = 0;
  #peerName: string | null = null;
  #flushScheduled = false;
  #closed = false;

  constructor(env: Env, socket: Socket, remote: string, faults: LinkFaults, listener: FrameConnectionListener) {
    this.#env = env;
    this.#socket = socket;
    this.#faults = faults;
    this.#listener = listener;
    this.remote = remote;
    this.lastHeardAt = env.now();
    const common = {
      env,
      faults,
      mayVanish,
      peer: () => this.#peerName,
      onLost: () => {
        this.lostFrames = true;
      },
      onOverflow: () => this.close({ code: 'PEER_QUEUE_FULL', message: 'too much held back by a delay', bad: false }),
    };
    this.#outbound = new FaultPipe<OutgoingFrame>({
      ...common,
      direction: 'outbound',
      bytesOf: (frame) => frame.bytes,
      deliver: (frame) => this.#enqueue(frame),
    });
    this.#inbound = new FaultPipe<Frame>({
      ...common,
      direction: 'inbound',
      bytesOf: (frame) => frame.payload.length + FRAME_HEADER_BYTES,
      deliver: (frame) => this.#deliver(frame),
    });
    this.#listen();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get peerName(): string | null {
    return this.#peerName;
  }

  /** From here on the faults of this peer apply. */
  identify(peerName: string): void {
    this.#peerName = peerName;
  }

  /** Both hellos are exchanged: frames of full size may come. */
  openFully(): void {
    this.#parser.payloadBytesMax = FRAME_PAYLOAD_BYTES_MAX;
  }

  get queuedBytes(): number {
    return this.#outbound.queuedBytes + this.#laneBytes + this.#socket.writableLength;
  }

  /** False when closed, when the body is too large for a frame, or when the queue is full. The body must not change afterwards. */
  send(type: FrameType, lane: Lane, ...parts: readonly Uint8Array[]): boolean {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const limit = PEER_QUEUE_BYTES_MAX + (length <= PEER_SMALL_BODY_BYTES ? PEER_QUEUE_RESERVE_BYTES : 0);
    if (this.#closed || length > FRAME_PAYLOAD_BYTES_MAX || this.queuedBytes + length > limit) {
      return false;
    }
    const header = encodeFrameHeader(type, ...parts);
    const chunks = length <= PEER_SMALL_BODY_BYTES ? [Buffer.concat([header, ...parts])] : [header, ...parts];
    this.#outbound.push({ type, lane, chunks, bytes: length + FRAME_HEADER_BYTES });
    return true;
  }

  faultsChanged(): void {
    this.#outbound.faultsChanged();
    this.#inbound.faultsChanged();
    if (this.lostFrames && this.#peerName !== null && !this.#faults.isCutAnyway(this.#peerName)) {
      this.close({ code: 'PEER_CUT_HEALED', message: 'frames were lost while the link was cut', bad: false });
    }
  }

  /** `flushFirst` lets what is queued go out before the socket ends (refusals). */
  close(reason: CloseReason, flushFirst = false): void {
    if (this.#closed) {
      return;
    }
    if (flushFirst) {
      this.#flush();
      this.#socket.end();
      // Whatever the other side does, nothing stays open for long.
      this.#socket.setTimeout(1000, () => this.#socket.destroy());
    } else {
      this.#socket.destroy();
    }
    this.#closed = true;
    this.#outbound.close();
    this.#inbound.close();
    this.#control = [];
    this.#bulk = [];
    this.#laneBytes = 0;
    this.#listener.onClosed(reason);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('drain', () => this.#flush());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'PEER_SOCKET_FAILED';
      // The error of a name with several addresses has no text of its own.
      const message = code === 'ECONNREFUSED' ? 'nobody listens there' : error.message || code;
      const tlsFailed = isTlsFailure(code);
      this.close({ code: tlsFailed ? 'PEER_TLS_FAILED' : code, message, bad: tlsFailed });
    });
    const gone = (): void => this.close({ code: 'PEER_CLOSED', message: 'closed by the other side', bad: false });
    socket.on('end', gone);
    socket.on('close', gone);
  }

  #read(chunk: Buffer): void {
    if (this.#closed) {
      return;
    }
    this.receivedAnything = true;
    const error = this.#parser.push(chunk, (frame) => {
      if (!this.#closed) {
        this.#inbound.push(frame);
      }
    });
    if (error !== null) {
      this.close({ ...error, bad: true });
    }
  }

  #deliver(frame: Frame): void {
    this.lastHeardAt = this.#env.now();
    this.#listener.onFrame(frame);
  }

  #enqueue(frame: OutgoingFrame): void {
    (frame.lane === 'control' ? this.#control : this.#bulk).push(frame);
    this.#laneBytes += frame.bytes;
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      // Runs after every socket and file event of this loop turn: one write for all frames they caused.
      setImmediate(() => {
        this.#flushScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#closed || this.#laneBytes === 0) {
      return;
    }
    this.#socket.cork();
    for (const frame of this.#control) {
      this.#write(frame);
    }
    this.#control = [];
    let written = 0;
    while (written < this.#bulk.length && this.#socket.writableLength < SOCKET_BULK_BYTES_MAX) {
      this.#write(this.#bulk[written++]!);
    }
    this.#bulk.splice(0, written);
    this.#socket.uncork();
  }

  #write(frame: OutgoingFrame): void {
    this.#laneBytes -= frame.bytes;
    for (const chunk of frame.chunks) {
      this.#socket.write(chunk);
    }
  }
}
