// Event processors told from the command line, on real engines and apps that obey as Axon Framework does (ux.md §5; client-behaviour EP-11 to EP-20).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './cli.ts';
import { NodeClient } from './client.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';
import { until } from './wait.ts';

const SLOW_MS = 60_000;
const KNOWN_MS_MAX = 10_000;
type Message = Readonly<Record<string, { readonly segment_identifier?: number } | string | null>>;
const ARMS = [
  'pause_event_processor',
  'start_event_processor',
  'release_segment',
  'split_event_processor_segment',
  'merge_event_processor_segment',
];

/** An app with the processor `cards`: it does what it is told, unless it refuses, and remembers it. */
class App {
  readonly obeyed: string[] = [];
  refuses = false;
  readonly #client: NodeClient;

  constructor(host: string, port: number, clientId: string, segments: readonly number[]) {
    this.#client = new NodeClient(host, port);
    const control = this.#client.register(clientId);
    void control.ended;
    control.onMessage((message) => {
      const told = message as Message;
      const arm = ARMS.find((one) => told[one] != null);
      if (arm === undefined) return;
      const { segment_identifier: segment = '' } = told[arm] as { readonly segment_identifier?: number };
      this.obeyed.push(`${arm} ${segment}`.trim());
      const error = this.refuses ? { error: { error_code: 'AXONIQ-1004', message: 'the app cannot' } } : {};
      control.send({ result: { instruction_id: told['instruction_id'], success: !this.refuses, ...error } });
    });
    control.send({
      event_processor_info: {
        processor_name: 'cards',
        mode: 'Pooled Streaming',
        running: true,
        error: false,
        active_threads: segments.length,
        available_threads: 4,
        token_store_identifier: 'store',
        is_streaming_processor: true,
        segment_status: segments.map((segment) => ({
          segment_id: segment,
          caught_up: true,
          replaying: false,
          one_part_of: 2,
          token_position: 41,
          error_state: '',
        })),
      },
      instruction_id: '',
    });
  }

  close(): void {
    this.#client.close();
  }
}

describe('event processors on the command line', () => {
  const workspace = new Workspace();
  const apps: App[] = [];
  beforeAll(async () => {
    build();
    const cluster = await workspace.up('processors', 3, await freeBlock(3));
    for (const [place, id] of ['a@one', 'b@two'].entries()) {
      const node = cluster.nodes[place];
      apps.push(new App(node?.host ?? '', node?.grpc ?? 0, id, [place]));
    }
    await until('both apps to be known', KNOWN_MS_MAX, async () => {
      const all = await workspace.json<readonly { readonly members: readonly unknown[] }[]>('processor', 'ls');
      return all[0]?.members.length === 2;
    });
  }, SLOW_MS);
  afterAll(async () => {
    for (const app of apps) app.close();
    await workspace.dispose();
  }, SLOW_MS);

  it(
    'ux §5 lists them with apps, nodes, segments and positions',
    async () => {
      const [cards] = await workspace.json<readonly object[]>('processor', 'ls');
      expect(cards).toMatchObject({
        name: 'cards',
        context: 'default',
        members: [
          { clientId: 'a@one', node: 'node-1', claims: [{ segment: 0, onePartOf: 2, token: 41 }] },
          { clientId: 'b@two', node: 'node-2', claims: [{ segment: 1, onePartOf: 2, token: 41 }] },
        ],
      });
      expect(await workspace.ok('processor', 'ls')).toContain('0 (1/2) at token 41');
    },
    SLOW_MS,
  );

  it(
    'EP-11, EP-20 pause, start, split, merge and move reach the apps through whatever node they are on',
    async () => {
      for (const kind of ['pause', 'start']) {
        expect(await workspace.ok('processor', kind, 'cards')).toContain('Done.');
        for (const app of apps) expect(app.obeyed.splice(0)).toEqual([`${kind}_event_processor`]);
      }
      await workspace.ok('processor', 'split', 'cards', '--context', 'default');
      await workspace.ok('processor', 'merge', 'cards');
      const told = apps.flatMap((app) => app.obeyed.splice(0)).join();
      expect(told).toMatch(/split_event_processor_segment \d.*merge_event_processor_segment \d/);
      // The other app must let go of it, so that the one that shall have it claims it.
      await workspace.ok('processor', 'move', 'cards', '0', 'b@two');
      expect(apps.map((app) => app.obeyed.splice(0))).toEqual([['release_segment 0'], []]);
      expect(await workspace.ok('timeline')).toContain('Event processor cards: move segment 0 to b@two.');
    },
    SLOW_MS,
  );

  it(
    'ux §5 what an app or the engine refuses is told with its code',
    async () => {
      const nobody = await workspace.muster('processor', 'move', 'cards', '0', 'nobody', '--json');
      expect([nobody.code, nobody.stdout]).toEqual([1, expect.stringContaining('AXONIQ-2801')]);
      for (const app of apps) app.refuses = true;
      const refused = await workspace.muster('processor', 'pause', 'cards', '--json');
      expect(refused.stdout).toMatch(/PROCESSOR_REFUSED.*the app cannot/s);
      expect((await workspace.muster('processor', 'pause', 'nope', '--json')).stdout).toContain('PROCESSOR_NOT_FOUND');
      const elsewhere = await workspace.muster('processor', 'pause', 'cards', '--context', 'x', '--json');
      expect(elsewhere.stdout).toContain('CONTEXT_NOT_FOUND');
      expect((await workspace.muster('processor', 'move', 'cards', 'x', 'a@one')).code).toBe(2);
    },
    SLOW_MS,
  );
});
