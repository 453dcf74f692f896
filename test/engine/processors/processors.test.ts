import { afterEach, describe, expect, it } from 'vitest';
import { planBalance } from '../../../engine/messaging/processor-balance.ts';
import { ProcessorBalancer } from '../../../engine/messaging/processor-balancer.ts';
import type { ContextDirectory } from '../../../engine/context/api.ts';
import { errorOf } from '../messaging/applications.ts';
import { MessagingCluster, settle, TestClock, until } from '../messaging/messaging-cluster.ts';
import { type AdminClient, adminOf, half, obeyedBy, ProcessorApp, ref } from './processor-app.ts';

const SUCCESS = { result: 0 };
const ACCEPTED = { result: 1 };

let cluster: MessagingCluster;
afterEach(() => cluster?.stop());

async function start(nodes = ['node-1']): Promise<AdminClient> {
  cluster = await MessagingCluster.start({ nodes });
  return adminOf(cluster, 'node-1');
}

async function failure(work: Promise<unknown>): Promise<ReturnType<typeof errorOf>> {
  return work.then(
    () => {
      throw new Error('succeeded');
    },
    (error: unknown) => errorOf(error),
  );
}

describe('status of event processors', () => {
  it('EP-2, EP-3: clients on several nodes with one token store are one processor; capacity counts claimed segments', async () => {
    const admin = await start(['node-1', 'node-2']);
    await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0), free: 3 });
    await ProcessorApp.start(cluster, 'node-2', 'b', { segments: half(1), free: 0, running: false });
    const found = await admin.stream('GetAllEventProcessors', {});
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ identifier: ref(), mode: 'Pooled Streaming', isStreaming: true });
    const instances = found[0]!.client_instance as unknown as { client_id: string }[];
    expect(instances.sort((x, y) => (x.client_id < y.client_id ? -1 : 1))).toMatchObject([
      {
        client_id: 'a',
        isRunning: true,
        max_capacity: 4,
        claimed_segment: [{ id: 0, one_part_of: 2, claimed_by: 'a' }],
      },
      { client_id: 'b', isRunning: false, max_capacity: 1, claimed_segment: [{ id: 1 }] },
    ]);
  });

  it('EP-2: without a token store identifier every client has a processor of its own; modes that differ are Unknown', async () => {
    const admin = await start();
    await ProcessorApp.start(cluster, 'node-1', 'a', { tokenStore: '' });
    await ProcessorApp.start(cluster, 'node-1', 'b', { tokenStore: '' });
    await ProcessorApp.start(cluster, 'node-1', 'c', { name: 'mixed', mode: 'Tracking', component: 'other' });
    await ProcessorApp.start(cluster, 'node-1', 'd', { name: 'mixed' });
    expect(await admin.stream('GetAllEventProcessors', {})).toHaveLength(3);
    const ofComponent = await admin.stream('GetEventProcessorsByComponent', { component: 'other' });
    expect(ofComponent).toMatchObject([{ mode: 'Unknown', client_instance: [{ client_id: 'c' }] }]);
  });

  it('EP-1: a processor that was not reported for 30 s is forgotten, and so is that of a client that left', async () => {
    const admin = await start();
    const app = await ProcessorApp.start(cluster, 'node-1', 'a');
    await ProcessorApp.start(cluster, 'node-1', 'b');
    cluster.advance(29_000);
    await app.report();
    cluster.advance(2000);
    expect(await admin.stream('GetAllEventProcessors', {})).toMatchObject([{ client_instance: [{ client_id: 'a' }] }]);
    app.stream.call.end();
    await until(() =>
      cluster
        .node('node-1')
        .messaging.clients()
        .every(({ clientId }) => clientId !== 'a'),
    );
    expect(await admin.stream('GetAllEventProcessors', {})).toEqual([]);
  });
});

describe('instructions to event processors', () => {
  it('CT-6, CT-7, EP-14: a client answers the request for its status with the same id, and that is acknowledged', async () => {
    const admin = await start();
    const app = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0) });
    await admin.unary('PauseEventProcessor', ref());
    await until(() => app.refreshed > 0, 'EP-14 refresh');
    const asked = app.stream.received
      .filter((message) => message.request_event_processor_info != null)
      .map((message) => String(message.instruction_id));
    expect(asked).not.toContain('');
    for (const id of asked) expect(await app.stream.ackOf(id)).toMatchObject({ success: true });
  });

  it('EP-10, CT-5: pause and start reach every client of the processor on every node, and no other', async () => {
    const admin = await start(['node-1', 'node-2', 'node-3']);
    const apps = [
      await ProcessorApp.start(cluster, 'node-1', 'a'),
      await ProcessorApp.start(cluster, 'node-2', 'b'),
      await ProcessorApp.start(cluster, 'node-3', 'c'),
    ];
    const stranger = await ProcessorApp.start(cluster, 'node-2', 'd', { tokenStore: 'store-2' });
    expect(await admin.unary('PauseEventProcessor', ref())).toEqual(SUCCESS);
    expect(await admin.unary('StartEventProcessor', ref({ context_name: '' }))).toEqual(SUCCESS);
    for (const app of apps) expect(app.obeyed).toEqual(['pause_event_processor:', 'start_event_processor:']);
    expect(stranger.obeyed).toEqual([]);
    await until(() => apps.every((app) => app.refreshed > 0), 'EP-14 refresh');
  });

  it('EP-20: an unknown processor is NOT_FOUND AXONIQ-2800, also in another context', async () => {
    const admin = await start();
    await ProcessorApp.start(cluster, 'node-1', 'a');
    for (const identifier of [
      ref({ processor_name: 'x' }),
      ref({ context_name: 'other' }),
      ref({ processor_name: '' }),
    ]) {
      const error = await failure(admin.unary('PauseEventProcessor', identifier));
      expect(error).toMatchObject({ code: 5, errorCode: 'AXONIQ-2800' });
    }
  });

  it('EP-11, EP-12: while no client works on a segment a split and a merge are refused, and the text says so', async () => {
    const admin = await start();
    await ProcessorApp.start(cluster, 'node-1', 'a');
    for (const method of ['SplitEventProcessor', 'MergeEventProcessor']) {
      const error = await failure(admin.unary(method, ref()));
      expect(error).toMatchObject({
        errorCode: 'AXONIQ-2800',
        details: expect.stringContaining('No client works on a segment'),
      });
    }
  });

  it('EP-20, CT-5: a client before 4.4 only acknowledges: ACCEPTED', async () => {
    const admin = await start(['node-1', 'node-2']);
    await ProcessorApp.start(cluster, 'node-1', 'a');
    await ProcessorApp.start(cluster, 'node-2', 'b', { version: '4.2', answer: 'ack' });
    expect(await admin.unary('PauseEventProcessor', ref())).toEqual(ACCEPTED);
  });

  it('EP-20, EP-21: the failure of a client comes back with its code; AXONIQ-1004 is INTERNAL, unknown ones CANCELLED', async () => {
    const admin = await start(['node-1', 'node-2']);
    await ProcessorApp.start(cluster, 'node-2', 'a', { answer: 'fail' });
    await ProcessorApp.start(cluster, 'node-1', 'b', { name: 'odd', answer: 'fail', errorCode: 'CLIENT-77' });
    const known = await failure(admin.unary('PauseEventProcessor', ref()));
    expect(known).toMatchObject({ code: 13, errorCode: 'AXONIQ-1004', details: '[AXONIQ-1004] cannot' });
    const odd = await failure(admin.unary('PauseEventProcessor', ref({ processor_name: 'odd' })));
    expect(odd).toMatchObject({ code: 1, errorCode: 'CLIENT-77' });
  });

  it('EP-20: no result in 10 s is DEADLINE_EXCEEDED AXONIQ-11000, an ack of a newer client is none (CT-4)', async () => {
    const admin = await start(['node-1', 'node-2']);
    const app = await ProcessorApp.start(cluster, 'node-2', 'a', { answer: 'ack' });
    const error = failure(admin.unary('PauseEventProcessor', ref()));
    await obeyedBy([app], 'pause_event_processor:');
    await settle();
    cluster.advance(10_001);
    expect(await error).toMatchObject({ code: 4, errorCode: 'AXONIQ-11000' });
  });

  it('EP-20: instruction.result.timeout counts where it is given', async () => {
    cluster = await MessagingCluster.start({ settings: { instructionResultTimeoutMs: 3000 } });
    const admin = adminOf(cluster, 'node-1');
    const app = await ProcessorApp.start(cluster, 'node-1', 'a', { answer: 'ack' });
    const error = failure(admin.unary('PauseEventProcessor', ref()));
    await obeyedBy([app], 'pause_event_processor:');
    await settle();
    cluster.advance(3001);
    expect(await error).toMatchObject({ errorCode: 'AXONIQ-11000', details: expect.stringContaining('3000 ms') });
  });

  it('EP-20: a client that goes meanwhile, or whose node is lost, is AXONIQ-6001', async () => {
    const admin = await start(['node-1', 'node-2']);
    const app = await ProcessorApp.start(cluster, 'node-2', 'a', { answer: null });
    const gone = failure(admin.unary('PauseEventProcessor', ref()));
    await obeyedBy([app], 'pause_event_processor:');
    app.stream.call.cancel();
    expect(await gone).toMatchObject({ code: 5, errorCode: 'AXONIQ-6001' });
    const other = await ProcessorApp.start(cluster, 'node-2', 'b', { answer: null });
    const lost = failure(admin.unary('PauseEventProcessor', ref()));
    await obeyedBy([other], 'pause_event_processor:');
    cluster.network.cut('node-1', 'node-2');
    expect(await lost).toMatchObject({ errorCode: 'AXONIQ-6001' });
  });

  it('EP-1: a node that does not report its clients is left out after its time', async () => {
    const admin = await start(['node-1', 'node-2']);
    await ProcessorApp.start(cluster, 'node-1', 'a');
    cluster.node('node-1').bus.lossy.add('node-2');
    const listed = admin.stream('GetAllEventProcessors', {});
    const waiting = setInterval(() => cluster.advance(500), 5);
    expect(await listed).toHaveLength(1);
    clearInterval(waiting);
    expect(cluster.clock.warnings).toContain('CLIENT_REPORT_LATE');
  });
});

describe('segments', () => {
  it('EP-11: split goes to the owner of the largest segment, among equals to the last reported', async () => {
    const admin = await start(['node-1', 'node-2']);
    const quarter = [{ segment_id: 1, one_part_of: 4 }];
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0) });
    const b = await ProcessorApp.start(cluster, 'node-2', 'b', { segments: quarter });
    expect(await admin.unary('SplitEventProcessor', ref())).toEqual(SUCCESS);
    expect([a.obeyed, b.obeyed]).toEqual([['split_event_processor_segment:0'], []]);
    cluster.advance(100);
    await b.report({ segments: half(1) });
    expect(await admin.unary('SplitEventProcessor', ref())).toEqual(SUCCESS);
    expect(b.obeyed).toEqual(['split_event_processor_segment:1']);
  });

  it('EP-12: merge goes to the owner of the smallest segment after the others let go of its sibling', async () => {
    const admin = await start(['node-1', 'node-2']);
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0) });
    const b = await ProcessorApp.start(cluster, 'node-2', 'b', { segments: [{ segment_id: 3, one_part_of: 4 }] });
    expect(await admin.unary('MergeEventProcessor', ref())).toEqual(SUCCESS);
    await obeyedBy([a], 'release_segment:1');
    expect([a.obeyed, b.obeyed]).toEqual([['release_segment:1'], ['merge_event_processor_segment:3']]);
  });

  it('EP-12, EP-20: a holder of the sibling that cannot let go of it fails the merge', async () => {
    const admin = await start();
    await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0), answer: 'fail' });
    cluster.advance(10);
    const b = await ProcessorApp.start(cluster, 'node-1', 'b', { segments: half(1) });
    expect(await failure(admin.unary('MergeEventProcessor', ref()))).toMatchObject({ errorCode: 'AXONIQ-1004' });
    expect(b.obeyed).toEqual([]);
  });

  it('EP-13: a move makes all but the target release; unknown target 2801, no thread 2802, already there success', async () => {
    const admin = await start(['node-1', 'node-2']);
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0, 1) });
    const b = await ProcessorApp.start(cluster, 'node-2', 'b');
    const full = await ProcessorApp.start(cluster, 'node-2', 'full', { free: 0 });
    const move = (segment: number, target_client_id: string) =>
      admin.unary('MoveEventProcessorSegment', { event_processor: ref(), segment, target_client_id });
    expect(await move(1, 'b')).toEqual(SUCCESS);
    expect([a.obeyed, b.obeyed, full.obeyed]).toEqual([['release_segment:1'], [], ['release_segment:1']]);
    expect(await move(0, 'a')).toEqual(SUCCESS);
    expect(a.obeyed).toHaveLength(1);
    expect(await failure(move(0, 'nobody'))).toMatchObject({ code: 5, errorCode: 'AXONIQ-2801' });
    expect(await failure(move(0, 'full'))).toMatchObject({ code: 5, errorCode: 'AXONIQ-2802' });
  });
});

describe('load balancing', () => {
  it('EP-22: threadNumber evens out segments per thread with the fewest moves', () => {
    const instance = (clientId: string, capacity: number, ...segments: number[]) => ({ clientId, capacity, segments });
    expect(planBalance([instance('a', 4, 0, 1, 2, 3), instance('b', 4)])).toEqual([
      { segment: 3, to: 'b' },
      { segment: 2, to: 'b' },
    ]);
    expect(planBalance([instance('a', 8, 0, 1, 2), instance('b', 2)])).toEqual([]);
    expect(planBalance([instance('a', 2, 0), instance('b', 2, 1)])).toEqual([]);
    expect(planBalance([instance('a', 2, 0, 1), instance('b', 0)])).toEqual([]);
    expect(planBalance([])).toEqual([]);
  });

  it('EP-22: strategies are listed, balancing once moves segments, unknown strategies are refused', async () => {
    const admin = await start(['node-1', 'node-2']);
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0, 1), free: 2 });
    const b = await ProcessorApp.start(cluster, 'node-2', 'b', { free: 4 });
    expect(await admin.stream('GetBalancingStrategies', {})).toEqual([
      { strategy: 'default', label: 'Disabled' },
      { strategy: 'threadNumber', label: 'Thread Number' },
    ]);
    expect(await admin.stream('LoadBalanceProcessor', { processor: ref(), strategy: 'threadNumber' })).toEqual([]);
    expect([a.obeyed, b.obeyed]).toEqual([['release_segment:1'], []]);
    expect(await failure(admin.stream('LoadBalanceProcessor', { processor: ref(), strategy: 'x' }))).toMatchObject({
      code: 3,
      errorCode: 'AXONIQ-2311',
    });
    expect(await admin.stream('SetAutoLoadBalanceStrategy', { processor: ref(), strategy: 'threadNumber' })).toEqual(
      [],
    );
    expect(admin.choices).toEqual([
      { context: 'default', name: 'orders', tokenStore: 'store-1', strategy: 'threadNumber' },
    ]);
  });

  it('EP-22: a processor kept balanced is looked at from time to time by the node that leads its context, and only there', async () => {
    await start();
    const a = await ProcessorApp.start(cluster, 'node-1', 'a', { segments: half(0, 1), free: 2 });
    await ProcessorApp.start(cluster, 'node-1', 'b');
    const balancing = [{ context: 'default', name: 'orders', tokenStore: 'store-1', strategy: 'threadNumber' }];
    const clock = new TestClock();
    let leader = 'node-2';
    const real = cluster.node('node-1').directory;
    const directory = {
      selfNode: real.selfNode,
      leaderOf: () => leader,
      get view() {
        return { ...real.view, balancing };
      },
    } as unknown as ContextDirectory;
    const balancer = new ProcessorBalancer(clock, directory, cluster.node('node-1').messaging.processors);
    const look = (): void => {
      clock.time += 15_000;
      balancer.tick();
    };
    look();
    await settle();
    expect(a.obeyed).toEqual([]);
    leader = 'node-1';
    look();
    await obeyedBy([a], 'release_segment:1');
  });
});
