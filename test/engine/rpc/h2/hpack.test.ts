import http2 from 'node:http2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFields, encodeStatus, type Field, HpackDecoder } from '../../../../engine/rpc/h2/hpack.ts';
import { decodeHuffman } from '../../../../engine/rpc/h2/huffman.ts';
import { ConnectionError } from '../../../../engine/rpc/h2/protocol.ts';
import { createOwnGrpcServer } from '../../../../engine/rpc/h2/server.ts';
import { recordingEnv } from '../grpc-test-client.ts';

const ALL = 1_000_000;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('HPACK', () => {
  it('RFC 7541 C.4 decodes requests with Huffman coding and a dynamic table', () => {
    const decoder = new HpackDecoder(4096);
    const first: Field[] = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ];
    expect(decoder.decode(hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'), ALL)).toEqual(first);
    expect(decoder.decode(hex('8286 84be 5886 a8eb 1064 9cbf'), ALL)).toEqual([
      ...first,
      ['cache-control', 'no-cache'],
    ]);
    expect(decoder.decode(hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'), ALL)).toEqual([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ]);
  });

  it('RFC 7541 C.6 evicts entries from a small table', () => {
    const decoder = new HpackDecoder(256);
    const first =
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3';
    expect(decoder.decode(hex(first), ALL)?.[3]).toEqual(['location', 'https://www.example.com']);
    expect(decoder.decode(hex('4883 640e ffc1 c0bf'), ALL)).toEqual([
      [':status', '307'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ]);
    const third = decoder.decode(
      hex(
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ),
      ALL,
    );
    expect(third?.at(-1)).toEqual(['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1']);
  });

  it('decodes what its own encoder writes', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 10 }), (fields) => {
        expect(new HpackDecoder(4096).decode(encodeFields(fields), ALL)).toEqual(fields);
      }),
    );
    expect(new HpackDecoder(4096).decode(encodeStatus(415), ALL)).toEqual([[':status', '415']]);
  });

  it('reads what nghttp2 writes: every byte that a header may hold, short and long values, repeated and changing ones', async () => {
    const seen: string[] = [];
    const server = createOwnGrpcServer({ env: recordingEnv() });
    server.handle('/t.S/Look', (call) => {
      seen.push(call.metadata.get('x-value') ?? '');
      call.end();
    });
    const session = http2.connect(`http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`);
    const visible = [...Array(256).keys()].filter((code) => code > 0x20 && code !== 0x7f);
    const values = [
      ...visible.map((code) => String.fromCharCode(code).repeat(3)),
      String.fromCharCode(...visible),
      'x'.repeat(5000),
      ...Array.from({ length: 200 }, (_, i) => `value-${i % 7}-${'y'.repeat(i)}`),
    ];
    for (const value of values) {
      const request = session.request({
        ':method': 'POST',
        ':path': '/t.S/Look',
        'content-type': 'application/grpc',
        'x-value': value,
      });
      request.end();
      request.resume();
      await new Promise((resolve) => request.on('close', resolve));
    }
    session.destroy();
    await server.close(0);
    expect(seen).toEqual(values);
  });

  it('reports a header list over the limit but keeps its table in step', () => {
    const decoder = new HpackDecoder(4096);
    const block = Buffer.concat([Buffer.from([0x40]), encodeFields([['name', 'value']]).subarray(1)]);
    expect(decoder.decode(block, 10)).toBeNull();
    expect(decoder.decode(Buffer.from([0xbe]), ALL)).toEqual([['name', 'value']]);
  });

  it('answers every malformed block with a connection error, never with another exception', () => {
    for (const bad of [
      '80',
      'be',
      '00',
      '0085',
      'ff ffff ffff ff',
      '3fe2 1f',
      '8220',
      '008141ff 81',
      '40 ff80 8080 8080 01',
    ]) {
      expect(() => new HpackDecoder(4096).decode(hex(bad), ALL), bad).toThrow(ConnectionError);
    }
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(4096);
        try {
          for (const block of blocks) decoder.decode(block, ALL);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('Huffman padding must be the start of EOS and shorter than a byte', () => {
    const decode = (text: string): string | null => decodeHuffman(hex(text), 0, hex(text).length);
    expect(decode('1f')).toBe('a');
    expect(decode('18')).toBeNull();
    expect(decode('1fff')).toBeNull();
    expect(decode('ffffffff')).toBeNull();
    expect(decode('')).toBe('');
  });
});
