// I16: from the system calls of an engine, whether any confirmation left it before the events it confirms were synced. Pure.
// Two kinds of confirmation: the answer to a client's append (gRPC over HTTP/2), and a follower's append-response to its leader.
import { FRAME_PAYLOAD_BYTES_MAX, FrameParser, FrameType } from '../../engine/peer/frame.ts';
import { decodeRaftMessages } from '../../engine/peer/raft-codec.ts';
import { socketPorts, type SystemCall } from './strace.ts';

/** Events of the audited workload carry it in their payload, followed by a number of fixed width. */
export const MARKER = 'audited-event-';
const MARKER_DIGITS = 6;
export function marker(number: number): string {
  return MARKER + String(number).padStart(MARKER_DIGITS, '0');
}

export interface AuditResult {
  /** Confirmations of marked events that were judged. */
  readonly clientAcks: number;
  readonly peerAcks: number;
  readonly syncs: number;
  readonly violations: readonly string[];
}

const PREFACE_BYTES = 24;
const HTTP2_HEADER_BYTES = 9;
const HTTP2_DATA = 0;

export function auditSyncs(calls: readonly SystemCall[], grpcPort: number): AuditResult {
  return new Audit(grpcPort).run(calls);
}

class Audit {
  readonly #grpcPort: number;
  /** Marker → file and line at which its write ended. */
  readonly #written = new Map<string, { readonly file: string; readonly end: number }>();
  /** Marker → line at which the sync that covers it returned. */
  readonly #durable = new Map<string, number>();
  readonly #clients = new Map<string, ClientConnection>();
  readonly #peers = new Map<string, PeerConnection>();
  /** Markers of entries by `group index`, as the leader sent them. */
  readonly #entries = new Map<string, readonly string[]>();
  readonly #violations: string[] = [];
  #clientAcks = 0;
  #peerAcks = 0;
  #syncs = 0;

  constructor(grpcPort: number) {
    this.#grpcPort = grpcPort;
  }

  run(calls: readonly SystemCall[]): AuditResult {
    // Calls come in order of their ends. A confirmation may be on its way from the moment its write begins, so what is written to
    // sockets is judged last, against the lines of syncs.
    for (const call of calls) this.#files(call);
    for (const call of calls) this.#sockets(call);
    return {
      clientAcks: this.#clientAcks,
      peerAcks: this.#peerAcks,
      syncs: this.#syncs,
      violations: this.#violations,
    };
  }

  #files(call: SystemCall): void {
    if (!call.target.startsWith('/')) return;
    if (/write/.test(call.name)) {
      for (const found of markersIn(call.bytes)) {
        if (!this.#written.has(found)) this.#written.set(found, { file: call.target, end: call.end });
      }
    } else if (/sync/.test(call.name) && call.result === 0) {
      this.#syncs += 1;
      for (const [found, { file, end }] of this.#written) {
        if (file === call.target && end < call.begin && !this.#durable.has(found)) this.#durable.set(found, call.end);
      }
    }
  }

  #sockets(call: SystemCall): void {
    const ports = socketPorts(call.target);
    if (ports === null || call.bytes.length === 0) return;
    const outgoing = /write|send/.test(call.name);
    if (ports.local === this.#grpcPort) {
      const connection = this.#clients.get(call.target) ?? new ClientConnection();
      this.#clients.set(call.target, connection);
      if (!outgoing) connection.received(call.bytes);
      else for (const found of connection.answered(call.bytes)) this.#confirmed(found, call, 'client');
      return;
    }
    const connection = this.#peers.get(call.target) ?? new PeerConnection();
    this.#peers.set(call.target, connection);
    if (outgoing) for (const reached of connection.acknowledged(call.bytes)) this.#reached(reached, call);
    else for (const [entry, found] of connection.appended(call.bytes)) this.#entries.set(entry, found);
  }

  #reached({ group, matchIndex }: Reached, call: SystemCall): void {
    for (const [entry, found] of this.#entries) {
      const [ofGroup, index] = entry.split(' ').map(Number);
      if (ofGroup !== group || (index ?? 0) > matchIndex) continue;
      this.#entries.delete(entry);
      for (const one of found) this.#confirmed(one, call, 'peer');
    }
  }

  #confirmed(found: string, call: SystemCall, to: 'client' | 'peer'): void {
    if (to === 'client') this.#clientAcks += 1;
    else this.#peerAcks += 1;
    const durable = this.#durable.get(found);
    if (durable === undefined || durable >= call.begin) {
      const when = durable === undefined ? 'never' : `at line ${durable}`;
      this.#violations.push(`${found} was confirmed to a ${to} at line ${call.begin}, synced ${when}`);
    }
  }
}

function markersIn(bytes: Uint8Array): readonly string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return [...text.matchAll(new RegExp(`${MARKER}\\d{${MARKER_DIGITS}}`, 'g'))].map(([found]) => found);
}

/** One connection of a client: which stream carries which marked append, and when data is answered on it. */
class ClientConnection {
  readonly #in = new Http2Frames(PREFACE_BYTES);
  readonly #out = new Http2Frames(0);
  readonly #streams = new Map<number, readonly string[]>();

  received(bytes: Buffer): void {
    for (const { type, stream, payload } of this.#in.push(bytes)) {
      if (type !== HTTP2_DATA) continue;
      const found = markersIn(payload);
      if (found.length > 0) this.#streams.set(stream, [...(this.#streams.get(stream) ?? []), ...found]);
    }
  }

  /** The answer to an append has a message only when it is a confirmation; refusals are trailers alone. */
  answered(bytes: Buffer): readonly string[] {
    return this.#out.push(bytes).flatMap(({ type, stream, payload }) => {
      const found = type === HTTP2_DATA && payload.length > 0 ? (this.#streams.get(stream) ?? []) : [];
      if (found.length > 0) this.#streams.delete(stream);
      return found;
    });
  }
}

interface Http2Frame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

class Http2Frames {
  #buffered = Buffer.alloc(0);
  #skip: number;

  constructor(skip: number) {
    this.#skip = skip;
  }

  push(bytes: Buffer): readonly Http2Frame[] {
    this.#buffered = Buffer.concat([this.#buffered, bytes]);
    const skipped = Math.min(this.#skip, this.#buffered.length);
    this.#skip -= skipped;
    this.#buffered = this.#buffered.subarray(skipped);
    const frames: Http2Frame[] = [];
    while (this.#buffered.length >= HTTP2_HEADER_BYTES) {
      const length = this.#buffered.readUIntBE(0, 3);
      if (this.#buffered.length < HTTP2_HEADER_BYTES + length) break;
      const type = this.#buffered.readUInt8(3);
      const stream = this.#buffered.readUInt32BE(5) & 0x7fffffff;
      const payload = this.#buffered.subarray(HTTP2_HEADER_BYTES, HTTP2_HEADER_BYTES + length);
      this.#buffered = this.#buffered.subarray(HTTP2_HEADER_BYTES + length);
      frames.push({ type, stream, payload });
    }
    return frames;
  }
}

interface Reached {
  readonly group: number;
  readonly matchIndex: number;
}

/** One connection between nodes; the trace begins between two frames. */
class PeerConnection {
  readonly #in = new FrameParser(FRAME_PAYLOAD_BYTES_MAX);
  readonly #out = new FrameParser(FRAME_PAYLOAD_BYTES_MAX);

  appended(bytes: Buffer): readonly (readonly [string, readonly string[]])[] {
    return messages(this.#in, bytes).flatMap((message) =>
      message.type !== 'append'
        ? []
        : message.entries.map((entry) => [`${message.group} ${entry.index}`, markersIn(entry.data)] as const),
    );
  }

  /** Positions that this node says are on its disk. */
  acknowledged(bytes: Buffer): readonly Reached[] {
    return messages(this.#out, bytes).flatMap((message): readonly Reached[] => {
      if (message.type === 'append-response' && !message.reject)
        return [{ group: message.group, matchIndex: message.matchIndex }];
      return message.type === 'heartbeat-response' ? [{ group: message.group, matchIndex: message.durableIndex }] : [];
    });
  }
}

function messages(parser: FrameParser, bytes: Buffer): ReturnType<typeof decodeRaftMessages> {
  const found: ReturnType<typeof decodeRaftMessages> = [];
  const error = parser.push(bytes, ({ type, payload }) => {
    if (type === FrameType.RAFT) found.push(...decodeRaftMessages(payload));
  });
  if (error !== null) throw new Error(`the trace does not begin between two frames: ${error.message}`);
  return found;
}
