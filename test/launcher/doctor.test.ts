import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { examine } from '../../electron/launcher/doctor.ts';
import { readPlatformInfo } from '../../electron/launcher/platform-info.ts';
import { noSecurity } from '../../electron/launcher/security.ts';
import { control } from '../../engine/rpc/proto.ts';
import { isFree } from './support.ts';

interface Asked {
  readonly context: string | undefined;
  readonly token: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly message?: string;
  readonly body?: Buffer;
}

const servers: http2.Http2Server[] = [];
const sessions = new Set<http2.ServerHttp2Session>();
afterEach(async () => {
  for (const session of sessions) session.destroy();
  sessions.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

async function serve(answer: (asked: Asked) => Answer): Promise<number> {
  const server = http2.createServer();
  servers.push(server);
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const {
      status,
      message = '',
      body,
    } = answer({
      context: headers['axoniq-context']?.toString(),
      token: headers['axoniq-access-token']?.toString(),
    });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': message }));
    stream.end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function redirectTo(host: string, port: number): Buffer {
  const primary = { hostName: host, grpcPort: port, httpPort: 8024, version: 0, nodeName: 'node-2' };
  return frame(control.PlatformInfo.encode({ primary }).finish());
}

const viewOf = (...ports: readonly number[]) => ({
  name: 'dev',
  nodes: ports.map((grpc, i) => ({ name: `node-${i + 1}`, grpc, state: 'ready' as const })),
});
const failedOf = (steps: readonly { readonly kind: string; readonly ok: boolean }[]) =>
  steps.filter((step) => !step.ok).map((step) => step.kind);

describe('the connection doctor', () => {
  it('ux 6: goes all the way of an app, through the redirect', async () => {
    const second = await serve(() => ({ status: 0, body: frame(new Uint8Array()) }));
    const asked: (string | undefined)[] = [];
    const first = await serve(({ context }) => {
      asked.push(context);
      return { status: 0, body: redirectTo('pc.test', second) };
    });
    const report = await examine(viewOf(first, second), 'orders', noSecurity, async () => '127.0.0.1');
    expect(failedOf(report.steps)).toEqual([]);
    expect(report).toMatchObject({ ok: true, redirect: { node: 'node-2', host: 'pc.test', port: second } });
    const kinds = ['tcp', 'tcp', 'grpc', 'grpc', 'context', 'resolve', 'redirect'];
    expect(report.steps.map((step) => step.kind)).toEqual(kinds);
    expect(asked).toEqual([undefined, 'orders']);
  });

  it('ux 6: says which host does not resolve, and what to set', async () => {
    const port = await serve(() => ({ status: 0, body: redirectTo('mymac.local', 8124) }));
    const report = await examine(viewOf(port), 'default', noSecurity, async () => {
      throw new Error('ENOTFOUND');
    });
    expect(report.ok).toBe(false);
    expect(report.steps.at(-1)).toMatchObject({ kind: 'resolve', why: 'mymac.local does not resolve: ENOTFOUND' });
    expect(report.steps.at(-1)?.next).toContain('axoniq.axonserver.hostname');
  });

  it('ux 6: says that the redirect leads nowhere', async () => {
    const dead = await serve(() => ({ status: 0 }));
    await new Promise((done) => servers.pop()?.close(done));
    expect(await isFree(dead)).toBe(true);
    const port = await serve(() => ({ status: 0, body: redirectTo('pc.test', dead) }));
    const report = await examine(viewOf(port), 'default', noSecurity, async () => '127.0.0.1');
    expect(failedOf(report.steps)).toEqual(['redirect']);
    expect(report.steps.at(-1)?.why).toContain('ECONNREFUSED');
  });

  it('tells a dead node and asks the next one', async () => {
    const dead = await serve(() => ({ status: 0 }));
    await new Promise((done) => servers.pop()?.close(done));
    const port = await serve(() => ({ status: 0, body: frame(new Uint8Array()) }));
    const view = viewOf(dead, port);
    const [, alive] = view.nodes;
    const stopped = { name: 'node-1', grpc: dead, state: 'stopped' as const };
    const report = await examine({ ...view, nodes: [stopped, alive!] }, 'default', noSecurity);
    expect(failedOf(report.steps)).toEqual(['tcp']);
    expect(report.steps[0]?.next).toBe('The node is stopped: muster start node-1 -c dev');
    expect(report.steps.at(-1)).toMatchObject({ kind: 'context', node: 'node-2', ok: true });
    expect(report.redirect).toBeNull();
  });

  it('shows the token of apps, and tells a refusal as one', async () => {
    const tokens = { application: 'for-apps', admin: 'for-admins', internal: 'for-nodes' };
    const port = await serve(({ token }) => ({
      status: token === 'for-apps' ? 0 : 7,
      message: 'no%20such%20token',
      body: frame(new Uint8Array()),
    }));
    expect((await examine(viewOf(port), 'default', { tokens, authority: null })).ok).toBe(true);
    const refused = await examine(viewOf(port), 'default', noSecurity);
    expect(failedOf(refused.steps)).toEqual(['grpc']);
    expect(refused.steps[1]).toMatchObject({ why: 'gRPC status 7: no such token' });
  });

  it('tells a context that nobody serves, and an answer that is none', async () => {
    const missing = await serve(({ context }) => ({ status: context === undefined ? 0 : 5, message: 'no context' }));
    expect(failedOf((await examine(viewOf(missing), 'gone', noSecurity)).steps)).toEqual(['context']);
    const broken = await serve(() => ({ status: 0, body: frame(Buffer.from([0x0a, 0x7f, 0x01])) }));
    const report = await examine(viewOf(broken), 'default', noSecurity);
    expect(report.steps.at(-1)).toMatchObject({ kind: 'context', ok: false });
    expect(report.steps.at(-1)?.why).toContain('cut off');
  });

  it('reads no redirect out of a message without one, and refuses every cut of one with it', () => {
    expect(readPlatformInfo(frame(Buffer.from([0x10, 0x01])))).toBeNull();
    const whole = redirectTo('pc.test', 8125);
    expect(readPlatformInfo(whole)).toEqual({ node: 'node-2', host: 'pc.test', port: 8125 });
    for (let length = 0; length < whole.length; length++) {
      expect(() => readPlatformInfo(whole.subarray(0, length)), `${length} bytes`).toThrow();
    }
  });
});
