// Users and applications of a cluster with access control from the command line, on three real processes (console A6; row E39).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessRoles } from '../../electron/contract/access.ts';
import { ROLES } from '../../engine/context/access-roles.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { axoniqCode, event, NodeClient } from './client.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

const SLOW_MS = 120_000;

interface Told {
  readonly secret: string | null;
}
interface Account {
  readonly kind: string;
  readonly name: string;
  readonly roles: readonly string[];
}

describe('users and applications on the command line', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let appended = 0;
  beforeAll(async () => {
    build();
    cluster = await workspace.up('guarded', 3, await freeBlock(3), '--access-control');
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  /** What an app with this token gets for an append through a node: `ok` or the code. */
  const append = async (token: string, place: number): Promise<string | null> => {
    const node = cluster.nodes[place]!;
    const client = new NodeClient(node.host, node.grpc, 'default', { token });
    try {
      return await client.append([event(`card-${appended++}`, 0)]).then(() => 'ok', axoniqCode);
    } finally {
      client.close();
    }
  };

  it(
    'A6 an application has its token once, works with it on every node, and is refused after a new one or without the application',
    async () => {
      const args = ['application', 'shop', '--role', 'publish_events@default', '--description', 'sells'];
      const { secret: first } = await workspace.json<Told>('access', 'put', ...args);
      for (const place of [0, 1, 2]) expect(await append(first ?? '', place), `node ${place}`).toBe('ok');
      const [shop] = await workspace.json<readonly Account[]>('access', 'ls');
      expect(shop).toEqual({
        kind: 'application',
        name: 'shop',
        description: 'sells',
        roles: ['PUBLISH_EVENTS@default'],
      });
      const { secret: kept } = await workspace.json<Told>('access', 'put', 'application', 'shop', '--role', 'READ@*');
      expect(kept, 'other roles, the same token').toBe(null);
      expect(await append(first ?? '', 0), 'it may only read now').toBe('AXONIQ-1001');
      await workspace.ok('access', 'put', 'application', 'shop', '--role', 'USE_CONTEXT@default');
      const renewed = await workspace.ok('access', 'renew', 'application', 'shop');
      const second = renewed.trim().split('\n')[0] ?? '';
      expect(await append(first ?? '', 0), 'the one of before').toMatch(/^AXONIQ-100/);
      expect(await append(second, 1)).toBe('ok');
      await workspace.ok('access', 'rm', 'application', 'shop');
      expect(await append(second, 2)).toMatch(/^AXONIQ-100/);
      const told = await workspace.ok('timeline');
      expect(told).toContain('The application shop has PUBLISH_EVENTS@default.');
      expect([told.includes(first ?? ''), told.includes(second)], 'no secret is written down').toEqual([false, false]);
    },
    SLOW_MS,
  );

  it(
    'A6 a user logs in with the password that was made or given',
    async () => {
      const login = async (password: string): Promise<number> => {
        const node = cluster.nodes[1]!;
        const basic = Buffer.from(`ada:${password}`).toString('base64');
        const url = `http://${node.host}:${node.http}/v1/public/user`;
        return (await fetch(url, { headers: { authorization: `Basic ${basic}` } })).status;
      };
      const { secret } = await workspace.json<Told>('access', 'put', 'user', 'ada', '--role', 'ADMIN@_admin');
      expect(await login(secret ?? '')).toBe(200);
      const given = await workspace.json<Told>(
        'access',
        'put',
        'user',
        'ada',
        '--role',
        'ADMIN@*',
        '--password',
        'pw-2',
      );
      expect(given.secret, 'who gave it knows it').toBe(null);
      expect([await login('pw-2'), await login(secret ?? '')]).toEqual([200, 401]);
      await workspace.ok('access', 'put', 'user', 'ada', '--role', 'MONITOR@default');
      expect(await login('pw-2'), 'other roles, the same password').toBe(200);
      await workspace.ok('access', 'rm', 'user', 'ada');
      expect(await login('pw-2')).toBe(401);
    },
    SLOW_MS,
  );

  it(
    'A6 what cannot be is told with its code; a cluster without access control says so',
    async () => {
      const refused = async (...args: string[]) => {
        const { code, stdout } = await workspace.muster('access', ...args, '--json');
        return [code, /"code":\s*"([A-Z_]+)"/.exec(stdout)?.[1]];
      };
      expect(await refused('rm', 'user', 'nobody')).toEqual([1, 'ACCOUNT_NOT_FOUND']);
      expect(await refused('put', 'user', 'a:b', '--role', 'ADMIN@*')).toEqual([2, 'BAD_ARGUMENT']);
      expect(await refused('put', 'user', 'ada', '--role', 'KING@default')).toEqual([2, 'BAD_ARGUMENT']);
      expect((await workspace.muster('access', 'put', 'user', 'ada')).code, 'no role').toBe(2);
      expect((await workspace.muster('access', 'rm', 'robot', 'r2')).code).toBe(2);
      await workspace.up('open', 1, await freeBlock(1));
      expect(await refused('ls', '--cluster', 'open')).toEqual([1, 'ACCESS_OFF']);
    },
    SLOW_MS,
  );

  it('A6 knows the roles of the engine', () => {
    expect(accessRoles).toEqual(ROLES);
  });
});
