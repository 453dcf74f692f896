// Messages between the messaging layers of two nodes on the bus channel `messaging`: protobuf-like fields, one shape.
// Every message names its kind; the other fields mean what the table says and are left out at their defaults.
//
// kind                 fields
// registrations        amount = version after it, flags FIRST|LAST|FULL|RESET, ops
// want-state           -
// command              id, context, stream, priority, body = Command
// command-answer       id, body = CommandResponse
// command-refused      id: it never reached a handler, route it again
// query                id, context, stream, priority, amount = remaining ms, flags STREAMING, body = QueryRequest
// query-response       id, body = QueryResponse
// query-done           id
// query-failed         id, flags LOST, body = QueryResponse with the error; the part is done
// query-cancel         id, stream, text = message identifier of the query
// query-permits        id, stream, text = message identifier of the query, amount
// subscription-open    id, context, stream, text = subscription id, body = SubscriptionQuery
// subscription-initial id, context, stream, text = subscription id, body = SubscriptionQuery
// subscription-close   id, stream, text = subscription id
// subscription-response id, stream, body = SubscriptionQueryResponse
// subscription-failed  id, text: updates were lost, the call has to end
// clients-wanted       id, context (empty: all)
// clients              id, flags LAST, body = JSON of clients of the sender
// processor-instruction id, stream, body = JSON of the instruction
// processor-result     id, body = JSON of the outcome
// client-reconnect     stream: ask this client to connect anew
// leaving              - the sender is about to stop and takes no clients any more
//
// An id belongs to the node that asked and is never used again while its process lives. When a link is lost both sides
// forget all ids that they had in common, so an answer never meets a foreign question.
import { WireReader, WireWriter } from '../util/wire.ts';
import type { HandlerKind, RegistrationOp } from './handler-registry.ts';

export const PeerKind = {
  REGISTRATIONS: 1,
  WANT_STATE: 2,
  COMMAND: 3,
  COMMAND_ANSWER: 4,
  COMMAND_REFUSED: 5,
  QUERY: 6,
  QUERY_RESPONSE: 7,
  QUERY_DONE: 8,
  QUERY_FAILED: 9,
  QUERY_CANCEL: 10,
  QUERY_PERMITS: 11,
  SUBSCRIPTION_OPEN: 12,
  SUBSCRIPTION_INITIAL: 13,
  SUBSCRIPTION_CLOSE: 14,
  SUBSCRIPTION_RESPONSE: 15,
  SUBSCRIPTION_FAILED: 16,
  CLIENTS_WANTED: 17,
  CLIENTS: 18,
  PROCESSOR_INSTRUCTION: 19,
  PROCESSOR_RESULT: 20,
  CLIENT_RECONNECT: 21,
  LEAVING: 22,
} as const;
export type PeerKind = (typeof PeerKind)[keyof typeof PeerKind];

export const FLAG_FIRST = 1;
export const FLAG_LAST = 2;
/** Part of a full state rather than a single change. */
export const FLAG_FULL = 4;
/** The sender lost the link, or messages for want of room: everything in flight between the two nodes is lost. */
export const FLAG_RESET = 8;
export const FLAG_STREAMING = 16;
export const FLAG_LOST = 32;

export interface PeerMessage {
  readonly kind: PeerKind;
  readonly id: number;
  readonly context: string;
  readonly stream: string;
  readonly text: string;
  readonly priority: number;
  readonly amount: number;
  readonly flags: number;
  readonly body: Uint8Array;
  readonly ops: readonly RegistrationOp[];
}

const emptyBytes = new Uint8Array(0);
const empty: Omit<PeerMessage, 'kind'> = {
  id: 0,
  context: '',
  stream: '',
  text: '',
  priority: 0,
  amount: 0,
  flags: 0,
  body: emptyBytes,
  ops: [],
};

export function encodePeerMessage(kind: PeerKind, fields: Partial<Omit<PeerMessage, 'kind'>>): Buffer {
  const message = { ...empty, ...fields };
  const writer = new WireWriter(message.body.length + 96);
  writer.int(1, kind).int(2, message.id).text(3, message.context).text(4, message.stream).text(5, message.text);
  writer.int(6, message.priority).int(7, message.amount).int(8, message.flags);
  for (const op of message.ops) writer.bytes(10, encodeOp(op));
  if (message.body.length > 0) writer.bytes(9, message.body);
  return writer.finish();
}

/** Throws WireError on bytes that are no message of ours. `body` is a view. */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  const message = { ...empty, kind: 0 as PeerKind, ops: [] as RegistrationOp[] };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) message.kind = reader.number() as PeerKind;
    else if (reader.field === 2) message.id = reader.number();
    else if (reader.field === 3) message.context = reader.text();
    else if (reader.field === 4) message.stream = reader.text();
    else if (reader.field === 5) message.text = reader.text();
    else if (reader.field === 6) message.priority = reader.signed();
    else if (reader.field === 7) message.amount = reader.signed();
    else if (reader.field === 8) message.flags = reader.number();
    else if (reader.field === 9) message.body = reader.view();
    else if (reader.field === 10) {
      const op = decodeOp(reader.view());
      if (op !== null) message.ops.push(op);
    }
  }
  return message;
}

const opNumbers = { open: 1, subscribe: 2, unsubscribe: 3, close: 4, clients: 5 } as const;
const kindNumbers: Record<HandlerKind, number> = { command: 1, query: 2 };

function encodeOp(op: RegistrationOp): Buffer {
  const writer = new WireWriter().int(1, opNumbers[op.op]);
  if (op.op === 'clients') return writer.text(4, op.context).int(8, op.count).finish();
  writer.text(2, op.streamId);
  if (op.op === 'open') {
    writer.int(3, kindNumbers[op.kind]).text(4, op.context).text(5, op.clientId).text(6, op.componentName);
    for (const [key, value] of op.tags) writer.bytes(9, new WireWriter().text(1, key).text(2, value).finish());
  } else if (op.op !== 'close') {
    writer.text(7, op.name);
    if (op.op === 'subscribe') writer.int(8, op.loadFactor);
  }
  return writer.finish();
}

function decodeOp(bytes: Uint8Array): RegistrationOp | null {
  const tags = new Map<string, string>();
  const fields = { op: 0, streamId: '', kind: 0, context: '', clientId: '', componentName: '', name: '', amount: 0 };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) fields.op = reader.number();
    else if (reader.field === 2) fields.streamId = reader.text();
    else if (reader.field === 3) fields.kind = reader.number();
    else if (reader.field === 4) fields.context = reader.text();
    else if (reader.field === 5) fields.clientId = reader.text();
    else if (reader.field === 6) fields.componentName = reader.text();
    else if (reader.field === 7) fields.name = reader.text();
    else if (reader.field === 8) fields.amount = reader.number();
    else if (reader.field === 9) {
      let key = '';
      let value = '';
      const tag = new WireReader(reader.view());
      while (tag.next()) {
        if (tag.field === 1) key = tag.text();
        else if (tag.field === 2) value = tag.text();
      }
      tags.set(key, value);
    }
  }
  const { streamId, context, clientId, componentName, name, amount } = fields;
  const kind: HandlerKind = fields.kind === kindNumbers.query ? 'query' : 'command';
  if (fields.op === opNumbers.open) return { op: 'open', streamId, kind, context, clientId, componentName, tags };
  if (fields.op === opNumbers.subscribe) return { op: 'subscribe', streamId, name, loadFactor: amount };
  if (fields.op === opNumbers.unsubscribe) return { op: 'unsubscribe', streamId, name };
  if (fields.op === opNumbers.close) return { op: 'close', streamId };
  if (fields.op === opNumbers.clients) return { op: 'clients', context, count: amount };
  return null; // of a newer version
}
