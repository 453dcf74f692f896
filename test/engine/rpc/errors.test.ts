import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CODE_EXPLANATIONS, codesIn, explainCode } from '../../../electron/contract/axoniq-codes.ts';
import { AxonError } from '../../../engine/context/api.ts';
import { PeerError } from '../../../engine/peer/bus.ts';
import { ERROR_CODES, grpcErrorFrom } from '../../../engine/rpc/errors.ts';
import { MalformedMessage } from '../../../engine/rpc/proto.ts';
import { GrpcStatus } from '../../../engine/rpc/transport.ts';

const engineDir = fileURLToPath(new URL('../../../engine/', import.meta.url));

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

  it('B11 every code that the engine can send has a cause and a next step', async () => {
    const sent = new Set<string>();
    for (const file of await readdir(engineDir, { recursive: true })) {
      if (!file.endsWith('.ts') || file.startsWith('proto')) continue;
      const text = await readFile(path.join(engineDir, file), 'utf8');
      for (const [code] of text.matchAll(/AXONIQ-\d+/g)) sent.add(code);
    }
    expect(sent.size).toBeGreaterThan(40);
    expect([...sent].filter((code) => explainCode(code) === null)).toEqual([]);
    expect([...CODE_EXPLANATIONS.keys()]).toEqual([...ERROR_CODES.keys()]);
    for (const { code, cause, next } of CODE_EXPLANATIONS.values()) {
      expect([code, cause]).toEqual([code, expect.stringMatching(/^[A-Z].{20,}\.$/)]);
      expect([code, next.length > 0 && next.every((step) => step.length > 8)]).toEqual([code, true]);
    }
  });

  it('B11 finds the codes that a text names, and knows a code however it is typed', () => {
    expect(codesIn('[AXONIQ-2000] no (AXONIQ-2000, AXONIQ-4242, xAXONIQ-1302)').map((one) => one.code)).toEqual([
      'AXONIQ-2000',
    ]);
    expect([' 2000', 'axoniq-2000', 'AXONIQ-2000'].map((text) => explainCode(text)?.code)).toEqual(
      Array(3).fill('AXONIQ-2000'),
    );
    expect([explainCode('AXONIQ-4242'), explainCode('2000x'), explainCode('')]).toEqual([null, null, null]);
  });

  it('docs/client-codes.md is the table', async () => {
    const page = await readFile(new URL('../../../docs/client-codes.md', import.meta.url), 'utf8');
    const names = new Map(Object.entries(GrpcStatus).map(([name, status]) => [status, name]));
    const expected = [...ERROR_CODES].map(([code, { status, meaning }]) => {
      const { cause, next } = explainCode(code) ?? { cause: '', next: [] };
      return `| ${code} | ${names.get(status)} | ${meaning} | ${cause} | ${next.join(' ')} |`;
    });
    expect(page.split('\n').filter((line) => line.startsWith('| AXONIQ-'))).toEqual(expected);
  });
});
