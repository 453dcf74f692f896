// Events, verification and purge on the command line, on a cluster of real engines (ux.md §9; rows B8, B10, E41; launchers.md §3).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

const SLOW_MS = 150_000;

interface Row {
  readonly token: number;
  readonly type: string;
  readonly sequence: number | null;
  readonly aggregateId: string;
  readonly tags: readonly string[];
  readonly payload: string;
  readonly replicas: Readonly<Record<string, string>>;
}
interface Check {
  readonly equal: boolean;
  readonly sentence: string;
  readonly firstDifference: number | null;
  readonly members: readonly { readonly checksum: string | null; readonly events: number; readonly problem: string }[];
}

describe('events on the command line', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  beforeAll(async () => {
    build();
    cluster = await workspace.up('events', 3, await freeBlock(3));
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  const rows = async (...args: string[]): Promise<Row[]> =>
    (await workspace.ok('events', 'default', '--payload', '--json', ...args))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
  const append = (type: string, aggregate: string, payload: string): Promise<string> =>
    workspace.ok('append', 'default', '--type', type, '--aggregate', aggregate, '--payload', payload);

  it(
    'ux §9 appends by hand, lists with filters, says where each event is and that more follow',
    async () => {
      await append('CardIssued', 'card-1', '{"amount":5}');
      await append('CardRedeemed', 'card-1', '{"amount":2}');
      await append('OrderPlaced', 'order-1', '{"of":"Ada"}');
      await workspace.ok('wait', 'caught-up');
      const all = await rows();
      expect(all.map(({ token, type, sequence }) => [token, type, sequence])).toEqual([
        [0, 'CardIssued', 0],
        [1, 'CardRedeemed', 1],
        [2, 'OrderPlaced', 0],
      ]);
      expect(all[0]).toMatchObject({
        payload: '{"amount":5}',
        replicas: { 'node-1': 'durable', 'node-2': 'durable', 'node-3': 'durable' },
      });
      expect((await rows('--type', 'Card*')).length).toBe(2);
      expect((await rows('--aggregate', 'order-1')).map(({ token }) => token)).toEqual([2]);
      expect((await rows('--text', 'ada')).map(({ token }) => token)).toEqual([2]);
      expect(await rows('--meta', 'user=ada')).toEqual([]);
      const first = await workspace.muster('events', 'default', '--max', '1');
      expect(first.stderr).toContain('there is more: --from-token 1');
    },
    SLOW_MS,
  );

  it(
    'ux §9 filters in the words of the window, under a name for every command and window; an event as the start of a test',
    async () => {
      await workspace.ok('append', 'default', '--type', 'CardClosed', '--aggregate', 'card-2', '--meta', 'user=ada');
      const tokens = async (...args: string[]) => (await rows(...args)).map(({ token }) => token);
      expect(await tokens('--where', 'type:Card* agg:card-2 meta.user:ada from:10m')).toEqual([3]);
      expect(await tokens('--where', 'to:10m')).toEqual([]);
      expect(await tokens('--since', '10m', '--until', '0s', '--type', 'Card*')).toEqual([0, 1, 3]);
      await workspace.ok('search', 'save', 'of ada', 'meta.user:ada');
      await workspace.ok('search', 'save', 'cards', 'type:Card*', 'from:10m');
      expect(await tokens('--search', 'cards', '--aggregate', 'card-1')).toEqual([0, 1]);
      await workspace.ok('search', 'rename', 'of ada', 'ada');
      await workspace.ok('search', 'rm', 'cards');
      expect(await workspace.json('search', 'ls')).toEqual([{ name: 'ada', words: 'meta.user:ada' }]);
      const unknown = await workspace.muster('events', 'default', '--search', 'cards', '--json');
      expect([unknown.code, unknown.stdout.includes('SEARCH_NOT_FOUND')]).toEqual([1, true]);
      expect((await workspace.muster('events', 'default', '--where', 'type:')).code).toBe(2);
      expect((await workspace.muster('search', 'save', 'x', 'from:soon')).code).toBe(2);
      const given = await workspace.ok('events', 'default', '--max', '1', '--given');
      expect(given.trim()).toBe('.given(new CardIssued(/* amount */ 5))');
    },
    SLOW_MS,
  );

  it(
    'ux §10 a note is pinned, written anew and taken off by the id that the timeline tells',
    async () => {
      const { id } = await workspace.json<{ id: string }>('note', 'lost its handler');
      await workspace.ok('note', 'edit', id, 'lost IssueCard');
      expect(await workspace.ok('timeline')).toMatch(new RegExp(`note +lost IssueCard \\(${id}\\)`));
      await workspace.ok('note', 'rm', id);
      expect(await workspace.ok('timeline')).not.toContain('lost');
      expect((await workspace.muster('note', 'edit', id, 'x', '--json')).stdout).toContain('NOTE_NOT_FOUND');
      expect((await workspace.muster('note', 'rm', 'x')).code).toBe(2);
    },
    SLOW_MS,
  );

  it(
    'B8 verify: token, count and checksum are the same on each member',
    async () => {
      const [check] = await workspace.json<Check[]>('verify', 'default');
      expect(check).toMatchObject({ equal: true, firstDifference: null });
      expect(check?.members.map((member) => member.events)).toEqual([4, 4, 4]);
      expect(new Set(check?.members.map((member) => member.checksum)).size).toBe(1);
    },
    SLOW_MS,
  );

  it(
    'B8 verify: one changed byte in the files of a stopped node is found and named',
    async () => {
      await workspace.ok('stop', 'node-3');
      const dir = cluster.nodes[2]?.dir ?? '';
      const damaged = damage(dir, 'OrderPlaced');
      expect(damaged, 'a file with the event').not.toBeNull();
      await workspace.muster('start', 'node-3');
      const result = await workspace.muster('verify', 'default', '--json');
      const [check] = JSON.parse(result.stdout) as Check[];
      // The engine refuses damaged data, cuts it off and copies it again, or serves the rest: it is never called equal unseen.
      if (check?.equal === true) {
        await workspace.ok('wait', 'caught-up');
        // While it copied, what all had was equal; now all have all.
        const [whole] = await workspace.json<Check[]>('verify', 'default');
        expect(whole?.members.map((member) => member.events)).toEqual([4, 4, 4]);
      } else {
        expect(result.code).toBe(3);
        expect(check?.members.some((member) => member.problem !== null)).toBe(true);
      }
    },
    SLOW_MS,
  );

  it(
    'B10, E41 purge: says what it would delete, then every member is empty and the next token is 0',
    async () => {
      const asked = await workspace.muster('purge', 'default');
      expect(asked.code).toBe(2);
      expect(asked.stderr).toContain('default (4 events)');
      const { purged } = await workspace.json<{ purged: unknown }>('purge', 'default', '--yes');
      expect(purged).toEqual([{ context: 'default', events: 4 }]);
      expect(await rows()).toEqual([]);
      await append('CardIssued', 'card-1', '{}');
      expect((await rows()).map(({ token, sequence }) => [token, sequence])).toEqual([[0, 0]]);
      const members = (await workspace.status('events')).contexts.find(({ name }) => name === 'default')?.members;
      expect(members?.map(({ role }) => role)).toEqual(['PRIMARY', 'PRIMARY', 'PRIMARY']);
    },
    SLOW_MS,
  );

  it(
    'bad input: unknown contexts and _admin are refused with a code',
    async () => {
      expect((await workspace.muster('events', 'nothing', '--json')).stdout).toContain('CONTEXT_NOT_FOUND');
      expect((await workspace.muster('purge', '_admin', '--yes', '--json')).stdout).toContain('BAD_ARGUMENT');
      expect((await workspace.muster('reconnect', 'nobody', '--json')).stdout).toContain('APP_NOT_FOUND');
    },
    SLOW_MS,
  );
});

/** Changes one byte of the first file below `dir` that holds this text; answers its name. */
function damage(dir: string, text: string): string | null {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.(log|properties)$/.test(entry.name) || file.includes('/logs/')) continue;
    const bytes = readFileSync(file);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(file, bytes);
    return file;
  }
  return null;
}
