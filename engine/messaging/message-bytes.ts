// What routing must know of commands, queries and responses, read from their bytes; and the few messages that the server
// writes itself. Everything else passes through untouched (client-behaviour CM-7). Malformed input throws WireError.
// Field numbers: api-messages.md.
import { WireReader, WireType, WireWriter } from '../util/wire.ts';

/** Values as text: text as is, numbers and booleans written out. Others are left out. */
export type MetaData = ReadonlyMap<string, string>;

export interface CommandScan {
  readonly id: string;
  readonly name: string;
  /** ROUTING_KEY, or the message identifier when missing or empty (CM-20). */
  readonly routingKey: string;
  readonly priority: number;
}

export interface QueryScan {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  /** Milliseconds; 5000 when absent (QR-18). */
  readonly timeoutMs: number;
  readonly streaming: boolean;
}

export interface ResponseScan {
  readonly requestId: string;
  readonly errorCode: string;
  /** Error code set or error message present (client-behaviour §14.2). */
  readonly failed: boolean;
}

const ProcessingKey = {
  ROUTING_KEY: 0,
  PRIORITY: 1,
  TIMEOUT: 2,
  SERVER_SUPPORTS_STREAMING: 7,
  CLIENT_SUPPORTS_STREAMING: 8,
};
/** In place of a message that is needed no more. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);
const QUERY_TIMEOUT_DEFAULT_MS = 5000;
const ERROR_LOCATION = 'AxonServer';

interface Instruction {
  key: number;
  text: string;
  number: number;
  flag: boolean;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function scanInstruction(bytes: Uint8Array): Instruction {
  const instruction: Instruction = { key: 0, text: '', number: 0, flag: false };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) instruction.key = reader.number();
    else if (reader.field === 2) {
      const value = new WireReader(reader.view());
      while (value.next()) {
        if (value.field === 1) instruction.text = value.text();
        else if (value.field === 2) instruction.number = unzigzag(value.number());
        else if (value.field === 3) instruction.flag = value.number() !== 0;
      }
    }
  }
  return instruction;
}

/** Of a command or query; most never need it. */
export function scanMetaData(bytes: Uint8Array): MetaData {
  const entries = new Map<string, string>();
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field !== 5) continue;
    let key = '';
    let text: string | null = null;
    const entry = new WireReader(reader.view());
    while (entry.next()) {
      if (entry.field === 1) key = entry.text();
      else if (entry.field === 2) text = metaDataText(entry.view());
    }
    if (text !== null) entries.set(key, text);
  }
  return entries;
}

function metaDataText(bytes: Uint8Array): string | null {
  const value = new WireReader(bytes);
  let text: string | null = null;
  while (value.next()) {
    if (value.field === 1) text = value.text();
    else if (value.field === 2) text = String(unzigzag(value.number()));
    else if (value.field === 3) text = String(value.number() !== 0);
  }
  return text;
}

export function scanCommand(bytes: Uint8Array): CommandScan {
  let id = '';
  let name = '';
  let routingKey = '';
  let priority = 0;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) id = reader.text();
    else if (reader.field === 2) name = reader.text();
    else if (reader.field === 6) {
      const instruction = scanInstruction(reader.view());
      if (instruction.key === ProcessingKey.ROUTING_KEY) routingKey = instruction.text;
      else if (instruction.key === ProcessingKey.PRIORITY) priority = instruction.number;
    }
  }
  return { id, name, routingKey: routingKey === '' ? id : routingKey, priority };
}

export function scanQuery(bytes: Uint8Array): QueryScan {
  let id = '';
  let name = '';
  let priority = 0;
  let timeoutMs = QUERY_TIMEOUT_DEFAULT_MS;
  let streaming = false;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) id = reader.text();
    else if (reader.field === 2) name = reader.text();
    else if (reader.field === 7) {
      const instruction = scanInstruction(reader.view());
      if (instruction.key === ProcessingKey.PRIORITY) priority = instruction.number;
      else if (instruction.key === ProcessingKey.TIMEOUT) timeoutMs = instruction.number;
      else if (instruction.key === ProcessingKey.CLIENT_SUPPORTS_STREAMING) streaming = instruction.flag;
    }
  }
  return { id, name, priority, timeoutMs, streaming };
}

/** For CommandResponse and QueryResponse, which share these fields. */
export function scanResponse(bytes: Uint8Array): ResponseScan {
  let requestId = '';
  let errorCode = '';
  let hasMessage = false;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 2) errorCode = reader.text();
    else if (reader.field === 3) hasMessage = true;
    else if (reader.field === 7) requestId = reader.text();
  }
  return { requestId, errorCode, failed: errorCode !== '' || hasMessage };
}

/** The same query with TIMEOUT set to what is left and SERVER_SUPPORTS_STREAMING added (QR-4). */
export function queryForHandler(bytes: Uint8Array, remainingMs: number, streaming: boolean): Buffer {
  const writer = new WireWriter(bytes.length + 32);
  const reader = new WireReader(bytes);
  let copiedTo = 0;
  while (reader.next()) {
    if (reader.field !== 7 || reader.wireType !== WireType.BYTES) continue;
    const { key } = scanInstruction(reader.view());
    if (key !== ProcessingKey.TIMEOUT && key !== ProcessingKey.SERVER_SUPPORTS_STREAMING) continue;
    writer.raw(bytes.subarray(copiedTo, reader.tagStart));
    copiedTo = reader.end;
  }
  writer.raw(bytes.subarray(copiedTo));
  const timeout = new WireWriter().int(2, Math.round(remainingMs) * 2, true).finish();
  const flag = new WireWriter().int(3, streaming ? 1 : 0, true).finish();
  writer.bytes(7, new WireWriter().int(1, ProcessingKey.TIMEOUT).bytes(2, timeout).finish());
  writer.bytes(7, new WireWriter().int(1, ProcessingKey.SERVER_SUPPORTS_STREAMING).bytes(2, flag).finish());
  return writer.finish();
}

/** A server-made CommandResponse or QueryResponse (CM-11): same fields in both. */
export function errorResponse(messageId: string, requestId: string, code: string, text: string): Buffer {
  const message = new WireWriter().text(1, text).text(2, ERROR_LOCATION).text(4, code).finish();
  return new WireWriter(128).text(1, messageId).text(2, code).bytes(3, message).text(7, requestId).finish();
}

/** Random text of 32 hex digits in the form of a UUID; `random` gives numbers in [0, 1). */
export function newIdentifier(random: () => number): string {
  let digits = '';
  for (let i = 0; i < 4; i += 1) {
    digits += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
}

export interface SubscriptionQueryScan {
  readonly subscriptionId: string;
  /** `number_of_permits`: meaningful in flow_control only (SQ-5). */
  readonly permits: number;
  /** The QueryRequest inside, or null. */
  readonly query: QueryScan | null;
  /** Its bytes; empty without one. */
  readonly queryBytes: Uint8Array;
}

export function scanSubscriptionQuery(bytes: Uint8Array): SubscriptionQueryScan {
  let subscriptionId = '';
  let permits = 0;
  let query: QueryScan | null = null;
  let queryBytes: Uint8Array = NO_BYTES;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) subscriptionId = reader.text();
    else if (reader.field === 2) permits = reader.signed();
    else if (reader.field === 3) {
      queryBytes = reader.view();
      query = scanQuery(queryBytes);
    }
  }
  return { subscriptionId, permits, query, queryBytes };
}

export interface SubscriptionResponseScan {
  readonly subscriptionId: string;
  readonly isInitialResult: boolean;
  /** An end marker that clients use among themselves; never to be passed on (SQ-16). */
  readonly isTerminal: boolean;
}

const TERMINAL_CLIENT = '__terminal__';
export const TERMINAL_ERROR = '__TERMINAL__';

export function scanSubscriptionResponse(bytes: Uint8Array): SubscriptionResponseScan {
  let subscriptionId = '';
  let isInitialResult = false;
  let isTerminal = false;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 2) subscriptionId = reader.text();
    else if (reader.field === 3) {
      isInitialResult = true;
      isTerminal ||= scanResponse(reader.view()).errorCode === TERMINAL_ERROR;
    } else if (reader.field === 4) {
      const update = new WireReader(reader.view());
      while (update.next()) {
        if (update.field === 5) isTerminal ||= update.text() === TERMINAL_CLIENT;
        else if (update.field === 7) isTerminal ||= update.text() === TERMINAL_ERROR;
      }
    }
  }
  return { subscriptionId, isInitialResult, isTerminal };
}

/** A SubscriptionQueryResponse with an initial result. */
export function initialResultResponse(messageId: string, subscriptionId: string, queryResponse: Uint8Array): Buffer {
  return new WireWriter(queryResponse.length + 128)
    .text(1, messageId)
    .text(2, subscriptionId)
    .bytes(3, queryResponse)
    .finish();
}
