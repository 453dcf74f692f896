// An unmodified Axon Framework 4.12 application of three instances on three nodes: sagas, deadlines, scheduled events, replays, shared
// segments, a persistent stream, subscription queries; steered through the nodes, and while the node it talks to is killed or frozen.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { until } from '../rows/wait.ts';
import { CONNECTOR_OF_FRAMEWORK, CONNECTORS, JavaApp, JavaProcess } from './java-app.ts';

/** Longer than any single wait of the application, which then tells what it waited for. */
const ANSWER_MS_MAX = 150_000;
const STEER_MS_MAX = 60_000;
/** Some looks of every node at the balance of its clients (`cluster.rebalance-interval`: 15 s). */
const BALANCED_MS_MAX = 50_000;
/** Some tests have a dozen waits, each of which tells what it waited for. */
const LONG_TEST_MS_MAX = 400_000;
const SEGMENTS = 4;
const ORDERS = 25;
const BOTH = ['shop-1', 'shop-2'];
const OFFERS = ['billing tea', 'shop tea'];

interface Tracker {
  readonly clientId: string;
  readonly segmentId: number;
}
interface Processor {
  readonly name: string;
  readonly tokenStoreIdentifier: string;
  readonly trackers: readonly Tracker[];
}
interface Apps {
  readonly apps: readonly { readonly clientId: string; readonly node: string }[];
}

/** What a load left behind when nothing went wrong with it. That each processor handles each event once is asked in java.test.ts: here
 * segments are split and merged, when the framework itself may handle an event again. */
const NOTHING_WRONG = {
  'not once OrderPlaced': 0,
  'not once PaymentDone': 0,
  'not once OrderShipped': 0,
  remindersLost: 0,
  remindersTwice: 0,
};

/** Another connector than that of the framework shows that the features work, and that one fault is got over. */
describe.each(CONNECTORS)(
  'an Axon Framework 4.12 shop of three instances on three nodes, connector %s',
  (connector) => {
    const isOwn = connector === CONNECTOR_OF_FRAMEWORK;
    const workspace = new Workspace();
    let cluster: ClusterJson;
    let shop: JavaProcess;
    beforeAll(async () => {
      build();
      const app = new JavaApp(connector);
      await app.build();
      cluster = await workspace.up('shop', 3, await freeBlock(3));
      const servers = cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(',');
      const properties = { 'as.servers': servers, updates: String(isOwn), out: path.join(workspace.home, 'shop') };
      shop = new JavaProcess(app, 'ShopMain', properties);
      await shop.until('a shop that is ready', ANSWER_MS_MAX, () => shop.printed().length > 0);
    });
    afterAll(async () => {
      shop?.kill();
      await workspace.dispose();
    });

    const ask = (request: string): Promise<Record<string, unknown>> => shop.ask(request, ANSWER_MS_MAX);

    /** The console of one node: what it tells of one processor, and how it steers it. */
    class Console {
      readonly #base: string;
      readonly #name: 'pooled' | 'tracked';

      constructor(node: ClusterJson['nodes'][number], name: 'pooled' | 'tracked') {
        this.#base = `http://${node.host}:${node.http}/v1`;
        this.#name = name;
      }

      async processor(): Promise<Processor | null> {
        const response = await fetch(`${this.#base}/components/shop/processors?context=default`);
        const all = (await response.json()) as readonly Processor[];
        return all.find(({ name }) => name === this.#name) ?? null;
      }

      /** `what` follows the name of the processor. */
      steer(what: string, more = ''): Promise<void> {
        return this.#call('PATCH', `components/shop/processors/${this.#name}/${what}`, more);
      }

      balance(): Promise<void> {
        return this.#call('PUT', `processors/${this.#name}/autoloadbalance`, '&strategy=threadNumber');
      }

      async #call(method: 'PATCH' | 'PUT', what: string, more: string): Promise<void> {
        const processor = await until('the processor', STEER_MS_MAX, () => this.processor());
        const query = `context=default&tokenStoreIdentifier=${processor.tokenStoreIdentifier}${more}`;
        const response = await fetch(`${this.#base}/${what}?${query}`, { method });
        if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`);
      }

      trackers(what: string, holds: (trackers: readonly Tracker[]) => boolean): Promise<boolean> {
        return until(what, STEER_MS_MAX, async () => holds((await this.processor())?.trackers ?? []));
      }

      /** Again while the other half is in the hands of an instance that has just claimed it: the framework refuses then, and merges nothing. */
      async merge(): Promise<void> {
        await until('the halves of a segment at one instance', STEER_MS_MAX, async () => {
          try {
            await this.steer('segments/merge');
            return true;
          } catch (error) {
            if (String(error).includes('UnableToClaimTokenException')) return null;
            throw error;
          }
        });
      }

      async splitAndMerge(): Promise<void> {
        await this.trackers('all segments at work', (trackers) => trackers.length === SEGMENTS);
        await this.steer('segments/split');
        await this.trackers('one more segment', (trackers) => trackers.length === SEGMENTS + 1);
        await this.merge();
        await this.trackers('one segment less', (trackers) => trackers.length === SEGMENTS);
      }
    }

    it('CM-5, CM-8, QR-12, QR-30, ES-30, ES-38, SC-1 to SC-5 each feature brings what the framework promises', async () => {
      const found = await ask('features');
      expect(found).toMatchObject({
        routedToOne: true,
        routedTo: BOTH,
        offers: OFFERS,
        counted: 125_250,
        upcastForAggregate: 1200,
        upcastForProcessor: 1200,
        stored: ' {"orderId":"old-1","euros":12}',
        notes: 7,
        loadedBehind: 1,
        fired: ['replacement', 'last'],
      });
      expect(found['lowBeforeHigh']).toBeLessThanOrEqual(1);
    });

    it.runIf(isOwn)(
      'EP-10 to EP-22, PS-1 to PS-4 segments are shared, split, merged, moved, paused and replayed under load, and nothing is lost or done twice',
      async () => {
        const consoles = cluster.nodes.map((node) => new Console(node, 'pooled'));
        const [first, second, third] = consoles as [Console, Console, Console];
        await ask('load');
        await first.balance();
        await second.trackers('segments of both', (trackers) =>
          BOTH.every((client) => trackers.filter(({ clientId }) => clientId === client).length === SEGMENTS / 2),
        );
        await ask(`more ${ORDERS}`);
        await second.splitAndMerge();
        const moved = await until('a segment of shop-1', STEER_MS_MAX, async () => {
          const tracker = (await first.processor())?.trackers.find(({ clientId }) => clientId === 'shop-1');
          return tracker === undefined ? null : { segment: tracker.segmentId };
        });
        await first.steer(`segments/${moved.segment}/move`, '&target=shop-2');
        await third.trackers('the segment at shop-2', (trackers) =>
          trackers.some(({ segmentId, clientId }) => segmentId === moved.segment && clientId === 'shop-2'),
        );
        await third.steer('pause');
        await first.trackers('no segment at work', (trackers) => trackers.length === 0);
        await third.steer('start');
        await second.trackers('all segments at work', (trackers) => trackers.length === SEGMENTS);
        const replay = await ask('replay pooled');
        expect(replay['again']).toBeGreaterThan(6 * ORDERS);
        expect(replay['replayed']).toBeGreaterThan(0);
        const found = await ask('settle');
        expect(found).toMatchObject({ ...NOTHING_WRONG, streamedTwice: 0, pooledBy: BOTH, streamedBy: BOTH });
      },
      LONG_TEST_MS_MAX,
    );

    /** Once each node has one app again: one that came back is given one within its next looks at the balance, which is on no node meanwhile. */
    const nodeOfShop1 = (): Promise<string> =>
      until('one app on each node', BALANCED_MS_MAX, async () => {
        const { apps } = await workspace.json<Apps>('apps');
        const spread =
          apps.length === cluster.nodes.length && new Set(apps.map(({ node }) => node)).size === apps.length;
        return spread && (apps.find(({ clientId }) => clientId === 'shop-1')?.node ?? null);
      });

    const faults = [
      { signal: 'SIGKILL', strike: 'kill', mend: 'start' },
      { signal: 'SIGSTOP', strike: 'freeze', mend: 'resume' },
    ];
    it.each(isOwn ? faults : faults.slice(0, 1))(
      'DP-17 $signal of its node: orders, upcasting, scatter-gather and priorities go on, a replay and a split succeed, nothing is lost or done twice',
      async (fault) => {
        const victim = await nodeOfShop1();
        await ask('load');
        await ask(`more ${ORDERS}`);
        const other = cluster.nodes.find(({ name }) => name !== victim);
        await workspace.ok(fault.strike, victim);
        try {
          await ask(`more ${ORDERS}`);
          const features = await ask(`duringFault ${fault.strike}`);
          expect(features).toMatchObject({ offers: OFFERS, upcastForAggregate: 1200, upcastForProcessor: 1200 });
          expect(features['lowBeforeHigh']).toBeLessThanOrEqual(1);
          const replay = await ask('replay tracked');
          expect(replay['replayed']).toBeGreaterThan(0);
          await new Console(other!, 'tracked').splitAndMerge();
        } finally {
          await workspace.ok(fault.mend, victim);
        }
        await ask(`more ${ORDERS}`);
        const found = await ask('settle afterFault');
        // What the persistent stream told in the last 500 ms before its leader was lost may come again (PS-4).
        expect(found).toMatchObject(NOTHING_WRONG);
        expect(found['placed']).toBeGreaterThanOrEqual(3 * ORDERS);
        await workspace.ok('wait', 'caught-up', '--timeout', '60s');
      },
      LONG_TEST_MS_MAX,
    );
  },
);
