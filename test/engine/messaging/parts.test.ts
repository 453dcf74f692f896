import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { understandsHeartbeats } from '../../../engine/messaging/clients.ts';
import { HandlerRegistry, type RegistrationOp } from '../../../engine/messaging/handler-registry.ts';
import { md5Hex, md5Position } from '../../../engine/messaging/md5.ts';
import {
  errorResponse,
  newIdentifier,
  queryForHandler,
  scanCommand,
  scanMetaData,
  scanQuery,
  scanResponse,
} from '../../../engine/messaging/message-bytes.ts';
import { decodePeerMessage, encodePeerMessage, PeerKind } from '../../../engine/messaging/peer-messages.ts';
import { PriorityQueue } from '../../../engine/messaging/priority-queue.ts';
import { command, common, encodeMessage, query } from '../../../engine/rpc/proto.ts';

function registryWith(streams: readonly (readonly [id: string, node: string, loadFactor: number])[]): HandlerRegistry {
  const registry = new HandlerRegistry();
  for (const [streamId, node, loadFactor] of streams) {
    const identity = { clientId: streamId, componentName: 'shop', tags: new Map<string, string>() };
    registry.apply(node, { op: 'open', streamId, kind: 'command', context: 'default', ...identity });
    registry.apply(node, { op: 'subscribe', streamId, name: 'Create', loadFactor });
  }
  return registry;
}

function owners(registry: HandlerRegistry, keys: number): string[] {
  const ring = registry.ring('default', 'Create');
  return Array.from({ length: keys }, (_, i) => ring.find(`key ${i}`, () => true)?.streamId ?? '');
}

describe('hashing', () => {
  it('CM-22: the ring uses MD5', () => {
    for (const text of ['', 'a', 'message digest', 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(64), 'é€𝄞 #12']) {
      const expected = createHash('md5').update(text).digest('hex');
      expect(md5Hex(text)).toBe(expected);
      expect(md5Position(text)).toBe(Number.parseInt(expected.slice(0, 13), 16));
    }
  });

  it('CM-22: another handler takes over only its share of the keys, and double load factor gives double', () => {
    const before = owners(
      registryWith([
        ['a', 'n1', 100],
        ['b', 'n1', 100],
      ]),
      3000,
    );
    const after = owners(
      registryWith([
        ['a', 'n1', 100],
        ['b', 'n1', 100],
        ['c', 'n1', 100],
      ]),
      3000,
    );
    const moved = after.filter((owner, i) => owner !== before[i]);
    expect(new Set(moved)).toEqual(new Set(['c']));
    expect(moved.length / 3000).toBeGreaterThan(0.2);
    expect(moved.length / 3000).toBeLessThan(0.47);
    const weighted = owners(
      registryWith([
        ['a', 'n1', 100],
        ['b', 'n1', 200],
      ]),
      3000,
    ).filter((owner) => owner === 'b');
    expect(weighted.length / 3000).toBeGreaterThan(0.52);
    expect(weighted.length / 3000).toBeLessThan(0.8);
  });

  it('CM-23: the choice does not depend on the order in which nodes learn of handlers, nor on where these are', () => {
    const one = registryWith([
      ['a', 'n1', 100],
      ['b', 'n2', 50],
      ['c', 'n3', 100],
    ]);
    const other = registryWith([
      ['c', 'n3', 100],
      ['a', 'n1', 100],
      ['b', 'n2', 50],
    ]);
    expect(owners(one, 500)).toEqual(owners(other, 500));
  });

  it('CM-22: leaving a handler out while walking equals a ring without it', () => {
    const ring = registryWith([
      ['a', 'n1', 100],
      ['b', 'n1', 100],
      ['c', 'n1', 100],
    ]).ring('default', 'Create');
    const without = owners(
      registryWith([
        ['a', 'n1', 100],
        ['c', 'n1', 100],
      ]),
      500,
    );
    const skipping = without.map((_, i) => ring.find(`key ${i}`, (record) => record.streamId !== 'b')?.streamId);
    expect(skipping).toEqual(without);
  });
});

describe('priority queue', () => {
  it('CM-24: keeps arrival order within a priority, also after a removal', () => {
    const queue = new PriorityQueue<number>();
    for (let i = 0; i < 200; i += 1) queue.push(i, i % 3);
    const removed = queue.removeWhere((item) => item % 10 === 0);
    expect(removed).toHaveLength(20);
    const popped = [];
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) popped.push(item);
    const expected = [2, 1, 0].flatMap((priority) =>
      Array.from({ length: 200 }, (_, i) => i).filter((i) => i % 3 === priority),
    );
    expect(popped).toEqual(expected.filter((item) => item % 10 !== 0));
    expect(queue.size).toBe(0);
  });
});

describe('message bytes', () => {
  it('CM-20: the routing key falls back to the message identifier', () => {
    const bytes = (text: string) =>
      encodeMessage(command.Command, {
        messageIdentifier: 'id-1',
        name: 'Create',
        processingInstructions: [{ key: common.ProcessingKey.ROUTING_KEY, value: { textValue: text } }],
      });
    expect(scanCommand(bytes('')).routingKey).toBe('id-1');
    expect(scanCommand(bytes('order-7'))).toMatchObject({
      id: 'id-1',
      name: 'Create',
      routingKey: 'order-7',
      priority: 0,
    });
  });

  it('CM-21: metadata comes out as text', () => {
    const metaData = {
      a: { textValue: 'x' },
      b: { numberValue: -12 },
      c: { booleanValue: true },
      d: { doubleValue: 1.5 },
    };
    const scanned = scanMetaData(encodeMessage(command.Command, { metaData }));
    expect([...scanned].sort()).toEqual([
      ['a', 'x'],
      ['b', '-12'],
      ['c', 'true'],
    ]);
  });

  it('QR-4: TIMEOUT is replaced by what is left, SERVER_SUPPORTS_STREAMING added, everything else kept byte for byte', () => {
    const instruction = (key: number, value: common.MetaDataValueInput) => ({ key, value });
    const request = {
      messageIdentifier: 'q-1',
      query: 'find',
      timestamp: 17,
      payload: { type: 'Find', data: Buffer.from([1, 2]) },
      metaData: { user: { textValue: 'ann' } },
      processingInstructions: [
        instruction(common.ProcessingKey.TIMEOUT, { numberValue: 5000 }),
        instruction(common.ProcessingKey.NR_OF_RESULTS, { numberValue: -1 }),
        instruction(common.ProcessingKey.CLIENT_SUPPORTS_STREAMING, { booleanValue: true }),
      ],
      clientId: 'asker',
      componentName: 'shop',
    };
    const unknownField = Buffer.from([0xfa, 0x06, 0x01, 0x41]); // field 111
    const bytes = Buffer.concat([encodeMessage(query.QueryRequest, request), unknownField]);
    const sent = queryForHandler(bytes, 1234.4, true);
    expect(sent.includes(unknownField)).toBe(true);
    const decoded = query.QueryRequest.decode(sent);
    expect(decoded).toMatchObject({ messageIdentifier: 'q-1', query: 'find', timestamp: 17, clientId: 'asker' });
    expect(
      decoded.processingInstructions.map(({ key, value }) => [key, value?.numberValue ?? value?.booleanValue]),
    ).toEqual([
      [common.ProcessingKey.NR_OF_RESULTS, -1],
      [common.ProcessingKey.CLIENT_SUPPORTS_STREAMING, true],
      [common.ProcessingKey.TIMEOUT, 1234],
      [common.ProcessingKey.SERVER_SUPPORTS_STREAMING, true],
    ]);
    expect(scanQuery(bytes)).toMatchObject({ id: 'q-1', name: 'find', timeoutMs: 5000, streaming: true, priority: 0 });
    expect(scanQuery(Buffer.alloc(0)).timeoutMs).toBe(5000);
  });

  it('CM-11: a server-made error has code and message, and counts as a failure', () => {
    const bytes = errorResponse('m', 'r', 'AXONIQ-4000', 'text');
    expect(command.CommandResponse.decode(bytes)).toMatchObject({
      messageIdentifier: 'm',
      requestIdentifier: 'r',
      errorCode: 'AXONIQ-4000',
      errorMessage: { message: 'text', location: 'AxonServer', errorCode: 'AXONIQ-4000' },
    });
    expect(scanResponse(bytes)).toEqual({ requestId: 'r', errorCode: 'AXONIQ-4000', failed: true });
    const onlyMessage = encodeMessage(query.QueryResponse, { requestIdentifier: 'r', errorMessage: {} });
    expect(scanResponse(onlyMessage).failed).toBe(true);
    expect(scanResponse(encodeMessage(query.QueryResponse, { requestIdentifier: 'r' })).failed).toBe(false);
  });

  it('identifiers look like UUIDs and differ', () => {
    const made = Array.from({ length: 100 }, () => newIdentifier(Math.random));
    expect(new Set(made).size).toBe(100);
    expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('messages between nodes survive the way', () => {
    const ops: RegistrationOp[] = [
      {
        op: 'open',
        streamId: 's',
        kind: 'query',
        context: 'c',
        clientId: 'i',
        componentName: 'n',
        tags: new Map([['k', '']]),
      },
      { op: 'subscribe', streamId: 's', name: 'find', loadFactor: 100 },
      { op: 'unsubscribe', streamId: 's', name: 'find' },
      { op: 'close', streamId: 's' },
      { op: 'clients', context: 'c', count: 3 },
    ];
    const fields = {
      id: 7,
      context: 'c',
      stream: 's',
      text: 't',
      priority: -2,
      amount: -15,
      flags: 5,
      body: Buffer.from('b'),
      ops,
    };
    expect(decodePeerMessage(encodePeerMessage(PeerKind.REGISTRATIONS, fields))).toEqual({ kind: 1, ...fields });
    expect(() => decodePeerMessage(Buffer.from([0x0a]))).toThrow();
  });
});

describe('versions', () => {
  it('HB-3: heartbeats go to clients of 4.2.1 or later only', () => {
    expect(['4.2.1', '4.4', '4.6', '5', '2025.1.1', '4.2.1-SNAPSHOT'].every(understandsHeartbeats)).toBe(true);
    expect(['', '1.0', '4.2', '4.2.0', '4', 'unknown'].some(understandsHeartbeats)).toBe(false);
  });
});
