// THE table from AXONIQ codes to gRPC statuses (client-behaviour §14.1), and how any failure becomes the end of a call.
import { AxonError } from '../context/api.ts';
import { PeerError } from '../peer/bus.ts';
import { WireError } from '../util/wire.ts';
import { MalformedMessage } from './proto.ts';
import { type GrpcError, GrpcStatus } from './transport.ts';

export interface ErrorCode {
  readonly status: GrpcStatus;
  readonly meaning: string;
}

/** Code of a failure that has no code of its own (ER-2). */
export const OTHER_ERROR = 'AXONIQ-0001';
/** Trailer that carries the code (ER-1). */
export const ERROR_CODE_TRAILER = 'axoniq-errorcode';

const S = GrpcStatus;
const rows: readonly (readonly [codes: string, status: GrpcStatus, meaning: string])[] = [
  ['0001', S.CANCELLED, 'other or unexpected failure'],
  ['1000', S.PERMISSION_DENIED, 'access token missing'],
  ['1001', S.PERMISSION_DENIED, 'access token invalid or not authorised'],
  ['1002', S.UNKNOWN, 'unsupported instruction'],
  ['1003', S.INTERNAL, 'instruction execution error'],
  ['1004', S.INTERNAL, 'instruction result timeout'],
  ['1100', S.UNAVAILABLE, 'node is a replica'],
  ['1300', S.NOT_FOUND, 'no such application'],
  ['1301', S.NOT_FOUND, 'no such node'],
  ['1302', S.NOT_FOUND, 'no such context'],
  ['1304', S.ALREADY_EXISTS, 'context exists'],
  ['1305', S.ALREADY_EXISTS, 'replication group exists'],
  ['1400', S.UNAVAILABLE, 'no node serves the context'],
  ['1500', S.UNAVAILABLE, 'other node not connected'],
  ['1700', S.PERMISSION_DENIED, 'not covered by the licence'],
  ['1900', S.RESOURCE_EXHAUSTED, 'too many requests'],
  ['2000', S.OUT_OF_RANGE, 'invalid sequence number'],
  ['2001', S.INVALID_ARGUMENT, 'payload too large'],
  ['2002', S.INVALID_ARGUMENT, 'too many events in one transaction'],
  ['2100', S.NOT_FOUND, 'no leader available'],
  ['2101', S.NOT_FOUND, 'not in the cluster'],
  ['2107', S.NOT_FOUND, 'replication group update in progress'],
  ['2108', S.NOT_FOUND, 'replication group not found'],
  ['2200', S.OUT_OF_RANGE, 'invalid transaction token'],
  ['2301', S.PERMISSION_DENIED, 'clustering not allowed'],
  ['2302', S.PERMISSION_DENIED, 'creating replication groups not allowed'],
  ['2303', S.PERMISSION_DENIED, 'not in development mode'],
  ['2304', S.PERMISSION_DENIED, 'internal context'],
  ['2305', S.PERMISSION_DENIED, 'cluster is full'],
  ['2306', S.ALREADY_EXISTS, 'already a member'],
  ['2307', S.PERMISSION_DENIED, 'not a member'],
  ['2308', S.INVALID_ARGUMENT, 'invalid context name'],
  ['2309', S.INVALID_ARGUMENT, 'invalid nodes for the context'],
  ['2310', S.FAILED_PRECONDITION, 'last node'],
  ['2311', S.INVALID_ARGUMENT, 'invalid property value'],
  ['2500', S.INVALID_ARGUMENT, 'node name is taken'],
  ['2501', S.INVALID_ARGUMENT, 'unknown host'],
  ['2502', S.INVALID_ARGUMENT, 'cannot join'],
  ['2510', S.INVALID_ARGUMENT, 'unknown role'],
  ['2511', S.INVALID_ARGUMENT, 'invalid query'],
  ['2610', S.INVALID_ARGUMENT, 'scheduled event not found'],
  ['2700', S.INVALID_ARGUMENT, 'plugin not found'],
  ['2701', S.INVALID_ARGUMENT, 'invalid plugin configuration'],
  ['2800', S.NOT_FOUND, 'event processor not found'],
  ['2801', S.NOT_FOUND, 'target of the segment move unknown'],
  ['2802', S.NOT_FOUND, 'no threads available'],
  ['3000', S.RESOURCE_EXHAUSTED, 'event rate exceeded'],
  ['3004', S.INVALID_ARGUMENT, 'event rejected by an interceptor'],
  ['3005', S.INVALID_ARGUMENT, 'snapshot rejected by an interceptor'],
  ['4000', S.NOT_FOUND, 'no handler for the command'],
  ['4001', S.CANCELLED, 'handler lost'],
  ['4002', S.CANCELLED, 'command timeout'],
  ['4003', S.CANCELLED, 'command dispatch error'],
  ['4004', S.INVALID_ARGUMENT, 'command rejected by an interceptor'],
  ['4005', S.INVALID_ARGUMENT, 'command duplicated'],
  ['5000', S.NOT_FOUND, 'no handler for the query'],
  ['5002', S.NOT_FOUND, 'query dispatch error'],
  ['5004', S.INVALID_ARGUMENT, 'query rejected by an interceptor'],
  ['5005', S.INVALID_ARGUMENT, 'subscription query rejected by an interceptor'],
  ['5006', S.CANCELLED, 'query timeout'],
  ['5007', S.INVALID_ARGUMENT, 'query duplicated'],
  ['6000', S.NOT_FOUND, 'no event store'],
  ['6001', S.NOT_FOUND, 'client disconnected'],
  ['6002', S.ABORTED, 'reading the aggregate took too long'],
  ['6100', S.UNKNOWN, 'failure in an interceptor'],
  ['6101', S.UNKNOWN, 'failure in a post-commit hook'],
  ['7000', S.UNAVAILABLE, 'not ready for a backup'],
  ['8000', S.UNKNOWN, 'cryptography'],
  ['8001', S.UNKNOWN, 'cryptography'],
  ['8002', S.UNKNOWN, 'cryptography'],
  ['9000', S.CANCELLED, 'reading a data file failed'],
  ['9001', S.CANCELLED, 'writing a data file failed'],
  ['9100', S.CANCELLED, 'reading an index file failed'],
  ['9101', S.CANCELLED, 'writing an index file failed'],
  ['9102', S.CANCELLED, 'creating a directory failed'],
  ['9200', S.CANCELLED, 'validation failed'],
  ['9301', S.CANCELLED, 'plugins are disabled'],
  ['9500', S.CANCELLED, 'interrupted'],
  ['9900', S.CANCELLED, 'transaction rolled back'],
  ['10001', S.CANCELLED, 'cluster: too slow'],
  ['10002', S.CANCELLED, 'cluster: uncommitted configuration'],
  ['10003', S.CANCELLED, 'cluster: replication timeout'],
  ['10007', S.CANCELLED, 'cluster: uncommitted term'],
  ['11000', S.DEADLINE_EXCEEDED, 'instruction timeout'],
  ['11001', S.UNKNOWN, 'instruction acknowledged only'],
];

/** Every code that the API defines. */
export const ERROR_CODES: ReadonlyMap<string, ErrorCode> = new Map(
  rows.map(([code, status, meaning]) => [`AXONIQ-${code}`, { status, meaning }]),
);

/** The end of a call for a coded failure: status by the table, `[code] text`, trailer (ER-1). Unknown codes end as CANCELLED. */
export function codedError(code: string, text: string): GrpcError {
  const status = ERROR_CODES.get(code)?.status ?? GrpcStatus.CANCELLED;
  return { status, description: `[${code}] ${text}`, trailers: { [ERROR_CODE_TRAILER]: code } };
}

/** The end of a call for a failure without a code: plain text, AXONIQ-0001, CANCELLED unless a better status is known (ER-2). */
export function plainError(text: string, status: GrpcStatus = GrpcStatus.CANCELLED): GrpcError {
  return { status, description: text, trailers: { [ERROR_CODE_TRAILER]: OTHER_ERROR } };
}

/** Turns whatever was thrown into the end of a call. Never throws. */
export function grpcErrorFrom(error: unknown): GrpcError {
  if (error instanceof AxonError)
    return error.code === OTHER_ERROR ? plainError(error.message) : codedError(error.code, error.message);
  if (error instanceof PeerError && error.remoteCode !== null && ERROR_CODES.has(error.remoteCode)) {
    return codedError(error.remoteCode, error.message);
  }
  if (error instanceof MalformedMessage || error instanceof WireError)
    return plainError(error.message, GrpcStatus.INVALID_ARGUMENT);
  if (error instanceof Error && 'code' in error && error.code === 'DATA_DAMAGED')
    return codedError('AXONIQ-9000', 'A stored entry does not match its checksum; this node repairs its log');
  return plainError(error instanceof Error ? error.message : String(error));
}
