import type { Socket } from 'node:net';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HTTP_BODY_BYTES_MAX, HTTP_HEADERS_TIMEOUT_MS } from '../../../engine/http/limits.ts';
import { checkOrigin } from '../../../engine/http/origin-check.ts';
import { startServer } from './support.ts';

/** Writes raw bytes and resolves with everything received until the server closes. */
async function raw(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket: Socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => {
    socket.destroy();
  });
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return received;
}

describe('error shapes', () => {
  it('answers unknown paths with 404 JSON, also with a trailing slash or a suffix', async () => {
    const server = await startServer();
    for (const path of ['/nope', '/v1/public/me/', '/v1/public/me.json', '/actuator/']) {
      const response = await server.get(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        timestamp: expect.any(String),
        status: 404,
        error: 'Not Found',
        path,
        asVersion: '0.1.0',
        product: 'Muster',
      });
    }
    expect((await server.send('PUT', '/v1/public/me')).status).toBe(405);
  });

  it('answers 400 for broken percent-encoding and 413 for a body above the limit', async () => {
    const server = await startServer();
    expect((await server.send('DELETE', '/v1/context/%zz')).status).toBe(400);
    const head = `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${HTTP_BODY_BYTES_MAX + 1}\r\n\r\n`;
    expect(await raw(server.port, head)).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('upgrades', () => {
  it('E46 a request that offers HTTP/2 is answered as any other, with its body; nobody upgrades elsewhere', async () => {
    const server = await startServer();
    const offer =
      'Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    const ask = async (start: string, body = '') => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      onTestFinished(() => void socket.destroy());
      const length = `Content-Length: ${body.length}\r\n`;
      socket.write(`${start} HTTP/1.1\r\n${offer}${length}\r\n${body}`);
      return await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString('latin1'))));
    };
    expect(await ask('GET /v1/public/me')).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask('POST /v1/replicationgroups', '{"name":"g","roles":[{"node":"node-1"}]}')).toMatch(
      /^HTTP\/1.1 200 /,
    );
    expect(await ask('GET /nope')).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('hostile bytes', () => {
  it('answers 400 to garbage, 431 to huge headers, and lives on', async () => {
    const server = await startServer();
    expect(await raw(server.port, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(server.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    const header = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await raw(server.port, header)).toMatch(/^HTTP\/1.1 431 /);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (bytes) => {
        await raw(server.port, Buffer.concat([bytes, Buffer.from('\r\n\r\n\r\n')]));
      }),
      { numRuns: 30 },
    );
    expect((await server.get('/v1/public/version')).status).toBe(200);
  });

  it('closes a client that never finishes its headers', async () => {
    const server = await startServer();
    const start = performance.now();
    expect(await raw(server.port, 'GET /v1/public/me HTTP/1.1\r\nHost: localhost\r\n')).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - start).toBeLessThan(HTTP_HEADERS_TIMEOUT_MS + 3000);
  });
});

describe('web pages', () => {
  it('refuses a foreign Host (DNS rebinding) and a foreign Origin with 403', async () => {
    const server = await startServer();
    const status = async (headers: string): Promise<string> =>
      (await raw(server.port, `GET /v1/public/me HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`)).slice(9, 12);
    expect(await status('Host: evil.example:8024\r\n')).toBe('403');
    expect(await status('Host: localhost:8024\r\n')).toBe('200');
    expect(await status('Host: [::1]:8024\r\n')).toBe('200');
    expect(await status('Host: pc:8024\r\n')).toBe('200');
    expect(await status('Host: localhost:8024\r\nOrigin: http://evil.example\r\n')).toBe('403');
    expect(await status('Host: localhost:8024\r\nOrigin: http://localhost:8024\r\n')).toBe('200');
    expect(await status('')).toBe('400');
  });

  it('lets a browser follow a link but lets no other site call, step-down least of all', () => {
    const check = (site: string, mode: string, path: string, method = 'GET'): boolean =>
      checkOrigin(
        { host: 'localhost', 'sec-fetch-site': site, 'sec-fetch-mode': mode },
        { method, path, scheme: 'http', hostChecked: true, ownNames: [] },
      ) === null;
    expect(check('none', 'navigate', '/v1/public/me')).toBe(true);
    expect(check('cross-site', 'navigate', '/v1/public/me')).toBe(true);
    expect(check('cross-site', 'no-cors', '/v1/public/me')).toBe(false);
    expect(check('same-site', 'cors', '/v1/public/me')).toBe(false);
    expect(check('cross-site', 'navigate', '/internal/context/default/stepdown')).toBe(false);
    expect(check('cross-site', 'navigate', '/v1/events', 'POST')).toBe(false);
  });

  it('checks no host name when the node listens beyond loopback', () => {
    const request = { method: 'GET', path: '/', scheme: 'https' as const, hostChecked: false, ownNames: [] };
    expect(checkOrigin({ host: 'muster.example' }, request)).toBeNull();
  });
});
