import http from 'node:http';
import net from 'node:net';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { COUNTS_EVERY_MS, isNews } from '../../electron/contract/view-news.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { connectHost, openHost } from '../../electron/launcher/host.ts';
import type { Host } from '../../electron/launcher/host.ts';
import { connectRemote } from '../../electron/launcher/remote-client.ts';
import type { RemoteClient } from '../../electron/launcher/remote-client.ts';
import { BODY_BYTES_MAX } from '../../electron/launcher/remote-server.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, removeDir, temporaryDir, until } from './support.ts';

/** Timers may fire a little before the clock says so. */
const TIMER_SLACK_MS = 10;
const PAGE = '<html lang="en"><h1>Muster</h1></html>';
let dir = '';
let host: Host;
let client: RemoteClient;
let port = 0;

beforeAll(async () => {
  dir = await temporaryDir();
  const uiDir = path.join(dir, 'ui');
  await mkdir(uiDir, { recursive: true });
  await writeFile(path.join(uiDir, 'index.html'), PAGE);
  await writeFile(path.join(dir, 'secret.txt'), 'secret');
  host = await openHost({
    workspaceDir: path.join(dir, 'home'),
    version: '1.2.3',
    enginePath: fakeEngine,
    uiDir,
    port: 0,
    background: false,
  });
  const url = host.control?.url ?? '';
  client = connectRemote(url, host.token);
  port = Number(new URL(url).port);
});
afterAll(async () => {
  client.close();
  await host.close();
  await removeDir(dir);
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

function send(options: http.RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, ...options }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const post = (method: string, body: string, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> =>
  send(
    { method: 'POST', path: `/api/${method}`, headers: { authorization: `Bearer ${host.token}`, ...headers } },
    body,
  );

const codeOf = (answer: Answer): string => JSON.parse(answer.body).error.code;

function openSocket(protocols: string[], headers: Record<string, string> = {}): Promise<'open' | 'refused'> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/events`, protocols, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve('open');
    });
    socket.on('error', () => resolve('refused'));
  });
}

describe('calls over loopback', () => {
  it('answers a call with the token', async () => {
    expect(await client.about()).toMatchObject({ version: '1.2.3', pid: process.pid });
    expect(JSON.parse((await post('listClusters', '[]')).body)).toEqual({ ok: [] });
  });

  it('refuses a missing or wrong token, a foreign Host and a foreign Origin', async () => {
    expect((await send({ method: 'POST', path: '/api/about' }, '[]')).status).toBe(401);
    expect((await post('about', '[]', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post('about', '[]', { host: 'evil.example' })).status).toBe(403);
    expect((await post('about', '[]', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await post('about', '[]', { origin: `http://localhost:${port}` })).status).toBe(200);
  });

  it('names the mistake: unknown call, wrong verb, no JSON, wrong arguments, unknown cluster', async () => {
    expect(codeOf(await post('constructor', '[]'))).toBe('UNKNOWN_METHOD');
    expect(codeOf(await post('on', '[]'))).toBe('UNKNOWN_METHOD');
    expect((await send({ method: 'GET', path: '/api/about' })).status).toBe(405);
    expect(codeOf(await post('about', '{'))).toBe('BAD_ARGUMENT');
    expect(codeOf(await post('getCluster', '["../../etc"]'))).toBe('BAD_ARGUMENT');
    const missing = await post('getCluster', '["nope"]');
    expect([missing.status, codeOf(missing)]).toEqual([404, 'CLUSTER_NOT_FOUND']);
  });

  it('refuses a body beyond the limit with BODY_TOO_LARGE', async () => {
    const answer = await post('about', `["${'x'.repeat(BODY_BYTES_MAX)}"]`);
    expect([answer.status, codeOf(answer)]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  it('bad input: survives garbage on its port', async () => {
    const garbage = [
      '\x00\x01\x02\x03',
      'GET',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'POST /api/about HTTP/1.1\r\ncontent-length: -5\r\n\r\n',
    ];
    for (const bytes of garbage) {
      await new Promise<void>((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('data', () => undefined);
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
      });
    }
    expect(await client.about()).toMatchObject({ version: '1.2.3' });
  });

  it('keeps the token in a 0600 file and tells clients where', async () => {
    const connection = await connectHost(path.join(dir, 'home'));
    expect(connection?.control).toMatchObject({ url: host.control?.url, pid: process.pid });
    expect((await stat(host.control?.tokenFile ?? '')).mode & 0o777).toBe(0o600);
    expect(await connection?.client.about()).toMatchObject({ version: '1.2.3' });
  });

  it('a second host of the same workspace is refused', async () => {
    const second = openHost({
      workspaceDir: path.join(dir, 'home'),
      version: '0',
      enginePath: fakeEngine,
      uiDir: null,
      port: 0,
      background: false,
    });
    await expect(second).rejects.toMatchObject({ data: { code: 'WORKSPACE_BUSY' } });
  });
});

describe('static files', () => {
  it('serves the built page without a token, under a strict content security policy', async () => {
    const page = await send({ path: '/' });
    const attributes = 'data-theme="system" data-density="compact" data-motion="system" data-letter-keys="on"';
    expect([page.status, page.body]).toEqual([200, PAGE.replace('lang="en"', `lang="en" ${attributes}`)]);
    expect(page.headers['content-length']).toBe(String(page.body.length));
    expect(page.headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'",
    );
  });

  it('UX-13 the page comes in the look that is set', async () => {
    await client.changeSettings({ theme: 'dark', letterKeys: 'off' });
    expect((await send({ path: '/index.html' })).body).toContain('data-theme="dark" data-density="compact"');
    expect((await send({ path: '/' })).body).toContain('data-letter-keys="off"');
  });

  it.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/nope.js', '/%ff', '/'.padEnd(300, '.')])(
    'serves nothing outside its folder: %s',
    async (file) => {
      expect((await send({ path: file })).status).toBe(404);
    },
  );
});

describe('pushes over WebSocket', () => {
  it('needs the token as second subprotocol and our own Origin', async () => {
    expect(await openSocket(['muster', host.token])).toBe('open');
    expect(await openSocket(['muster', 'wrong'])).toBe('refused');
    expect(await openSocket([])).toBe('refused');
    expect(await openSocket(['muster', host.token], { origin: 'http://evil.example' })).toBe('refused');
  });

  it('UX-19 views in which only numbers count on come at their own, slower pace', async () => {
    await client.createCluster(spec({ firstPort: await freeFirstPort() }));
    await client.startCluster('dev');
    await client.wait('dev', { kind: 'ready' }, 10_000);
    const spacings: number[] = [];
    let last: { readonly view: ClusterView; readonly at: number } | null = null;
    const off = host.service.on('view', (view) => {
      const at = Date.now();
      if (last !== null && !isNews(last.view, view)) spacings.push(at - last.at);
      last = { view, at };
    });
    await until('three views that only count', () => spacings.length >= 3);
    off();
    expect(Math.min(...spacings)).toBeGreaterThan(COUNTS_EVERY_MS - TIMER_SLACK_MS);
    await client.stopCluster('dev');
    await client.removeCluster('dev');
  });

  it('sends the present state, then views, logs, timeline and the list as they change', async () => {
    const views: ClusterView[] = [];
    const seen = new Set<string>();
    client.on('view', (view) => views.push(view));
    client.on('clusters', (clusters) => seen.add(`clusters ${clusters.length}`));
    client.on('log', (chunk) => seen.add(`log ${chunk.node}`));
    client.on('timeline', (event) => seen.add(`timeline ${event.kind}`));
    await client.openEvents();
    await until('present state pushed', () => seen.has('clusters 0'));
    seen.delete('clusters 0');
    await client.createCluster(spec({ firstPort: await freeFirstPort() }));
    await client.startCluster('dev');
    await client.wait('dev', { kind: 'ready' }, 10_000);
    await until('usable pushed', () => views.at(-1)?.state === 'usable');
    await until('logs pushed', () => ['log node-1', 'log node-2', 'log node-3'].every((word) => seen.has(word)));
    expect(seen).toContain('clusters 1');
    expect(seen).toContain('timeline user');
    const revisions = views.map((view) => view.revision);
    expect(revisions).toEqual([...revisions].sort((left, right) => left - right));
    await client.stopCluster('dev');
    await until('stopped pushed', () => views.at(-1)?.state === 'stopped');
    await client.removeCluster('dev');
    await until('list pushed', () => seen.has('clusters 0'));
  });
});
