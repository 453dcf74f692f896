// Feature rows S21 and S27, and what S17 shows to people: roles by command line, by the launcher's API and by REST; advice
// about even numbers of voters; why nothing is confirmed without an active backup. One cluster of four nodes from `muster up`.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, NodeClient } from './client.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build, ELECTION_MS_MAX } from './harness.ts';
import { freeBlock } from './ports.ts';
import { refusedWith, type Roles, UNCONFIRMED_CODES, UNCONFIRMED_MS_MAX } from './roles-support.ts';
import { until } from './wait.ts';

interface ContextJson {
  readonly name: string;
  readonly leader: string | null;
  readonly why: string;
  readonly notes?: readonly string[];
  readonly members: readonly { readonly node: string; readonly role: string; readonly state: string }[];
}

const ALL_ROLES: Roles = {
  'node-1': 'PRIMARY',
  'node-2': 'ACTIVE_BACKUP',
  'node-3': 'PASSIVE_BACKUP',
  'node-4': 'MESSAGING_ONLY',
};

describe('roles as people give them', () => {
  const workspace = new Workspace();
  let up: ClusterJson;
  beforeAll(async () => {
    build();
    up = await workspace.up('roles', 4, await freeBlock(4));
  });
  afterAll(() => workspace.dispose());

  const nodeOf = (name: string): ClusterJson['nodes'][number] => {
    const node = up.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no ${name}`);
    return node;
  };
  const contextOf = async (name: string): Promise<ContextJson | undefined> =>
    ((await workspace.status('roles')).contexts as unknown as ContextJson[]).find((context) => context.name === name);
  const rest = async (method: string, path: string, body?: object): Promise<Response> => {
    const node = nodeOf('node-1');
    return fetch(`http://${node.host}:${node.http}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  };
  /** What REST lists and what the launcher shows are the same roles. */
  const haveRoles = async (name: string, wanted: Roles): Promise<void> => {
    const sorted = (roles: readonly { node: string; role: string }[]): string =>
      roles
        .map(({ node, role }) => `${node}:${role}`)
        .sort()
        .join();
    const expected = sorted(Object.entries(wanted).map(([node, role]) => ({ node, role })));
    await until(`${name} to have ${expected}`, ELECTION_MS_MAX, async () => {
      const rows = (await (await rest('GET', '/v1/public/context')).json()) as {
        context: string;
        roles: { node: string; role: string }[];
      }[];
      const listed = rows.find((row) => row.context === name)?.roles ?? [];
      const shown = (await contextOf(name))?.members ?? [];
      return sorted(listed) === expected && sorted(shown) === expected;
    });
  };

  it('S21 roles are given by command line, by REST and by the API of the window, and changed one by one', async () => {
    await workspace.ok(
      'context',
      'add',
      'by-cli',
      '--primary',
      '1',
      '--active',
      '2',
      '--passive',
      '3',
      '--messaging',
      '4',
    );
    await haveRoles('by-cli', ALL_ROLES);

    const roles = Object.entries(ALL_ROLES).map(([node, role]) => ({ node, role }));
    expect((await rest('POST', '/v1/context', { context: 'by-rest', roles })).status).toBe(200);
    await haveRoles('by-rest', ALL_ROLES);
    expect((await rest('POST', '/v1/replicationgroups', { name: 'by-group', roles })).status).toBe(200);
    await haveRoles('by-group', ALL_ROLES);

    // The call that the window and the browser make.
    const token = readFileSync(up.control.tokenFile, 'utf8').trim();
    const answer = await fetch(`${up.control.url}/api/createContext`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(['roles', 'by-window', roles]),
    });
    expect(answer.status, await answer.text()).toBe(200);
    await haveRoles('by-window', ALL_ROLES);

    await workspace.ok('role', 'node-3', 'by-cli', 'active-backup');
    await workspace.ok('role', 'node-2', 'by-cli', 'primary');
    await workspace.ok('role', 'node-4', 'by-cli', 'none');
    await haveRoles('by-cli', { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'ACTIVE_BACKUP' });
    expect((await rest('POST', '/v1/context/by-rest/node-4?role=PASSIVE_BACKUP&afterPending=true')).status).toBe(202);
    expect((await rest('DELETE', '/v1/context/by-rest/node-2?afterPending=true')).status).toBe(202);
    await haveRoles('by-rest', { 'node-1': 'PRIMARY', 'node-3': 'PASSIVE_BACKUP', 'node-4': 'PASSIVE_BACKUP' });

    const wrong = await workspace.muster('role', 'node-1', 'by-rest', 'passive-backup');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('AXONIQ-2310');
    expect((await workspace.muster('role', 'node-1', 'by-rest', 'boss')).code).toBe(2);
    expect((await workspace.muster('context', 'rm', 'by-rest')).code).toBe(2);
    await workspace.ok('context', 'rm', 'by-rest', '--yes');
    // A context that the cluster was planned with may go, too, and is not missed.
    await workspace.ok('context', 'rm', 'default', '--yes');
    for (const name of ['by-rest', 'default'])
      await until(`${name} to be gone`, ELECTION_MS_MAX, async () => (await contextOf(name)) === undefined);
    expect((await workspace.status('roles')).state).toBe('usable');
  });

  it('S27 four nodes may hold a context of three; an even number of voters is allowed, works and is pointed out', async () => {
    await workspace.ok('context', 'add', 'odd', '--primary', '1,2,3');
    const even = await workspace.muster('context', 'add', 'even', '--primary', '1,2,3,4');
    expect(even.code).toBe(0);
    expect(even.stderr).toContain('4 voters');
    await until('both contexts to be shown whole', ELECTION_MS_MAX, async () => {
      return (await contextOf('odd'))?.members.length === 3 && (await contextOf('even'))?.members.length === 4;
    });
    expect((await contextOf('odd'))?.notes).toBeUndefined();
    const advice = '4 voters need 3: no safer than 3 voters.';
    expect((await contextOf('even'))?.notes).toContain(advice);
    // The same rule for `_admin`, which holds all four nodes here (S28).
    expect((await contextOf('_admin'))?.notes).toContain(advice);
    const text = await workspace.ok('status', 'roles');
    expect(text).toContain(`note: even: ${advice}`);
    expect(text).toContain(`note: _admin: ${advice}`);
    expect(text).not.toContain('note: odd');
    for (const context of ['odd', 'even']) {
      await workspace.ok('wait', `leader:${context}`);
      const client = new NodeClient(nodeOf('node-1').host, nodeOf('node-1').grpc, context);
      await client.append([event('s27', 0)]);
      client.close();
    }
    await workspace.ok('role', 'node-4', '_admin', 'none');
    expect((await contextOf('_admin'))?.notes).toBeUndefined();
  });

  it('S17 without its active backup a context says that commits wait for it and how to go on', async () => {
    await workspace.ok('context', 'add', 'kept', '--primary', '1,2,3', '--active', '4');
    await workspace.ok('wait', 'leader:kept');
    await workspace.ok('kill', 'node-4');
    const client = new NodeClient(nodeOf('node-1').host, nodeOf('node-1').grpc, 'kept');
    try {
      const refusal = refusedWith(client.append([event('s17', 0)], UNCONFIRMED_MS_MAX));
      await until('the reason to be shown', ELECTION_MS_MAX, async () => {
        return (await contextOf('kept'))?.why === 'Commits need an active backup and node-4 is down.';
      });
      expect(UNCONFIRMED_CODES).toContain(await refusal);
      await workspace.ok('start', 'node-4');
      let tries = 0;
      await until('appends to be confirmed again', ELECTION_MS_MAX, async () => {
        tries += 1;
        await client.append([event(`s17-again-${tries}`, 0)]);
        return true;
      });
      await until('the context to be healthy', ELECTION_MS_MAX, async () =>
        (await contextOf('kept'))?.why.startsWith('Healthy'),
      );
    } finally {
      client.close();
    }
  });

  it('S21 a role change that those who stay could not commit waits, and status says for whom until it goes on', async () => {
    await workspace.ok('context', 'add', 'held', '--primary', '1,2,3');
    await haveRoles('held', { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' });
    await workspace.ok('kill', 'node-3');
    // Until the leader misses node-3 the change could be made.
    await until('the leader to miss node-3', ELECTION_MS_MAX, async () => {
      const { host, http } = nodeOf((await contextOf('held'))?.leader ?? 'node-1');
      const health = (await (await fetch(`http://${host}:${http}/actuator/health`)).json()) as {
        components: { raft: { details: Readonly<Record<string, string>> } };
      };
      return health.components.raft.details['held'] === 'not confirming: node-3';
    });
    const asked = await workspace.muster('role', 'node-2', 'held', 'passive-backup', '--timeout', '3s');
    expect(asked.code).toBe(3);
    const reason = 'node-2 does not become passive backup yet: node-3 is down';
    expect(asked.stderr).toContain(reason);
    expect(await workspace.ok('status', 'roles')).toContain(`note: held: ${reason}`);
    expect((await contextOf('held'))?.members.find(({ node }) => node === 'node-2')?.role).toBe('PRIMARY');
    await workspace.ok('start', 'node-3');
    await haveRoles('held', { 'node-1': 'PRIMARY', 'node-2': 'PASSIVE_BACKUP', 'node-3': 'PRIMARY' });
    await until('nothing to be held', ELECTION_MS_MAX, async () => {
      return (await contextOf('held'))?.notes?.some((note) => note.includes('yet')) !== true;
    });
  });
});
