import { describe, expect, it } from 'vitest';
import { APPLICATION_TOKEN, type MemoryAccess, memoryAccess, SYSTEM_TOKEN } from '../access/support.ts';
import { startServer } from './support.ts';

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function withRole(access: MemoryAccess, role: string, context: string): Promise<Record<string, string>> {
  const token = `token-of-${role}-${context}`;
  const roles = [{ role, context }];
  await access.admin.putApplication({ name: `${role}@${context}`, description: '', token, roles, metaData: {} });
  return { 'AxonIQ-Access-Token': token };
}

const system = { 'AxonIQ-Access-Token': SYSTEM_TOKEN };

describe('REST with access control (rest-and-cli §0)', () => {
  it('no credentials: 401 with WWW-Authenticate, 302 to /login for pages and event streams; Actuator stays open', async () => {
    const server = await startServer({ access: memoryAccess() });
    const refused = await server.get('/v1/public/me');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(await refused.json()).toMatchObject({ status: 401, error: 'Unauthorized', path: '/v1/public/me' });
    for (const [path, accept] of [
      ['/v1/events', 'text/event-stream'],
      ['/', '*/*'],
      ['/index.html', '*/*'],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        headers: { accept },
        redirect: 'manual',
      });
      expect([path, response.status, response.headers.get('location')]).toEqual([path, 302, '/login']);
    }
    for (const path of ['/actuator/health', '/actuator/info', '/actuator/health/liveness'])
      expect((await server.get(path)).status, path).toBe(200);
    for (const path of ['/v1/nowhere', '/internal/raft/groups']) expect((await server.get(path)).status).toBe(401);
  });

  it('a wrong token: 403 "Invalid token"; a wrong password: 401; the token may be a query parameter', async () => {
    const server = await startServer({ access: memoryAccess() });
    const wrong = await server.get('/v1/public/me', { 'AxonIQ-Access-Token': 'nobody-has-this' });
    expect([wrong.status, await wrong.text()]).toEqual([403, 'Invalid token']);
    expect((await server.get('/v1/public/me', { authorization: basic('ada', 'x') })).status).toBe(401);
    expect((await server.get('/v1/public/me', { authorization: 'Basic ???' })).status).toBe(401);
    expect((await server.get(`/v1/public/me?AxonIQ-Access-Token=${APPLICATION_TOKEN}`)).status).toBe(200);
  });

  it('a right token without the role: 403 Forbidden as JSON, and as an event of a stream', async () => {
    const server = await startServer({ access: memoryAccess() });
    const token = { 'AxonIQ-Access-Token': APPLICATION_TOKEN };
    const refused = await server.send('POST', '/v1/context', {}, token);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ status: 403, error: 'Forbidden', path: '/v1/context' });
    const access = memoryAccess();
    const other = await startServer({ access });
    const reader = await withRole(access, 'READ_EVENTS', 'other');
    const stream = await other.get('/v1/events', { ...reader, accept: 'text/event-stream' });
    expect([stream.status, await stream.text()]).toEqual([200, 'event:error\ndata:Forbidden\n\n']);
  });

  const cases: readonly (readonly [method: string, path: string, enough: string, tooLittle: string, admin: boolean])[] =
    [
      ['GET', '/v1/cluster', 'VIEW_CONFIGURATION', 'MONITOR', true],
      ['POST', '/v1/cluster', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['DELETE', '/v1/cluster/node-9', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['POST', '/v1/context/init', 'ADMIN', 'CONTEXT_ADMIN', true],
      ['POST', '/v1/context', 'ADMIN', 'CONTEXT_ADMIN', true],
      ['DELETE', '/v1/context/default', 'ADMIN', 'CONTEXT_ADMIN', true],
      ['POST', '/v1/replicationgroups', 'ADMIN', 'CONTEXT_ADMIN', true],
      ['GET', '/v1/public/users', 'VIEW_CONFIGURATION', 'USE_CONTEXT', true],
      ['POST', '/v1/users', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['DELETE', '/v1/users/x', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['GET', '/v1/public/applications', 'VIEW_CONFIGURATION', 'USE_CONTEXT', true],
      ['GET', '/v1/applications/x', 'VIEW_CONFIGURATION', 'USE_CONTEXT', true],
      ['POST', '/v1/applications', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['PATCH', '/v1/applications/x', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['DELETE', '/v1/applications/x', 'ADMIN', 'VIEW_CONFIGURATION', true],
      ['GET', '/internal/raft/status', 'MONITOR', 'USE_CONTEXT', true],
      ['GET', '/internal/raft/groups', 'ADMIN', 'MONITOR', true],
      ['GET', '/internal/context/default/stepdown', 'ADMIN', 'MONITOR', true],
      ['DELETE', '/v1/public/purge-events', 'ADMIN', 'USE_CONTEXT', true],
      ['GET', '/v1/local/events', 'READ_EVENTS', 'PUBLISH_EVENTS', false],
      ['POST', '/v1/events', 'PUBLISH_EVENTS', 'READ_EVENTS', false],
      ['POST', '/v1/snapshots', 'WRITE', 'READ', false],
      ['GET', '/v1/components/clients', 'MONITOR', 'READ_EVENTS', false],
      ['PATCH', '/v1/components/c/processors/p/pause', 'USE_CONTEXT', 'MONITOR', false],
      ['PUT', '/v1/processors/p/autoloadbalance', 'CONTEXT_ADMIN', 'READ', false],
      ['GET', '/v1/unknown', 'ADMIN', 'USE_CONTEXT', true],
    ];
  it.each(cases)('%s %s: %s is enough, %s is not', async (method, path, enough, tooLittle, admin) => {
    const access = memoryAccess();
    const server = await startServer({ access });
    const scope = admin ? '_admin' : 'default';
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await server.send(method, path, method === 'POST' ? {} : undefined, headers)).status;
    expect(await ask({})).toBe(401);
    expect(await ask(await withRole(access, tooLittle, scope))).toBe(403);
    const right = await withRole(access, enough, scope);
    expect([401, 403]).not.toContain(await ask(right));
    expect([401, 403]).not.toContain(await ask(system));
    // The context is that of the request, header before parameter.
    if (!admin) expect(await ask({ ...right, 'AxonIQ-Context': 'other' })).toBe(403);
  });
});

describe('users, applications and roles over REST (rest-and-cli §3)', () => {
  it('creates, lists, changes and deletes users; a user cannot change itself', async () => {
    const access = memoryAccess();
    const server = await startServer({ access });
    const put = (body: object, headers: Record<string, string>) => server.send('POST', '/v1/users', body, headers);
    const created = await put({ userName: 'ada', password: 'secret', roles: ['ADMIN', 'USE_CONTEXT@default'] }, system);
    expect([created.status, await created.text()]).toEqual([200, '']);
    expect(await (await server.get('/v1/public/users', system)).json()).toEqual([
      { userName: 'ada', password: null, roles: ['ADMIN@*', 'USE_CONTEXT@default'] },
    ]);
    const ada = { authorization: basic('ada', 'secret') };
    expect(await (await server.get('/v1/public/user', ada)).json()).toEqual({
      user: 'ada',
      roles: ['ADMIN@*', 'USE_CONTEXT@default'],
      adminUser: true,
      readOnlyAdminUser: false,
    });
    const self = await put({ userName: 'ada', password: 'other' }, ada);
    expect([self.status, self.headers.get('axoniq-errorcode')]).toEqual([403, 'AXONIQ-1001']);
    expect((await server.send('DELETE', '/v1/users/ada', undefined, ada)).status).toBe(403);
    expect((await put({ userName: 'bob', roles: ['KING'] }, ada)).headers.get('axoniq-errorcode')).toBe('AXONIQ-2510');
    expect((await server.send('DELETE', '/v1/users/ada', undefined, system)).status).toBe(200);
    expect((await server.get('/v1/public/me', ada)).status).toBe(401);
  });

  it('makes an application whose token is told once and can be replaced; shows it without; deletes it', async () => {
    const access = memoryAccess();
    const server = await startServer({ access });
    const body = {
      name: 'shop',
      description: 'd',
      roles: [{ context: 'default', roles: ['READ'] }],
      metaData: { a: 'b' },
    };
    const created = await server.send('POST', '/v1/applications', body, system);
    const token = await created.text();
    expect(created.status).toBe(200);
    expect(token.length).toBeGreaterThanOrEqual(16);
    expect(await (await server.get('/v1/public/applications', system)).json()).toEqual([body]);
    expect(await (await server.get('/v1/applications/shop', system)).json()).toEqual(body);
    expect((await server.get('/v1/local/events', { 'AxonIQ-Access-Token': token })).status).toBe(200);
    const fresh = await (await server.send('PATCH', '/v1/applications/shop', undefined, system)).text();
    expect((await server.get('/v1/local/events', { 'AxonIQ-Access-Token': token })).status).toBe(403);
    expect((await server.get('/v1/local/events', { 'AxonIQ-Access-Token': fresh })).status).toBe(200);
    expect((await server.send('DELETE', '/v1/applications/shop', undefined, system)).status).toBe(200);
    const gone = await server.get('/v1/applications/shop', system);
    expect([gone.status, gone.headers.get('axoniq-errorcode')]).toEqual([404, 'AXONIQ-1300']);
    expect(await (await server.get('/v1/roles/application', system)).json()).toContain('PUBLISH_EVENTS');
  });

  it('without access control everybody may, and nobody is known', async () => {
    const server = await startServer();
    const user = await server.get('/v1/public/user');
    expect([user.status, await user.text()]).toEqual([200, '']);
    expect((await server.send('POST', '/v1/users', { userName: 'ada' })).status).toBe(200);
    for (const bad of [{ userName: 5 }, { userName: 'a', roles: 'ADMIN' }, { userName: 'a', roles: [5] }])
      expect((await server.send('POST', '/v1/users', bad)).status).toBe(400);
  });
});
