// One request over a connection of its own, for a node that is known by address only (autocluster join).
import type { Env } from '../util/env.ts';
import type { PeerMethod } from './bus.ts';
import { PeerError } from './bus.ts';
import { dial } from './dial.ts';
import type { Frame } from './frame.ts';
import { FrameType } from './frame.ts';
import type { CloseReason } from './frame-connection.ts';
import { FrameConnection } from './frame-connection.ts';
import type { Hello } from './hello.ts';
import { checkHello, decodeHello, decodeRefusal, encodeHello } from './hello.ts';
import type { LinkFaults } from './link-faults.ts';
import { OutgoingCalls } from './peer-calls.ts';

export interface OneOffCall {
  readonly env: Env;
  readonly faults: LinkFaults;
  readonly hello: Hello;
  readonly host: string;
  readonly port: number;
  readonly method: PeerMethod;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

/**
 * Rejects with PEER_UNREACHABLE (no connection, or no welcome in time), PEER_REFUSED with the refusal's code (other cluster,
 * wrong token, name taken …) or the remote error's, PEER_LINK_LOST and PEER_TIMEOUT (outcome unknown).
 */
export function callAddress(call: OneOffCall): Promise<Uint8Array> {
  const { env, faults, hello, host, port, method, body, timeoutMs } = call;
  const address = `${host}:${port}`;
  const calls = new OutgoingCalls(address);
  const startedAt = env.now();
  return new Promise((resolve, reject) => {
    let welcomed = false;
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
      connection.close({ code: 'PEER_LINK_CLOSED', message: 'done', bad: false }, true);
    };
    const onWelcome = (frame: Frame): void => {
      const other = frame.type === FrameType.WELCOME ? decodeHello(frame.payload) : null;
      const refusal =
        frame.type === FrameType.REFUSAL
          ? decodeRefusal(frame.payload)
          : other === null
            ? { code: 'PEER_NOT_A_PEER', message: `${address} is not a node` }
            : checkHello(hello, other);
      if (refusal !== null) {
        finish(() => reject(new PeerError('PEER_REFUSED', refusal.message, refusal.code)));
        return;
      }
      if (other !== null && faults.isCutAnyway(other.nodeName)) {
        return;
      }
      welcomed = true;
      clearTimeout(timer);
      connection.identify(other!.nodeName);
      connection.openFully();
      const left = Math.max(1, timeoutMs - (env.now() - startedAt));
      calls.request(connection, method, body, left).then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => finish(() => reject(error)),
      );
    };
    const onFrame = (frame: Frame): void => {
      if (!welcomed) {
        onWelcome(frame);
      } else if (frame.type === FrameType.RESPONSE) {
        calls.onResponse(frame.payload);
      } else if (frame.type === FrameType.FAILURE) {
        calls.onFailure(frame.payload);
      }
    };
    const onClosed = (reason: CloseReason): void => {
      clearTimeout(timer);
      calls.failAll(`connection to ${address} lost: ${reason.message}`);
      reject(
        reason.bad
          ? new PeerError('PEER_REFUSED', `${address}: ${reason.message}`, reason.code)
          : new PeerError('PEER_UNREACHABLE', `cannot reach ${address}: ${reason.message}`),
      );
    };
    const timer = setTimeout(() => {
      finish(() => reject(new PeerError('PEER_UNREACHABLE', `${address} did not answer within ${timeoutMs} ms`)));
    }, timeoutMs);
    const socket = dial(host, port);
    const connection = new FrameConnection(env, socket, address, faults, { onFrame, onClosed });
    socket.once('connect', () => connection.send(FrameType.HELLO, 'control', encodeHello(hello)));
  });
}
