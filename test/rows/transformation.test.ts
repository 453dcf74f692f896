// Event transformation on three real processes: all are killed as soon as it is applied, and all come back with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, payload } from './client.ts';
import { fill, TestCluster } from './harness.ts';
import { until } from './wait.ts';

const SERVICE = 'event.EventTransformationService';
const WAIT_MS_MAX = 30_000;
const EVENTS = 300;

interface Listed {
  readonly state: string;
  readonly sequence: number;
}

describe('event transformation on three nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster.dispose());

  it('TR-4, TR-6: kill -9 of the leader while changes come, of all after apply: old until then, new ever after', async () => {
    await fill(cluster, 'a', 0, EVENTS);
    const other = async () => cluster.followers(await cluster.leader())[0]!.client('default');
    const types = async (node: (typeof cluster.nodes)[number]): Promise<ReadonlySet<string>> => {
      const events = await node.client('default').readAggregate('a');
      expect(events.length).toBe(EVENTS);
      return new Set(events.map((each) => each.payload?.type ?? ''));
    };
    const id = (await (await other()).unary<{ id: string }>(SERVICE, 'StartTransformation', { description: 'x' })).id;
    /** Sends changes from `from` on, all at once; the last acknowledged sequence tells how far they came. */
    const send = async (from: number, to: number): Promise<void> => {
      const stream = (await other()).bidi(SERVICE, 'TransformEvents');
      for (let sequence = from; sequence < to; sequence += 1) {
        const replacement = { ...event('a', sequence), payload: { ...payload('clean'), type: 'New' } };
        const change =
          sequence % 2 === 0
            ? { delete_event: { token: sequence } }
            : { replace_event: { token: sequence, event: replacement } };
        stream.send({ transformation_id: { id }, sequence, ...change });
      }
      stream.halfClose();
      await stream.ended;
    };
    const listed = async (): Promise<Listed> =>
      until('the transformation', WAIT_MS_MAX, async () => {
        return (await (await other()).collect<Listed>(SERVICE, 'Transformations', {}))[0] ?? null;
      });
    await send(0, 100);
    const leader = await cluster.leader();
    const sending = send(100, EVENTS);
    await leader.kill();
    await sending;
    await cluster.leader();
    const { sequence } = await listed();
    expect(sequence).toBeGreaterThanOrEqual(99);
    if (sequence + 1 < EVENTS) await send(sequence + 1, EVENTS);
    expect(await listed()).toMatchObject({ state: 'ACTIVE', sequence: EVENTS - 1 });
    for (const node of cluster.running()) expect(await types(node)).toEqual(new Set(['Text']));
    const apply = { transformation_id: { id }, last_sequence: EVENTS - 1 };
    await (await other()).collect(SERVICE, 'ApplyTransformation', apply);
    await Promise.all(cluster.running().map((node) => node.kill()));
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
    // Also the member that was away while it was applied.
    for (const node of cluster.nodes) expect(await types(node)).toEqual(new Set(['empty', 'New']));
    expect(await listed()).toMatchObject({ state: 'APPLIED' });
  }, 120_000);
});
