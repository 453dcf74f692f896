import { afterEach, describe, expect, it } from 'vitest';
import { MessagingCluster } from '../messaging/messaging-cluster.ts';
import { startServer, type TestServer } from '../http/support.ts';
import { half, ProcessorApp } from './processor-app.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

async function start(): Promise<TestServer> {
  cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
  return startServer({ processors: cluster.node('node-1').messaging.processors });
}

describe('event processors over REST', () => {
  it('EP-23, rest-and-cli §6: lists the processors of a component with their trackers', async () => {
    const server = await start();
    await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0), free: 1 });
    await ProcessorApp.start(cluster, 'node-2', 'b', { segments: half(1), running: false, free: 0 });
    await ProcessorApp.start(cluster, 'node-2', 'c', { component: 'other', name: 'else' });
    const list = await (await server.get('/v1/components/app/processors?context=default')).json();
    expect(list).toMatchObject([
      {
        name: 'orders',
        context: 'default',
        fullName: 'orders@store-1',
        tokenStoreIdentifier: 'store-1',
        freeThreadInstances: ['a'],
        activeThreads: 2,
        warnings: ['Paused on b'],
        canPause: true,
        canPlay: true,
        canSplit: true,
        canMerge: true,
      },
    ]);
    const trackers = (list as { trackers: { clientId: string; segmentId: number }[] }[])[0]!.trackers;
    expect(trackers.map(({ clientId, segmentId }) => `${clientId}${segmentId}`).sort()).toEqual(['a0', 'b1']);
    expect(await (await server.get('/v1/processors/orders/clients')).json()).toEqual(['a', 'b']);
  });

  it('EP-23: pause, start, split, merge and move answer 200, 202 for old clients, 404 with the code', async () => {
    const server = await start();
    const a = await ProcessorApp.start(cluster, 'node-2', 'a', { segments: half(0, 1) });
    await ProcessorApp.start(cluster, 'node-2', 'old', { name: 'old', version: '', answer: 'ack' });
    const one = '/v1/components/app/processors/orders';
    const query = '?context=default&tokenStoreIdentifier=store-1';
    for (const path of ['pause', 'start', 'segments/split', 'segments/merge']) {
      const answer = await server.send('PATCH', `${one}/${path}${query}`);
      expect([answer.status, await answer.json()]).toMatchObject([200, { success: true }]);
    }
    expect(a.obeyed).toHaveLength(4);
    expect((await server.send('PATCH', '/v1/components/app/processors/old/pause')).status).toBe(202);
    const missing = await server.send('PATCH', '/v1/components/app/processors/nope/pause');
    expect([missing.status, missing.headers.get('axoniq-errorcode')]).toEqual([404, 'AXONIQ-2800']);
    const nobody = await server.send('PATCH', `${one}/segments/1/move?target=nobody`);
    expect([nobody.status, nobody.headers.get('axoniq-errorcode')]).toEqual([404, 'AXONIQ-2801']);
    expect((await server.send('PATCH', `${one}/segments/x/move?target=a`)).status).toBe(400);
  });

  it('EP-22: strategies, balancing once and balancing from now on', async () => {
    const server = await start();
    expect(await (await server.get('/v1/processors/loadbalance/strategies')).json()).toEqual([
      { name: 'disabled', label: 'Disabled' },
      { name: 'threadNumber', label: 'Thread Number' },
    ]);
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0, 1), free: 0 });
    await ProcessorApp.start(cluster, 'node-2', 'b', { free: 2 });
    expect((await server.send('PATCH', '/v1/processors/orders/loadbalance?strategy=threadNumber')).status).toBe(200);
    expect(a.obeyed).toEqual(['release_segment:1']);
    expect((await server.send('PUT', '/v1/processors/orders/autoloadbalance?strategy=threadNumber')).status).toBe(200);
    const choice = { context: 'default', name: 'orders', tokenStore: null, strategy: 'threadNumber' };
    expect(server.calls).toEqual([['setBalancing', choice]]);
    const odd = await server.send('PUT', '/v1/processors/orders/autoloadbalance?strategy=odd');
    expect([odd.status, odd.headers.get('axoniq-errorcode')]).toEqual([400, 'AXONIQ-2311']);
  });
});
