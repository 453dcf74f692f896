// Requests and responses over one connection: numbering, time-outs, limits, errors as data.
// Request payload: id u32, method length u8, method, body. Response: id u32, body. Failure: id u32, then protobuf code, text.
import type { Env } from '../util/env.ts';
import { WireReader, WireType, WireWriter } from '../util/wire.ts';
import type { PeerMethod } from './bus.ts';
import { PeerError } from './bus.ts';
import { FRAME_PAYLOAD_BYTES_MAX, FrameType } from './frame.ts';
import type { FrameConnection, Lane } from './frame-connection.ts';
import { BULK_BODY_BYTES, PEER_ERROR_TEXT_MAX, PEER_REQUESTS_MAX } from './limits.ts';

export type PeerHandler = (from: string, body: Uint8Array) => Promise<Uint8Array> | Uint8Array;

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

function laneFor(body: Uint8Array): Lane {
  return body.length > BULK_BODY_BYTES ? 'bulk' : 'control';
}

function idPrefix(id: number): Buffer {
  const prefix = Buffer.allocUnsafe(4);
  prefix.writeUInt32LE(id, 0);
  return prefix;
}

function readId(payload: Uint8Array): number | null {
  return payload.length < 4 ? null : Buffer.from(payload.buffer, payload.byteOffset, 4).readUInt32LE(0);
}

interface WaitingCall {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: PeerError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Calls that this side made over one link, across its reconnects. */
export class OutgoingCalls {
  readonly #waiting = new Map<number, WaitingCall>();
  readonly #peer: string;
  #nextId = 1;

  constructor(peer: string) {
    this.#peer = peer;
  }

  request(connection: FrameConnection, method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#waiting.size >= PEER_REQUESTS_MAX) {
      const message = `${this.#waiting.size} requests to ${this.#peer} are waiting already`;
      return Promise.reject(new PeerError('PEER_BUSY', message));
    }
    if (body.length > FRAME_PAYLOAD_BYTES_MAX - 512) {
      const message = `request ${method} of ${body.length} bytes does not fit into one frame`;
      return Promise.reject(new PeerError('PEER_REFUSED', message, 'PEER_FRAME_TOO_LARGE'));
    }
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    const name = Buffer.from(method, 'latin1');
    const prefix = Buffer.concat([idPrefix(id), Buffer.from([name.length]), name]);
    return new Promise((resolve, reject) => {
      const onTimeout = (): void => {
        this.#waiting.delete(id);
        reject(new PeerError('PEER_TIMEOUT', `${this.#peer} did not answer ${method} within ${timeoutMs} ms`));
      };
      const timer = setTimeout(onTimeout, Math.max(1, Math.min(timeoutMs, TIMEOUT_MS_MAX)));
      this.#waiting.set(id, { resolve, reject, timer });
      if (!connection.send(FrameType.REQUEST, laneFor(body), prefix, body)) {
        clearTimeout(timer);
        this.#waiting.delete(id);
        reject(new PeerError('PEER_BUSY', `the queue to ${this.#peer} is full`));
      }
    });
  }

  onResponse(payload: Uint8Array): void {
    const call = this.#take(payload);
    call?.resolve(payload.subarray(4));
  }

  onFailure(payload: Uint8Array): void {
    const call = this.#take(payload);
    if (call === null) {
      return;
    }
    const { code, message } = decodeFailure(payload.subarray(4));
    call.reject(
      code === 'PEER_BUSY' ? new PeerError('PEER_BUSY', message) : new PeerError('PEER_REFUSED', message, code),
    );
  }

  /** The link is lost: whether the requests were carried out is unknown. */
  failAll(message: string): void {
    const calls = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of calls) {
      clearTimeout(call.timer);
      call.reject(new PeerError('PEER_LINK_LOST', message));
    }
  }

  /** Null for a late answer after the time-out. */
  #take(payload: Uint8Array): WaitingCall | null {
    const id = readId(payload);
    const call = id === null ? undefined : this.#waiting.get(id);
    if (id === null || call === undefined) {
      return null;
    }
    this.#waiting.delete(id);
    clearTimeout(call.timer);
    return call;
  }
}

/** Calls that other nodes make here. */
export class IncomingCalls {
  readonly #env: Env;
  readonly #handlers = new Map<string, PeerHandler>();
  readonly #running = new WeakMap<FrameConnection, number>();

  constructor(env: Env) {
    this.#env = env;
  }

  handle(method: PeerMethod, handler: PeerHandler): void {
    if (this.#handlers.has(method)) {
      throw new Error(`peer method ${method} has a handler already`);
    }
    this.#handlers.set(method, handler);
  }

  /** False when the payload is no request at all. */
  onRequest(connection: FrameConnection, from: string, payload: Uint8Array): boolean {
    const id = readId(payload);
    const nameLength = payload[4];
    if (id === null || nameLength === undefined || payload.length < 5 + nameLength) {
      return false;
    }
    const method = Buffer.from(payload.buffer, payload.byteOffset + 5, nameLength).toString('latin1');
    const handler = this.#handlers.get(method);
    const running = this.#running.get(connection) ?? 0;
    if (running >= PEER_REQUESTS_MAX) {
      this.#fail(connection, id, 'PEER_BUSY', `${running} requests are being handled already`);
    } else if (handler === undefined) {
      this.#fail(connection, id, 'PEER_UNKNOWN_METHOD', `method ${method.slice(0, 64)} is not known here`);
    } else {
      this.#running.set(connection, running + 1);
      void this.#run(connection, id, method, handler, from, payload.subarray(5 + nameLength));
    }
    return true;
  }

  async #run(
    connection: FrameConnection,
    id: number,
    method: string,
    handler: PeerHandler,
    from: string,
    body: Uint8Array,
  ): Promise<void> {
    try {
      const answer = await handler(from, body);
      if (answer.length > FRAME_PAYLOAD_BYTES_MAX - 4) {
        const message = `answer of ${answer.length} bytes to ${method} does not fit into one frame`;
        this.#fail(connection, id, 'PEER_FRAME_TOO_LARGE', message);
      } else if (!connection.send(FrameType.RESPONSE, laneFor(answer), idPrefix(id), answer)) {
        this.#fail(connection, id, 'PEER_BUSY', 'the queue back is full');
      }
    } catch (error) {
      const code = codeOf(error);
      if (code === 'PEER_HANDLER_FAILED') {
        this.#env.log.warn(`request ${method} of ${from} failed: ${String(error)}`, { code, peer: from });
      }
      this.#fail(connection, id, code, error instanceof Error ? error.message : String(error));
    } finally {
      this.#running.set(connection, (this.#running.get(connection) ?? 1) - 1);
    }
  }

  #fail(connection: FrameConnection, id: number, code: string, message: string): void {
    const body = new WireWriter().text(1, code).text(2, message.slice(0, PEER_ERROR_TEXT_MAX)).finish();
    connection.send(FrameType.FAILURE, 'control', idPrefix(id), body);
  }
}

/** What a handler threw, as a code for the other side: remoteCode of a PeerError, else the error's own `code`. */
function codeOf(error: unknown): string {
  if (error instanceof PeerError) {
    return error.remoteCode ?? error.code;
  }
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_-]{0,63}$/.test(code) ? code : 'PEER_HANDLER_FAILED';
}

function decodeFailure(bytes: Uint8Array): { code: string; message: string } {
  const texts = ['', 'PEER_HANDLER_FAILED', ''];
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field <= 2 && reader.wireType === WireType.BYTES) {
        texts[reader.field] = reader.text();
      }
    }
  } catch {
    return { code: 'PEER_HANDLER_FAILED', message: 'unreadable error of the other node' };
  }
  return { code: texts[1]!, message: texts[2]! };
}
