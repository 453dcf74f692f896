// Bodies of the requests that nodes send each other for contexts: small JSON headers, raw event bytes as they are.
// Layout: u32 header length, JSON header, then repeated { u32 length, bytes }. Malformed input throws PeerBodyError.
import { PeerError } from '../peer/bus.ts';
import type { AdminCommand } from './admin-state.ts';

/** Largest body accepted; the peer network has its own frame limit below it. */
export const PEER_BODY_PARTS_MAX = 100_000;

export class PeerBodyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PeerBodyError';
  }
}

export interface PeerBody<T> {
  readonly head: T;
  readonly parts: readonly Buffer[];
}

export function encodeBody(head: unknown, parts: readonly Uint8Array[] = []): Buffer {
  const json = Buffer.from(JSON.stringify(head), 'utf8');
  let size = 4 + json.length;
  for (const part of parts) size += 4 + part.length;
  const body = Buffer.allocUnsafe(size);
  let position = body.writeUInt32LE(json.length, 0);
  position += json.copy(body, position);
  for (const part of parts) {
    position = body.writeUInt32LE(part.length, position);
    body.set(part, position);
    position += part.length;
  }
  return body;
}

/** The caller checks the shape of `head`: it comes from outside. Parts are views on `bytes`. */
export function decodeBody(bytes: Uint8Array): PeerBody<unknown> {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.length < 4) throw new PeerBodyError('body shorter than its header');
  const headLength = body.readUInt32LE(0);
  if (4 + headLength > body.length) throw new PeerBodyError('header runs past the end');
  let head: unknown;
  try {
    head = JSON.parse(body.toString('utf8', 4, 4 + headLength));
  } catch {
    throw new PeerBodyError('header is not JSON');
  }
  const parts: Buffer[] = [];
  let position = 4 + headLength;
  while (position < body.length) {
    if (position + 4 > body.length) throw new PeerBodyError('part length cut short');
    const length = body.readUInt32LE(position);
    position += 4;
    if (position + length > body.length) throw new PeerBodyError('part runs past the end');
    if (parts.length >= PEER_BODY_PARTS_MAX) throw new PeerBodyError(`more than ${PEER_BODY_PARTS_MAX} parts`);
    parts.push(body.subarray(position, position + length));
    position += length;
  }
  return { head, parts };
}

/** Reads `name` from a decoded header, checking its type. */
export function textField(head: unknown, name: string): string {
  const value = fieldOf(head, name);
  if (typeof value !== 'string') throw new PeerBodyError(`${name} is not a text`);
  return value;
}

export function numberField(head: unknown, name: string): number {
  const value = fieldOf(head, name);
  if (typeof value !== 'number') throw new PeerBodyError(`${name} is not a number`);
  return value;
}

export function fieldOf(head: unknown, name: string): unknown {
  if (typeof head !== 'object' || head === null) throw new PeerBodyError('header is not an object');
  return (head as Record<string, unknown>)[name];
}

/** What `_admin` replicates. Throws PeerError BAD_REQUEST for anything without a type. */
export function adminCommandOf(value: unknown): AdminCommand {
  if (typeof value !== 'object' || value === null || typeof (value as { type?: unknown }).type !== 'string')
    throw new PeerError('PEER_REFUSED', 'not an administration command', 'BAD_REQUEST');
  return value as AdminCommand;
}
