import { afterEach, describe, expect, it } from 'vitest';
import { Application, type Stream, text, complete, instruction, streaming } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

function app(clientId: string, component = clientId, context = 'default', node = 'node-1'): Application {
  return new Application(cluster, node, clientId, component, context);
}

describe('query handler stream', () => {
  it('QR-1, QR-2: acknowledges subscriptions and spends one permit per query', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { permits: 1 });
    expect(await app('asker').ask('find').results()).toEqual(['handler']);
    const second = app('asker').ask('find');
    await settle();
    expect(stream.of('query')).toHaveLength(1);
    stream.send({ flow_control: { client_id: 'handler', permits: 1 } });
    expect(await second.results()).toEqual(['handler']);
    expect((await handler.unsubscribeQuery(stream, 'unknown')).success).toBe(true);
    expect((await stream.sendAcked({})).success).toBe(false);
  });

  it('QR-1: several result types of one query count as one handler, until the last one is gone', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find']);
    await handler.subscribeQuery(stream, 'find', 'Integer');
    expect(await app('asker').ask('find').results()).toEqual(['handler']);
    await handler.unsubscribeQuery(stream, 'find', 'String');
    expect(await app('asker').ask('find').results()).toEqual(['handler']);
    await handler.unsubscribeQuery(stream, 'find', 'Integer');
    expect(await app('asker').ask('find').results()).toEqual(['AXONIQ-5000']);
  });

  it('QR-3, QR-3a, QR-12: passes any number of results on at once, ends on the first completion, drops what comes later', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').length === 1);
    handler.sendResult(stream, 'q', 'one');
    await until(() => query.received.length === 1);
    expect(query.end).toBeNull();
    handler.sendResult(stream, 'q', 'two');
    complete(stream, 'q');
    complete(stream, 'q');
    handler.sendResult(stream, 'q', 'late');
    expect(await query.results()).toEqual(['one', 'two']);
    expect(await app('asker').ask('missing').results()).toEqual(['AXONIQ-5000']);
  });

  it('QR-4: tells the handler the remaining time and that the server does not stream', async () => {
    cluster = await MessagingCluster.start();
    const stream = await app('handler').handleQueries(['find'], { permits: 0 });
    const fields = { processing_instructions: [{ key: 'TIMEOUT', value: { number_value: '5000' } }] };
    const query = app('asker').ask('find', fields);
    await settle();
    cluster.advance(7);
    stream.send({ flow_control: { client_id: 'handler', permits: 1 } });
    await query.results();
    expect(instruction(stream.of('query')[0], 2)).toBe('4993');
    expect(instruction(stream.of('query')[0], 7)).toBe('false');
  });

  it('QR-3b: the id of a query that a handler is working on is not sent to it again', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    const stream = await app('handler').handleQueries(['find'], { silent: true });
    const first = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').length === 1);
    const second = app('other', 'other', 'default', 'node-2').ask('find', { message_identifier: 'q' });
    expect(await second.results()).toEqual(['AXONIQ-5007']);
    complete(stream, 'q');
    expect(await first.results()).toEqual([]);
    expect(stream.of('query')).toHaveLength(1);
  });
});

describe('query asker', () => {
  it('QR-10: one handler per component, taking turns within it', async () => {
    cluster = await MessagingCluster.start();
    await app('shop-1', 'shop').handleQueries(['find']);
    await app('shop-2', 'shop').handleQueries(['find']);
    await app('stock-1', 'stock').handleQueries(['find']);
    const asker = app('asker');
    const first = (await asker.ask('find').results()).sort();
    const second = (await asker.ask('find').results()).sort();
    expect([first, second].sort()).toEqual([
      ['shop-1', 'stock-1'],
      ['shop-2', 'stock-1'],
    ]);
  });

  it('QR-11: tags decide before the turns', async () => {
    cluster = await MessagingCluster.start();
    const west = app('west', 'shop');
    await west.register('4.6', { region: 'west' });
    await west.handleQueries(['find']);
    await app('east', 'shop').handleQueries(['find']);
    for (let i = 0; i < 3; i += 1) {
      expect(
        await app('asker')
          .ask('find', { meta_data: { region: text('west') } })
          .results(),
      ).toEqual(['west']);
    }
  });

  it('QR-13: a success after a failure hides it; when all fail exactly one error comes', async () => {
    cluster = await MessagingCluster.start();
    const a = app('a');
    const b = app('b');
    const streamA = await a.handleQueries(['find'], { silent: true });
    const streamB = await b.handleQueries(['find'], { silent: true });
    const ask = async (id: string) => {
      const query = app('asker').ask('find', { message_identifier: id });
      const has = (stream: Stream) => stream.of('query').some((sent) => String(sent.message_identifier) === id);
      await until(() => has(streamA) && has(streamB));
      a.sendResult(streamA, id, 'broken', 'AXONIQ-5001');
      complete(streamA, id);
      await settle();
      return query;
    };
    const hidden = await ask('q-1');
    b.sendResult(streamB, 'q-1', 'fine');
    complete(streamB, 'q-1');
    expect(await hidden.results()).toEqual(['fine']);
    const allFail = await ask('q-2');
    expect(allFail.received).toHaveLength(0);
    b.sendResult(streamB, 'q-2', 'broken too', 'AXONIQ-5003');
    complete(streamB, 'q-2');
    expect(await allFail.results()).toEqual(['AXONIQ-5003']);
  });

  it('QR-14: NR_OF_RESULTS does not limit the results', async () => {
    cluster = await MessagingCluster.start();
    await app('a').handleQueries(['find']);
    await app('b').handleQueries(['find']);
    const one = { processing_instructions: [{ key: 'NR_OF_RESULTS', value: { number_value: '1' } }] };
    expect((await app('asker').ask('find', one).results()).sort()).toEqual(['a', 'b']);
  });

  it('QR-15: no handler gives one response AXONIQ-5000, then OK', async () => {
    cluster = await MessagingCluster.start();
    const query = app('asker').ask('find', { message_identifier: 'q' });
    expect(await query.results()).toEqual(['AXONIQ-5000']);
    expect(query.received[0]).toMatchObject({
      request_identifier: 'q',
      error_message: { message: 'No handler for query: find' },
    });
  });

  it('QR-16: a lost handler is told at once, while others still answer', async () => {
    cluster = await MessagingCluster.start();
    const lost = await app('lost').handleQueries(['find'], { silent: true });
    const other = app('other');
    const stream = await other.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => lost.of('query').length === 1 && stream.of('query').length === 1);
    lost.call.cancel();
    await until(() => query.received.length === 1);
    expect(String(query.received[0]?.error_message?.message)).toMatch(/^Connection to handler lost\..+ lost$/);
    other.sendResult(stream, 'q', 'still here');
    complete(stream, 'q');
    expect(await query.results()).toEqual(['AXONIQ-4001', 'still here']);
  });

  it('QR-17: a second query with the id of one in progress gets AXONIQ-5007', async () => {
    cluster = await MessagingCluster.start();
    const stream = await app('handler').handleQueries(['find'], { silent: true });
    const first = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').length === 1);
    const second = app('asker').ask('find', { message_identifier: 'q' });
    expect(await second.results()).toEqual(['AXONIQ-5007']);
    expect(second.received[0]).toMatchObject({ error_message: { message: 'Query with supplied ID already present' } });
    complete(stream, 'q');
    expect(await first.results()).toEqual([]);
  });

  it('QR-18: a query that waited longer than its TIMEOUT fails with AXONIQ-5006; one that was sent goes on', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { permits: 1, silent: true });
    const sent = app('asker').ask('find', { message_identifier: 'sent' });
    await until(() => stream.of('query').length === 1);
    const waiting = app('asker').ask('find', { message_identifier: 'waiting' });
    await settle();
    cluster.advance(5003);
    expect(await waiting.results()).toEqual(['AXONIQ-5006']);
    expect(waiting.received[0]).toMatchObject({ error_message: { message: 'Timeout for message: waiting - -3ms' } });
    handler.sendResult(stream, 'sent', 'slow');
    complete(stream, 'sent');
    expect(await sent.results()).toEqual(['slow']);
  });

  it('QR-18: a query without an answer is given up after 300 s, a streaming one is not', async () => {
    cluster = await MessagingCluster.start();
    const stream = await app('handler').handleQueries(['find'], { silent: true });
    const plain = app('asker').ask('find');
    const endless = app('asker').ask('find', streaming);
    await until(() => stream.of('query').length === 2);
    cluster.advance(300_001);
    expect(await plain.results()).toEqual(['AXONIQ-5006']);
    expect(endless.end).toBeNull();
    await until(() => stream.of('query_cancel').length === 1);
  });

  it('QR-19: when the asker cancels, the handler is told and late responses are dropped', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    const query = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').length === 1);
    query.call.cancel();
    await until(() => stream.of('query_cancel').length === 1);
    expect(stream.of('query_cancel')[0]).toMatchObject({ request_id: 'q' });
    handler.sendResult(stream, 'q', 'late');
    complete(stream, 'q');
    const again = app('asker').ask('find', { message_identifier: 'q' });
    await until(() => stream.of('query').length === 2);
    complete(stream, 'q');
    expect(await again.results()).toEqual([]);
  });

  it('QR-20: priorities order the queue, and a full one answers AXONIQ-1900', async () => {
    cluster = await MessagingCluster.start({ settings: { queryQueueCapacityPerClient: 2 } });
    const stream = await app('handler').handleQueries(['find'], { permits: 0 });
    const asker = app('asker');
    const low = asker.ask('find', { message_identifier: 'low' });
    await settle();
    const high = asker.ask('find', {
      message_identifier: 'high',
      processing_instructions: [{ key: 'PRIORITY', value: { number_value: '9' } }],
    });
    await settle();
    expect(await asker.ask('find').results()).toEqual(['AXONIQ-1900']);
    stream.send({ flow_control: { client_id: 'handler', permits: 9 } });
    await Promise.all([low.results(), high.results()]);
    expect(stream.of('query').map((query) => String(query.message_identifier))).toEqual(['high', 'low']);
  });

  it('QR-21: the client id in a query is never used to find who asked: answers go to the call that asked', async () => {
    cluster = await MessagingCluster.start();
    const handler = app('handler');
    const stream = await handler.handleQueries(['find'], { silent: true });
    // Somebody is registered under the name that both askers claim to have.
    const known = await app('shop').register();
    const calls = ['q-1', 'q-2'].map((id) => app(id).ask('find', { message_identifier: id, client_id: 'shop' }));
    await until(() => stream.of('query').length === 2);
    expect(stream.of('query').map((query) => String(query.client_id))).toEqual(['shop', 'shop']);
    known.call.cancel();
    await until(() => known.end !== null);
    for (const id of ['q-2', 'q-1']) {
      handler.sendResult(stream, id, `for ${id}`);
      complete(stream, id);
    }
    expect(await Promise.all(calls.map((call) => call.results()))).toEqual([['for q-1'], ['for q-2']]);
  });

  it('S7: queries of another context are not seen; unknown contexts are NOT_FOUND', async () => {
    cluster = await MessagingCluster.start();
    cluster.setContext('other', { 'node-1': 'PRIMARY' });
    await app('handler').handleQueries(['find']);
    expect(await app('asker', 'asker', 'other').ask('find').results()).toEqual(['AXONIQ-5000']);
    const unknown = app('asker', 'asker', 'nowhere').ask('find');
    await until(() => unknown.end !== null);
    expect(unknown.end).toMatchObject({ code: 5, errorCode: 'AXONIQ-1302' });
  });
});
