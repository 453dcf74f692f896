import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueAuthority, issueCertificate } from '../../../electron/launcher/certificates.ts';
import { parseSettings } from '../../../engine/config/settings.ts';
import { onSingleRequest } from '../../../engine/rpc/call-context.ts';
import { createGrpcServer, type GrpcImplementation } from '../../../engine/rpc/grpc-server.ts';
import { loadTls, type NodeTls } from '../../../engine/tls-files.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';
import { startServer } from '../http/support.ts';
import { startNode, until } from '../peer/support.ts';

const P = 'axoniq.axonserver.';
const authority = issueAuthority('the authority of this test', Date.now());
const other = issueAuthority('another authority', Date.now());
const localhost = issueCertificate(authority, ['localhost', '127.0.0.1'], Date.now());
const elsewhere = issueCertificate(authority, ['elsewhere.example'], Date.now());
const stranger = issueCertificate(other, ['localhost', '127.0.0.1'], Date.now());
const old = issueCertificate(authority, ['localhost'], Date.now() - 1000 * 86_400_000);

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'muster-tls-'));
  for (const [name, { certificate, key }] of Object.entries({
    authority,
    other,
    localhost,
    elsewhere,
    stranger,
    old,
  })) {
    writeFileSync(join(dir, `${name}.pem`), certificate);
    writeFileSync(join(dir, `${name}-key.pem`), key);
  }
  writeFileSync(join(dir, 'nonsense.pem'), 'nonsense');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function load(lines: readonly string[], env = recordingEnv()): Promise<NodeTls> {
  const { settings, problems } = parseSettings(lines.join('\n'), {}, { machineHostName: 'pc' });
  expect(problems).toEqual([]);
  return loadTls(env, settings, dir);
}

const ports = (cert: string, key: string, trust = 'authority.pem'): readonly string[] => [
  `${P}ssl.enabled=true`,
  `${P}ssl.cert-chain-file=${cert}`,
  `${P}ssl.private-key-file=${key}`,
  `${P}ssl.internal-trust-manager-file=${trust}`,
];

describe('certificates of the properties file (properties.md §5)', () => {
  it.each([
    ['TLS_FILE_UNREADABLE', ports('missing.pem', 'localhost-key.pem')],
    ['TLS_FILE_UNREADABLE', ports('localhost.pem', 'missing.pem')],
    ['TLS_FILE_UNREADABLE', ports('localhost.pem', 'localhost-key.pem', 'missing.pem')],
    ['TLS_CERTIFICATE_INVALID', ports('nonsense.pem', 'localhost-key.pem')],
    ['TLS_CERTIFICATE_INVALID', ports('localhost.pem', 'localhost-key.pem', 'nonsense.pem')],
    ['TLS_KEY_INVALID', ports('localhost.pem', 'nonsense.pem')],
    ['TLS_KEY_MISMATCH', ports('localhost.pem', 'stranger-key.pem')],
    ['TLS_KEY_INVALID', ['server.ssl.enabled=true', 'server.ssl.key-store=nonsense.pem']],
    ['TLS_KEY_MISMATCH', [...ports('localhost.pem', 'localhost-key.pem'), `${P}ssl.internal-cert-chain-file=old.pem`]],
  ])('%s refuses the start', async (code, lines) => {
    await expect(load(lines)).rejects.toMatchObject({ code, exitCode: 64 });
  });

  it('says when a certificate has expired', async () => {
    const env = recordingEnv();
    await load(ports('old.pem', 'old-key.pem'), env);
    expect(env.lines.map((line) => line.fields.code)).toContain('TLS_CERTIFICATE_EXPIRED');
  });
});

describe.each<GrpcImplementation>(['own', 'node-http2'])('HD-1: gRPC over TLS (%s)', (implementation) => {
  it('serves clients that trust the authority, and no others; a plain or a mute client harms nobody', async () => {
    const { grpc: tls } = await load(ports('localhost.pem', 'localhost-key.pem'));
    const env = recordingEnv();
    const server = createGrpcServer({ env, implementation, tls });
    server.handle('/a/B', (call) =>
      onSingleRequest(call, (bytes) => {
        call.write(bytes);
        call.end();
      }),
    );
    const port = await server.listen('127.0.0.1', 0);
    const mute = net.connect(port, '127.0.0.1').on('error', () => undefined);
    const ask = (credentials: grpc.ChannelCredentials, body: Buffer): Promise<Buffer | number> => {
      const client = new grpc.Client(`localhost:${port}`, credentials, { 'grpc.use_local_subchannel_pool': 1 });
      const same = (value: Buffer): Buffer => value;
      return new Promise<Buffer | number>((resolve) =>
        client.makeUnaryRequest('/a/B', same, same, body, { deadline: Date.now() + 10_000 }, (error, value) =>
          resolve(error === null ? (value ?? 0) : error.code),
        ),
      ).finally(() => client.close());
    };
    const body = Buffer.alloc(300_000, 7);
    const trusted = grpc.credentials.createSsl(Buffer.from(authority.certificate));
    expect(await ask(trusted, body)).toEqual(body);
    expect(await ask(grpc.credentials.createSsl(Buffer.from(other.certificate)), body)).toBe(14);
    expect(await ask(grpc.credentials.createInsecure(), body)).toBe(14);
    expect(await ask(trusted, Buffer.from('still there'))).toEqual(Buffer.from('still there'));
    await server.close(0);
    mute.destroy();
  });
});

describe('HTTPS', () => {
  it('serves REST to clients that trust the authority', async () => {
    const lines = [
      'server.ssl.enabled=true',
      'server.ssl.certificate=file:localhost.pem',
      'server.ssl.certificate-private-key=localhost-key.pem',
    ];
    const { https: identity } = await load(lines);
    const { port } = await startServer({ https: identity });
    const ask = (ca: string): Promise<number | string> =>
      new Promise((resolve) => {
        const request = https.get(
          { host: '127.0.0.1', port, path: '/actuator/health', ca, agent: false },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
    expect(await ask(authority.certificate)).toBe(200);
    expect(await ask(other.certificate)).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
  });
});

describe('links between nodes over TLS', () => {
  const start = async (name: string, lines: readonly string[] | null) => {
    const tls = lines === null ? null : (await load(lines)).internal;
    return startNode(name, { tls });
  };
  const link = (from: Awaited<ReturnType<typeof start>>, name: string, port: number) =>
    from.network.setPeers([{ name, host: 'localhost', port }]);

  it('connects, carries large bodies and one-off calls', async () => {
    const lines = ports('localhost.pem', 'localhost-key.pem');
    const [one, two] = [await start('one', lines), await start('two', lines)];
    two.network.handle('join', async (_from, body) => body);
    link(one, 'two', two.port);
    await until(() => one.network.isConnected('two'));
    const body = Buffer.alloc(2_000_000, 3);
    expect(Buffer.from(await one.network.request('two', 'join', body, 10_000)).equals(body)).toBe(true);
    const answer = await one.network.requestAddress('localhost', two.port, 'join', Buffer.from('hi'), 10_000);
    expect(Buffer.from(answer).toString()).toBe('hi');
  });

  it.each([
    ['a certificate of another authority', ports('stranger.pem', 'stranger-key.pem')],
    ['a certificate for another host', ports('elsewhere.pem', 'elsewhere-key.pem')],
    ['an expired certificate', ports('old.pem', 'old-key.pem')],
  ])('PEER_TLS_FAILED: a node with %s is not connected to', async (_what, lines) => {
    const [one, two] = [await start('one', ports('localhost.pem', 'localhost-key.pem')), await start('two', lines)];
    link(one, 'two', two.port);
    await until(() => one.codes().includes('PEER_TLS_FAILED'));
    expect(one.network.isConnected('two')).toBe(false);
  });

  it('a node without TLS is turned away, and so is one with another internal token', async () => {
    const lines = ports('localhost.pem', 'localhost-key.pem');
    const [one, plain] = [await start('one', lines), await start('plain', null)];
    link(plain, 'one', one.port);
    await until(() => one.codes().includes('PEER_TLS_FAILED'));
    link(one, 'plain', plain.port);
    await until(() => plain.codes().some((code) => /^PEER_(FRAME|NOT)/.test(code)));
    const internal = (await load(lines)).internal;
    const [a, b] = [
      await startNode('a', { tls: internal, internalToken: 'x' }),
      await startNode('b', { tls: internal, internalToken: 'y' }),
    ];
    link(a, 'b', b.port);
    await until(() => a.codes().includes('PEER_TOKEN_WRONG') && b.codes().includes('PEER_TOKEN_WRONG'));
    expect([a.network.isConnected('b'), plain.network.isConnected('one')]).toEqual([false, false]);
  });
});
