import { afterEach, describe, expect, it } from 'vitest';
import { Application, type Stream, complete, instruction, streaming } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

function app(clientId: string, component = clientId, context = 'default', node = 'node-1'): Application {
  return new Application(cluster, node, clientId, component, context);
}

describe('streaming queries', () => {
  it('QR-30, QR-31: the handler gets 32 permits and more as results are taken', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q', ...streaming });
    await until(() => stream.of('query_flow_control').length === 1);
    expect(instruction(stream.of('query')[0], 7)).toBe('true');
    const first = { query_reference: { request_id: 'q' }, permits: '32' };
    expect(stream.of('query_flow_control')[0]).toMatchObject(first);
    for (let i = 0; i < 32; i += 1) handler.sendResult(stream, 'q', `r${i}`);
    await until(() => stream.of('query_flow_control').length === 2);
    expect(stream.of('query_flow_control')[1]).toMatchObject({ ...first, permits: '24' });
    complete(stream, 'q');
    expect(await query.results()).toHaveLength(32);
  });

  it('QR-31: permits follow the demand of the asker', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q', ...streaming });
    query.call.pause();
    let granted = 0;
    let sent = 0;
    const chunk = 'x'.repeat(100_000);
    stream.onMessage((message) => {
      if (message.query_flow_control != null) granted += Number(message.query_flow_control.permits);
      while (sent < granted) {
        sent += 1;
        handler.sendResult(stream, 'q', chunk);
      }
    });
    await until(() => sent >= 32);
    await settle(300);
    const whilePaused = sent;
    expect(whilePaused).toBeLessThan(1000);
    query.call.resume();
    await until(() => sent > whilePaused + 50, 'more after resume');
    query.call.cancel();
    await until(() => stream.of('query_cancel').length === 1); // QR-34
  });

  it('QR-32: the first handler that responds wins, the others are cancelled', async () => {
    cluster = await MessagingCluster.start();
    const a = app('a');
    const streamA = await a.handleQueries(['find'], { silent: true });
    const b = app('b');
    const streamB = await b.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q', ...streaming });
    await until(() => streamA.of('query').length === 1 && streamB.of('query').length === 1);
    b.sendResult(streamB, 'q', 'from b');
    await until(() => streamA.of('query_cancel').length === 1);
    a.sendResult(streamA, 'q', 'from a');
    complete(streamA, 'q');
    b.sendResult(streamB, 'q', 'more from b');
    complete(streamB, 'q');
    expect(await query.results()).toEqual(['from b', 'more from b']);
    expect(streamB.of('query_cancel')).toHaveLength(0);
  });

  it('QR-35: an error in the middle comes after the results that were sent', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q', ...streaming });
    await until(() => stream.of('query').length === 1);
    handler.sendResult(stream, 'q', 'one');
    handler.sendResult(stream, 'q', 'broken', 'AXONIQ-5001');
    complete(stream, 'q');
    expect(await query.results()).toEqual(['one', 'AXONIQ-5001']);
  });

  it('QR-33: a handler that ignores permits is buffered up to a limit, then the call ends with AXONIQ-1900', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q', ...streaming });
    query.call.pause();
    await until(() => stream.of('query').length === 1);
    const chunk = 'x'.repeat(1_000_000);
    for (let i = 0; i < 60; i += 1) handler.sendResult(stream, 'q', chunk);
    await until(() => stream.of('query_cancel').length === 1, 'cancel');
    query.call.resume();
    await until(() => query.end !== null);
    expect(query.end).toMatchObject({ code: 8, errorCode: 'AXONIQ-1900' });
  });
});

describe('queries across nodes', () => {
  const nodes = ['node-1', 'node-2', 'node-3'];
  const at = (node: string, clientId: string, component = clientId) => app(clientId, component, 'default', node);

  async function known(asker: Application, answers: number): Promise<void> {
    for (;;) {
      const results = await asker.ask('find').results();
      if (results.length === answers && !results.includes('AXONIQ-5000')) return;
    }
  }

  it('QR-10, DP-6: scatters over the components of all nodes and gathers their results', async () => {
    cluster = await MessagingCluster.start({ nodes });
    for (const node of nodes) await at(node, `handler-${node}`).handleQueries(['find']);
    const asker = at('node-3', 'asker');
    await known(asker, 3);
    expect((await asker.ask('find').results()).sort()).toEqual(nodes.map((node) => `handler-${node}`));
  });

  it('QR-16, DP-13: a lost link counts as a lost handler, the rest goes on', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const far = await at('node-1', 'far').handleQueries(['find']);
    const near = at('node-3', 'near');
    const nearStream = await near.handleQueries(['find']);
    const asker = at('node-3', 'asker');
    await known(asker, 2);
    far.onMessage(() => undefined);
    nearStream.onMessage(() => undefined);
    const query = asker.ask('find', { message_identifier: 'q' });
    const has = (stream: Stream) => stream.of('query').some((sent) => String(sent.message_identifier) === 'q');
    await until(() => has(far) && has(nearStream));
    cluster.network.cut('node-1', 'node-3');
    await until(() => query.received.length === 1);
    near.sendResult(nearStream, 'q', 'near');
    complete(nearStream, 'q');
    expect(await query.results()).toEqual(['AXONIQ-4001', 'near']);
    await until(() => far.of('query_cancel').length === 1); // nobody waits there any more
  });

  it('QR-4, QR-18: waiting time counts across nodes', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const stream = await at('node-1', 'handler').handleQueries(['find'], { permits: 1 });
    const asker = at('node-2', 'asker');
    await known(asker, 1);
    const query = asker.ask('find', { message_identifier: 'q' });
    await settle();
    expect(stream.of('query').filter((sent) => String(sent.message_identifier) === 'q')).toHaveLength(0);
    cluster.advance(5001);
    expect(await query.results()).toEqual(['AXONIQ-5006']);
  });

  it('QR-30, QR-34: streaming, permits and cancellation work across nodes', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = at('node-1', 'handler');
    const stream = await handler.handleQueries(['find']);
    const asker = at('node-2', 'asker');
    await known(asker, 1);
    stream.onMessage(() => undefined);
    const query = asker.ask('find', { message_identifier: 'q', ...streaming });
    await until(() => stream.of('query_flow_control').length === 1);
    for (let i = 0; i < 30; i += 1) handler.sendResult(stream, 'q', `r${i}`);
    await until(() => stream.of('query_flow_control').length === 2);
    expect(query.received.length).toBeGreaterThanOrEqual(24);
    query.call.cancel();
    await until(() => stream.of('query_cancel').length === 1);
  });

  it('QR-16: a handler that leaves another node is told at once', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const stream = await at('node-1', 'handler').handleQueries(['find']);
    const asker = at('node-2', 'asker');
    await known(asker, 1);
    stream.onMessage(() => undefined);
    const query = asker.ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').some((sent) => String(sent.message_identifier) === 'q'));
    stream.call.end();
    expect(await query.results()).toEqual(['AXONIQ-4001']);
  });
});
