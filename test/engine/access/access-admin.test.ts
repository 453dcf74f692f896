import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AccessControl, fixedTokens } from '../../../engine/context/access-control.ts';
import { APPLICATIONS_MAX } from '../../../engine/context/access-state.ts';
import { hashOfPassword, isPassword } from '../../../engine/context/secrets.ts';
import { type AdminClient, serveAdmin } from '../admin/admin-client.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, removeFolders, startMiniNode, until } from '../context/mini-node.ts';
import { memoryAccess, SYSTEM_TOKEN } from './support.ts';

const APPLICATIONS = 'ApplicationAdminService';
const USERS = 'UserAdminService';
const AUTHENTICATION = 'AuthenticationService';
const ROLES = [
  { context: 'default', roles: ['USE_CONTEXT'] },
  { context: '*', roles: ['MONITOR'] },
];

let network = new MemoryNetwork();
let nodes: MiniNode[] = [];
let closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers) await close();
  for (const node of nodes) await node.stop();
  removeFolders(nodes);
  nodes = [];
  closers = [];
});

async function formCluster(): Promise<void> {
  network = new MemoryNetwork();
  nodes = [await startMiniNode(network, 1), await startMiniNode(network, 2), await startMiniNode(network, 3)];
  await nodes[0]!.manager.initCluster(['_admin', 'default']);
  await nodes[1]!.manager.joinUntilDone('localhost', 8224, ['_admin', 'default']);
  // Not a member of _admin: it knows tokens from what it is told.
  await nodes[2]!.manager.joinUntilDone('localhost', 8224, ['default']);
  await until('all see a leader', () => nodes.every((node) => node.contexts.leaderOf('default') !== null));
}

async function serve(node: MiniNode, control: AccessControl | null = null): Promise<AdminClient> {
  const { client, close } = await serveAdmin(node, undefined, control);
  closers.push(close);
  return client;
}

const controlOf = (node: MiniNode): AccessControl =>
  new AccessControl(() => node.manager.view.access, fixedTokens({ admin: [SYSTEM_TOKEN], application: null }));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('ApplicationAdminService, UserAdminService, AuthenticationService, LicenseService', () => {
  it('AD-6: tokens are made or given, shown once, replaced, and known on every node; none is on any disk', async () => {
    await formCluster();
    const client = await serve(nodes[1]!);
    const request = {
      applicationName: 'shop',
      description: 'a shop',
      rolesPerContext: ROLES,
      meta_data: { team: 'a' },
    };
    const { token } = (await client.unary(APPLICATIONS, 'CreateOrUpdateApplication', request)) as { token: string };
    expect(token.length).toBeGreaterThanOrEqual(16);
    const shown = { applicationName: 'shop', description: 'a shop', rolesPerContext: ROLES, meta_data: { team: 'a' } };
    expect(await client.unary(APPLICATIONS, 'GetApplication', { applicationName: 'shop' })).toEqual(shown);
    expect(await client.stream(APPLICATIONS, 'GetApplications')).toEqual([shown]);
    await until('every node knows it', () => nodes.every((node) => controlOf(node).ofToken(token) !== null));
    expect(await client.unary(AUTHENTICATION, 'AuthenticateToken', { token })).toEqual({
      applicationName: 'shop',
      applicationRole: [
        { role: 'USE_CONTEXT', context: 'default' },
        { role: 'MONITOR', context: '*' },
      ],
    });
    const changed = { ...request, description: 'changed' };
    expect(await client.unary(APPLICATIONS, 'CreateOrUpdateApplication', changed)).toEqual({ token: '' });
    expect(controlOf(nodes[1]!).ofToken(token)?.name).toBe('shop');
    const fresh = (await client.unary(APPLICATIONS, 'RefreshToken', { applicationName: 'shop' })) as { token: string };
    expect(fresh.token).not.toBe(token);
    await until('the old one is gone', () => nodes.every((node) => controlOf(node).ofToken(token) === null));
    const given = { applicationName: 'other', token: 'given-by-the-caller', rolesPerContext: ROLES };
    expect(await client.unary(APPLICATIONS, 'CreateOrUpdateApplication', given)).toEqual({ token: given.token });
    expect(await client.stream(APPLICATIONS, 'DeleteApplication', { applicationName: 'shop' })).toEqual([]);
    await until('gone everywhere', () => nodes.every((node) => controlOf(node).ofToken(fresh.token) === null));
    const disks = nodes.flatMap((node) => filesBelow(node.dir)).map((file) => readFileSync(file, 'latin1'));
    for (const secret of [token, fresh.token, given.token])
      expect(disks.some((text) => text.includes(secret))).toBe(false);
    expect(disks.some((text) => text.includes('a shop'))).toBe(true);
  });

  it('AD-6, AD-7: unknown application 1300, unknown role 2510, short token 2311, taken token 2311, no name 2311', async () => {
    await formCluster();
    const client = await serve(nodes[1]!);
    const put = (request: object) => client.unary(APPLICATIONS, 'CreateOrUpdateApplication', request);
    await put({ applicationName: 'a', token: 'a-token-that-is-long' });
    const failing: readonly (readonly [() => Promise<unknown>, number, string])[] = [
      [() => client.unary(APPLICATIONS, 'GetApplication', { applicationName: 'x' }), 5, 'AXONIQ-1300'],
      [() => client.stream(APPLICATIONS, 'DeleteApplication', { applicationName: 'x' }), 5, 'AXONIQ-1300'],
      [() => client.unary(APPLICATIONS, 'RefreshToken', { applicationName: 'x' }), 5, 'AXONIQ-1300'],
      [() => put({ applicationName: 'b', token: 'too-short' }), 3, 'AXONIQ-2311'],
      [() => put({ applicationName: 'b', token: 'a-token-that-is-long' }), 3, 'AXONIQ-2311'],
      [() => put({ applicationName: '' }), 3, 'AXONIQ-2311'],
      [() => put({ applicationName: 'b', rolesPerContext: [{ context: 'c', roles: ['KING'] }] }), 3, 'AXONIQ-2510'],
      [() => put({ applicationName: 'b', rolesPerContext: [{ context: '../c', roles: ['READ'] }] }), 3, 'AXONIQ-2308'],
      [() => client.stream(USERS, 'CreateOrUpdateUser', { userName: 'a:b', password: 'x' }), 3, 'AXONIQ-2311'],
    ];
    for (const [call, code, errorCode] of failing)
      expect(await client.failure(call())).toMatchObject({ code, errorCode });
  });

  it('AD-7, AD-8: users with roles; a password opens, another one, none and an unknown user do not', async () => {
    await formCluster();
    const client = await serve(nodes[1]!);
    const user = { userName: 'ada', password: 'a fine password', userRoles: [{ role: 'ADMIN', context: '_admin' }] };
    expect(await client.stream(USERS, 'CreateOrUpdateUser', user)).toEqual([]);
    await client.stream(USERS, 'CreateOrUpdateUser', { userName: 'bob', userRoles: [{ role: 'MONITOR' }] });
    expect(await client.stream(USERS, 'GetUsers')).toEqual([
      { userName: 'ada', enabled: true, userRoles: [{ role: 'ADMIN', context: '_admin' }] },
      { userName: 'bob', enabled: true, userRoles: [{ role: 'MONITOR', context: '*' }] },
    ]);
    const authenticate = (userName: string, password: string) =>
      client.unary(AUTHENTICATION, 'AuthenticateUser', { userName, password });
    expect(await authenticate('ada', 'a fine password')).toMatchObject({ userName: 'ada' });
    // Without a password in the update, it stays.
    await client.stream(USERS, 'CreateOrUpdateUser', { ...user, password: '' });
    expect(await authenticate('ada', 'a fine password')).toMatchObject({ userName: 'ada' });
    for (const [name, password] of [
      ['ada', 'wrong'],
      ['ada', ''],
      ['bob', ''],
      ['eve', 'x'],
    ] as const)
      expect(await client.failure(authenticate(name, password))).toMatchObject({ code: 7, errorCode: 'AXONIQ-1001' });
    const wrong = client.unary(AUTHENTICATION, 'AuthenticateToken', { token: 'nobody-has-this' });
    expect(await client.failure(wrong)).toMatchObject({ code: 7, errorCode: 'AXONIQ-1001' });
    await client.stream(USERS, 'DeleteUser', { userName: 'ada' });
    expect(await client.failure(authenticate('ada', 'a fine password'))).toMatchObject({ errorCode: 'AXONIQ-1001' });
  });

  it('survives a restart of all nodes', async () => {
    await formCluster();
    const client = await serve(nodes[1]!);
    const request = { applicationName: 'shop', rolesPerContext: ROLES };
    const { token } = (await client.unary(APPLICATIONS, 'CreateOrUpdateApplication', request)) as { token: string };
    await client.stream(USERS, 'CreateOrUpdateUser', { userName: 'ada', password: 'secret' });
    await until('every node knows it', () => nodes.every((node) => node.manager.view.access?.users.length === 1));
    for (const close of closers) await close();
    closers = [];
    for (const node of nodes) await node.stop();
    network = new MemoryNetwork();
    nodes = [
      await startMiniNode(network, 1, nodes[0]!.dir),
      await startMiniNode(network, 2, nodes[1]!.dir),
      await startMiniNode(network, 3, nodes[2]!.dir),
    ];
    for (const node of nodes) {
      expect(node.manager.load()).toBe(true);
      expect(controlOf(node).ofToken(token)?.name).toBe('shop');
      expect((await controlOf(node).ofUser('ada', 'secret'))?.name).toBe('ada');
    }
  });
});

describe('the parts of access control', () => {
  it('passwords: each hash differs, only the password fits, and a hash of another kind fits nothing', async () => {
    const [one, two] = [await hashOfPassword('secret'), await hashOfPassword('secret')];
    expect(one).not.toBe(two);
    expect([await isPassword('secret', one), await isPassword('secret', two)]).toEqual([true, true]);
    expect([await isPassword('Secret', one), await isPassword('secret', 'plain$secret')]).toEqual([false, false]);
  });

  it('AXONIQ-1900 beyond the limit of applications, and beyond that of waiting passwords', async () => {
    const { admin } = memoryAccess();
    const put = (index: number) =>
      admin.putApplication({ name: `a${index}`, description: '', token: '', roles: [], metaData: {} });
    for (let index = 0; index < APPLICATIONS_MAX; index += 1) await put(index);
    await expect(put(APPLICATIONS_MAX)).rejects.toMatchObject({ code: 'AXONIQ-1900' });
    const cheap = `scrypt$2$${'A'.repeat(24)}$${Buffer.alloc(32).toString('base64')}`;
    const many = Array.from({ length: 70 }, (_, index) => isPassword(`guess ${index}`, cheap));
    const results = await Promise.allSettled(many);
    expect(results.filter((result) => result.status === 'fulfilled').length).toBe(64);
  });
});
