// `muster verify` on real differences, `context add --dcb` and purge of such a context, and all of it with --tls --access-control
// (rows B8, B9, B10, E41; ux.md §18).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event, NodeClient } from './client.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';
import { withStore } from './roles-support.ts';

const SLOW_MS = 150_000;
const EVENTS = 40;

interface Check {
  readonly context: string;
  readonly equal: boolean;
  readonly sentence: string;
  readonly firstDifference: number | null;
  readonly members: readonly { readonly node: string; readonly checksum: string | null; readonly events: number }[];
}

interface Listed {
  readonly contexts: readonly {
    readonly name: string;
    readonly dcb?: boolean;
    readonly members: readonly { readonly lastToken: number | null }[];
  }[];
}

describe('verify and purge', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  beforeAll(async () => {
    build();
    cluster = await workspace.up('compared', 3, await freeBlock(3));
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  it(
    'B8 a replica with another event, right by its own checksums: exit 3, the entry and the member are named',
    async () => {
      const [first, , third] = cluster.nodes;
      const client = new NodeClient(first!.host, first!.grpc);
      for (let sequence = 0; sequence < EVENTS; sequence += 1)
        await client.append([event('a', sequence, `text ${sequence}`)]);
      client.close();
      await workspace.ok('wait', 'caught-up');
      await workspace.ok('stop', 'node-3');
      const changed = await withStore({ name: 'node-3', dir: third!.dir, running: false }, 'default', async (store) => {
        const entries = store.entries(1, store.lastIndex(), 1e9);
        const at = entries.findIndex((entry) => Buffer.from(entry.data).includes('text 20'));
        const data = Buffer.from(entries[at]!.data);
        data.write('TEXT', data.indexOf('text 20'));
        store.truncateFrom(at + 1);
        store.append([{ ...entries[at]!, data }, ...entries.slice(at + 1)]);
        await store.flush();
        return at + 1;
      });
      await workspace.ok('start', 'node-3');
      await workspace.ok('wait', 'caught-up');
      const result = await workspace.muster('verify', 'default', '--json');
      expect(result.code, result.stderr).toBe(3);
      const [check] = JSON.parse(result.stdout) as Check[];
      expect(check).toMatchObject({ equal: false, firstDifference: changed });
      expect(check?.sentence).toContain(`first at log entry ${changed}`);
      const [one, two, three] = check?.members.map(({ checksum }) => checksum) ?? [];
      expect(one).toBe(two);
      expect(three).not.toBe(one);
    },
    SLOW_MS,
  );

  it(
    'B10 a DCB context on a classic cluster, made with --dcb, is a DCB context after a purge too',
    async () => {
      const made = await workspace.json<{ readonly dcb: boolean }>('context', 'add', 'five', '--dcb');
      expect(made.dcb).toBe(true);
      expect((await workspace.muster('context', 'add', 'six', '--dcb', '--classic')).code).toBe(2);
      await workspace.ok('wait', 'leader:five');
      const { contexts } = await workspace.json<Listed>('status', 'compared');
      expect(contexts.map(({ name, dcb }) => [name, dcb === true])).toContainEqual(['five', true]);
      expect(contexts.map(({ name, dcb }) => [name, dcb === true])).toContainEqual(['default', false]);
      const append = () => workspace.ok('append', 'five', '--type', 'Happened', '--payload', '{}', '--tag', 'order=1');
      await append();
      await workspace.ok('purge', 'five', '--yes');
      const after = (await workspace.json<Listed>('status', 'compared')).contexts.find(({ name }) => name === 'five');
      expect(after).toMatchObject({ dcb: true, members: [{ lastToken: -1 }, { lastToken: -1 }, { lastToken: -1 }] });
      const node = cluster.nodes[0]!;
      const client = new NodeClient(node.host, node.grpc, 'five');
      expect(await client.append([event('a', 0)]).catch(axoniqCode)).toBe('AXONIQ-6000');
      client.close();
      await append();
    },
    SLOW_MS,
  );
});

describe('verify, purge and checkpoints with --tls --access-control', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  beforeAll(async () => {
    build();
    cluster = await workspace.up('secured', 3, await freeBlock(3), '--tls', '--access-control');
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  const append = (type: string): Promise<string> =>
    workspace.ok('append', 'default', '--type', type, '--aggregate', 'card-1', '--payload', '{}');
  const events = async (): Promise<number[]> =>
    (await workspace.json<Check[]>('verify', 'default'))[0]!.members.map((member) => member.events);

  it(
    'B8, B9, B10 save, purge, restore and compare work as without, and the kept secrets still open the cluster',
    async () => {
      await append('Kept');
      await append('Kept');
      await workspace.ok('wait', 'caught-up');
      const [check] = await workspace.json<Check[]>('verify', 'default');
      expect(check).toMatchObject({ equal: true });
      expect(await events()).toEqual([2, 2, 2]);
      await workspace.ok('checkpoint', 'save', 'two');
      expect(await workspace.json('purge', 'default', '--yes')).toMatchObject({
        purged: [{ context: 'default', events: 2 }],
      });
      await workspace.ok('wait', 'caught-up');
      expect(await events()).toEqual([0, 0, 0]);
      await workspace.ok('checkpoint', 'restore', 'two', '--yes');
      await workspace.ok('wait', 'caught-up');
      expect(await events()).toEqual([2, 2, 2]);
      await append('After');
      const secrets = path.join(cluster.dir, 'security');
      const tokens = JSON.parse(readFileSync(path.join(secrets, 'tokens.json'), 'utf8')) as { application: string };
      const trust = readFileSync(path.join(secrets, 'ca.pem'), 'utf8');
      const node = cluster.nodes[1]!;
      const client = new NodeClient(node.host, node.grpc, 'default', { token: tokens.application, trust });
      expect((await client.readAggregate('card-1')).length).toBe(3);
      client.close();
    },
    SLOW_MS,
  );
});
