// First words on a node-to-node connection: who speaks, of which cluster, in which protocol (raft-design §4). Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import { WireReader, WireType, WireWriter } from '../util/wire.ts';

/** Range of protocol versions this build speaks. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;
export const HELLO_BYTES_MAX = 4096;

export interface Hello {
  /** Null while the node belongs to no cluster yet (joining). */
  readonly clusterId: string | null;
  readonly nodeName: string;
  readonly storeId: string;
  /** Random per process start. */
  readonly incarnation: string;
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** Internal address the node listens on. */
  readonly host: string;
  readonly port: number;
  /** `link` replaces an older link of the same node; `call` is a one-off before the node is known by name. */
  readonly purpose: 'link' | 'call';
  /** `accesscontrol.internal-token`, empty when not set. */
  readonly token: string;
}

export type RefusalCode =
  | 'PEER_OTHER_CLUSTER'
  | 'PEER_PROTOCOL_MISMATCH'
  | 'PEER_TOKEN_WRONG'
  | 'PEER_NAME_TAKEN'
  | 'PEER_NOT_A_PEER';

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export function encodeHello(hello: Hello): Uint8Array {
  return new WireWriter(256)
    .text(1, hello.clusterId ?? '')
    .text(2, hello.nodeName)
    .text(3, hello.storeId)
    .text(4, hello.incarnation)
    .int(5, hello.protocolMin)
    .int(6, hello.protocolMax)
    .text(7, hello.host)
    .int(8, hello.port)
    .int(9, hello.purpose === 'call' ? 1 : 0)
    .text(10, hello.token)
    .finish();
}

/** Null when the bytes are no valid hello; unknown fields are skipped for the sake of later versions. */
export function decodeHello(bytes: Uint8Array): Hello | null {
  const texts = ['', '', '', '', '', '', '', '', '', '', ''];
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field > 10) {
        continue;
      }
      if (reader.wireType === WireType.BYTES) {
        texts[reader.field] = reader.text();
      } else if (reader.wireType === WireType.VARINT) {
        numbers[reader.field] = reader.number();
      }
    }
  } catch {
    return null;
  }
  const [, clusterId, nodeName, storeId, incarnation, , , host] = texts as [string, ...string[]];
  const named =
    /^[^\s@/\\]{1,128}$/.test(nodeName!) && storeId !== '' && incarnation !== '' && clusterId!.length <= 128;
  if (!named || numbers[5]! < 1 || numbers[6]! < numbers[5]! || numbers[8]! > 65535) {
    return null;
  }
  return {
    clusterId: clusterId === '' ? null : clusterId!,
    nodeName: nodeName!,
    storeId: storeId!,
    incarnation: incarnation!,
    protocolMin: numbers[5]!,
    protocolMax: numbers[6]!,
    host: host!,
    port: numbers[8]!,
    purpose: numbers[9] === 1 ? 'call' : 'link',
    token: texts[10]!,
  };
}

export function encodeRefusal(refusal: Refusal): Uint8Array {
  return new WireWriter().text(1, refusal.code).text(2, refusal.message.slice(0, 1024)).finish();
}

export function decodeRefusal(bytes: Uint8Array): Refusal {
  const texts = ['', '', ''];
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field <= 2 && reader.wireType === WireType.BYTES) {
        texts[reader.field] = reader.text();
      }
    }
  } catch {
    return { code: 'PEER_NOT_A_PEER', message: 'unreadable refusal' };
  }
  return { code: texts[1] as RefusalCode, message: texts[2]! };
}

/** Why `own` cannot talk to `other`, or null. The same check on both ends. */
export function checkHello(own: Hello, other: Hello): Refusal | null {
  if (other.protocolMin > own.protocolMax || other.protocolMax < own.protocolMin) {
    const ranges = `${other.protocolMin}-${other.protocolMax} there, ${own.protocolMin}-${own.protocolMax} here`;
    return { code: 'PEER_PROTOCOL_MISMATCH', message: `no common version of the node-to-node protocol (${ranges})` };
  }
  if (!sameSecret(own.token, other.token)) {
    return { code: 'PEER_TOKEN_WRONG', message: 'accesscontrol.internal-token differs between the nodes' };
  }
  if (own.clusterId !== null && other.clusterId !== null && own.clusterId !== other.clusterId) {
    const message = `${other.nodeName} belongs to cluster ${other.clusterId}, ${own.nodeName} to cluster ${own.clusterId}`;
    return { code: 'PEER_OTHER_CLUSTER', message };
  }
  if (own.nodeName === other.nodeName) {
    const message =
      own.incarnation === other.incarnation
        ? `${own.nodeName} was told to connect to itself`
        : `another node already uses the name ${own.nodeName}`;
    return { code: 'PEER_NAME_TAKEN', message };
  }
  return null;
}

function sameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
