// Connections of their own for calls: one request to a node that is known by address only (autocluster join), and the bulk lane,
// whose megabytes must not wait before or behind heartbeats (raft-design §4).
import type { Env } from '../util/env.ts';
import type { TlsIdentity } from '../util/tls.ts';
import type { BulkLane, PeerMethod } from './bus.ts';
import { PeerError } from './bus.ts';
import { dial } from './dial.ts';
import type { Frame } from './frame.ts';
import { FrameType } from './frame.ts';
import type { CloseReason } from './frame-connection.ts';
import { FrameConnection } from './frame-connection.ts';
import type { Hello, Refusal } from './hello.ts';
import { checkHello, decodeHello, decodeRefusal, encodeHello } from './hello.ts';
import type { LinkFaults } from './link-faults.ts';
import { OutgoingCalls } from './peer-calls.ts';

export interface CallTarget {
  readonly env: Env;
  readonly faults: LinkFaults;
  readonly hello: Hello;
  readonly tls: TlsIdentity | null;
  readonly host: string;
  readonly port: number;
}

export interface OneOffCall extends CallTarget {
  readonly method: PeerMethod;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

const CLOSED = { code: 'PEER_LINK_CLOSED', message: 'done', bad: false } as const;

/** What is wrong with the first answer; null when it is the welcome of a node we may talk to. */
function refusalOf(frame: Frame, hello: Hello, address: string): Refusal | null {
  if (frame.type === FrameType.REFUSAL) return decodeRefusal(frame.payload);
  const other = frame.type === FrameType.WELCOME ? decodeHello(frame.payload) : null;
  if (other === null) return { code: 'PEER_NOT_A_PEER', message: `${address} is not a node` };
  return checkHello(hello, other);
}

/**
 * Resolves after the welcome. Rejects with PEER_UNREACHABLE (no connection, or no welcome in time) or PEER_REFUSED with the refusal's
 * code (other cluster, wrong token, name taken …). Requests of the lane reject with PEER_LINK_LOST when the connection ends.
 */
export function openCalls(target: CallTarget, timeoutMs: number): Promise<BulkLane> {
  const { env, faults, hello, host, port } = target;
  const address = `${host}:${port}`;
  const calls = new OutgoingCalls(address);
  return new Promise((resolve, reject) => {
    let welcomed = false;
    const lane: BulkLane = {
      get closed() {
        return connection.closed;
      },
      request: (method, body, requestMs) => calls.request(connection, method, body, requestMs),
      close: () => connection.close(CLOSED, true),
    };
    const onWelcome = (frame: Frame): void => {
      const refusal = refusalOf(frame, hello, address);
      if (refusal !== null) {
        clearTimeout(timer);
        reject(new PeerError('PEER_REFUSED', refusal.message, refusal.code));
        connection.close(CLOSED, true);
        return;
      }
      const { nodeName } = decodeHello(frame.payload)!;
      if (faults.isCutAnyway(nodeName)) return;
      welcomed = true;
      clearTimeout(timer);
      connection.identify(nodeName);
      connection.openFully();
      resolve(lane);
    };
    const onFrame = (frame: Frame): void => {
      if (!welcomed) onWelcome(frame);
      else if (frame.type === FrameType.RESPONSE) calls.onResponse(frame.payload);
      else if (frame.type === FrameType.FAILURE) calls.onFailure(frame.payload);
    };
    const onClosed = (reason: CloseReason): void => {
      clearTimeout(timer);
      calls.failAll(`connection to ${address} lost: ${reason.message}`);
      reject(
        reason.bad
          ? new PeerError('PEER_REFUSED', `${address}: ${reason.message}`, reason.code)
          : new PeerError('PEER_UNREACHABLE', `cannot reach ${address}: ${reason.message}`, reason.code),
      );
    };
    const timer = setTimeout(() => {
      reject(new PeerError('PEER_UNREACHABLE', `${address} did not answer within ${timeoutMs} ms`));
      connection.close(CLOSED, true);
    }, timeoutMs);
    const socket = dial(host, port, target.tls, () => connection.send(FrameType.HELLO, 'control', encodeHello(hello)));
    const connection: FrameConnection = new FrameConnection(env, socket, address, faults, { onFrame, onClosed });
  });
}

/** Rejects as `openCalls` and requests do, with PEER_TIMEOUT when the answer is late (outcome unknown). */
export async function callAddress(call: OneOffCall): Promise<Uint8Array> {
  const startedAt = call.env.now();
  const lane = await openCalls(call, call.timeoutMs);
  try {
    const left = Math.max(1, call.timeoutMs - (call.env.now() - startedAt));
    return await lane.request(call.method, call.body, left);
  } finally {
    lane.close();
  }
}
