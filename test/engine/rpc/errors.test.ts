import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { AxonError } from '../../../engine/context/api.ts';
import { PeerError } from '../../../engine/peer/bus.ts';
import { ERROR_CODES, grpcErrorFrom } from '../../../engine/rpc/errors.ts';
import { MalformedMessage } from '../../../engine/rpc/proto.ts';
import { GrpcStatus } from '../../../engine/rpc/transport.ts';

describe('failures as the end of a call', () => {
  it('ER-1 give coded errors their status, `[code] text` and the trailer', () => {
    const cases: readonly [string, GrpcStatus][] = [
      ['AXONIQ-1302', GrpcStatus.NOT_FOUND],
      ['AXONIQ-1400', GrpcStatus.UNAVAILABLE],
      ['AXONIQ-2000', GrpcStatus.OUT_OF_RANGE],
      ['AXONIQ-2100', GrpcStatus.NOT_FOUND],
      ['AXONIQ-1900', GrpcStatus.RESOURCE_EXHAUSTED],
      ['AXONIQ-6002', GrpcStatus.ABORTED],
      ['AXONIQ-10003', GrpcStatus.CANCELLED],
      ['AXONIQ-4242', GrpcStatus.CANCELLED],
    ];
    for (const [code, status] of cases) {
      expect(grpcErrorFrom(new AxonError(code, 'why'))).toEqual({
        status,
        description: `[${code}] why`,
        trailers: { 'axoniq-errorcode': code },
      });
    }
  });

  it('ER-2 give everything else CANCELLED, AXONIQ-0001 and the plain text', () => {
    const trailers = { 'axoniq-errorcode': 'AXONIQ-0001' };
    for (const error of [
      new Error('lost'),
      new PeerError('PEER_TIMEOUT', 'lost'),
      new AxonError('AXONIQ-0001', 'lost'),
      'lost',
    ]) {
      expect(grpcErrorFrom(error)).toEqual({ status: GrpcStatus.CANCELLED, description: 'lost', trailers });
    }
  });

  it('keep the code that another node gave', () => {
    const refused = new PeerError('PEER_REFUSED', 'Invalid sequence number', 'AXONIQ-2000');
    expect(grpcErrorFrom(refused).status).toBe(GrpcStatus.OUT_OF_RANGE);
    expect(grpcErrorFrom(new PeerError('PEER_REFUSED', 'no', 'JOIN_REFUSED')).status).toBe(GrpcStatus.CANCELLED);
  });

  it('call malformed requests INVALID_ARGUMENT', () => {
    expect(grpcErrorFrom(new MalformedMessage('cut short')).status).toBe(GrpcStatus.INVALID_ARGUMENT);
  });

  it('client-behaviour §14.1: the table knows every code once', () => {
    expect(ERROR_CODES.size).toBe(85);
    for (const code of ERROR_CODES.keys()) expect(code).toMatch(/^AXONIQ-\d{4,5}$/);
  });

  it('docs/client-codes.md is the table', async () => {
    const page = await readFile(new URL('../../../docs/client-codes.md', import.meta.url), 'utf8');
    const names = new Map(Object.entries(GrpcStatus).map(([name, status]) => [status, name]));
    const expected = [...ERROR_CODES].map(
      ([code, { status, meaning }]) => `| ${code} | ${names.get(status)} | ${meaning} |`,
    );
    expect(page.split('\n').filter((line) => line.startsWith('| AXONIQ-'))).toEqual(expected);
  });
});
