import { afterEach, describe, expect, it } from 'vitest';
import { Application, type Message, nextId, type Stream } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

function app(clientId: string, component = clientId, node = 'node-1', context = 'default'): Application {
  return new Application(cluster, node, clientId, component, context);
}

const subscriptionQuery = (id: string) => ({
  subscription_identifier: id,
  query_request: { message_identifier: id, query: 'find', payload: { type: 'Find', data: Buffer.from('x') } },
});

/** As the Java connector does it: permits first, without identifier. */
function subscribe(asker: Application, id: string, permits = 10): Stream {
  const call = asker.subscription();
  call.send({ flow_control: { number_of_permits: String(permits) } });
  call.send({ subscribe: subscriptionQuery(id) });
  return call;
}

/** What the handler was told, as `subscribe <id>` and so on. */
function told(handler: Stream): string[] {
  return handler.of('subscription_query_request').map((request) => {
    const arm = String(request.request);
    return `${arm} ${request[arm]?.subscription_identifier}`;
  });
}

function respond(handler: Stream, id: string, response: object): void {
  handler.send({
    subscription_query_response: { message_identifier: nextId('m'), subscription_identifier: id, ...response },
  });
}

function update(handler: Stream, id: string, data: string, clientId = 'handler'): void {
  respond(handler, id, {
    update: { message_identifier: nextId('u'), payload: { type: 'S', data: Buffer.from(data) }, client_id: clientId },
  });
}

function initial(handler: Stream, id: string, data: string): void {
  const payload = { type: 'S', data: Buffer.from(data) };
  respond(handler, id, { initial_result: { message_identifier: nextId('r'), request_identifier: id, payload } });
}

/** `update 1`, `initial_result 2`, `complete` … as the asker got them. */
function got(call: Stream): string[] {
  return call.received.map((message: Message) => {
    const arm = String(message.response);
    const data = message[arm]?.payload?.data;
    return data == null ? arm : `${arm} ${data}`;
  });
}

describe('subscription query', () => {
  it('SQ-1, SQ-2: every instance of every component is told, and so are handlers that come later', async () => {
    cluster = await MessagingCluster.start();
    const one = await app('shop-1', 'shop').handleQueries(['find'], { permits: 0 });
    const two = await app('shop-2', 'shop').handleQueries(['find'], { permits: 0 });
    const other = await app('stock', 'stock').handleQueries(['other'], { permits: 0 });
    subscribe(app('asker'), 's-1');
    await until(() => told(one).length === 1 && told(two).length === 1);
    expect(told(one)).toEqual(['subscribe s-1']);
    expect(one.of('subscription_query_request')[0]?.subscribe).toMatchObject(subscriptionQuery('s-1'));
    const late = await app('late', 'late').handleQueries(['find']);
    await until(() => told(late).length === 1);
    expect(told(other)).toEqual([]);
  });

  it('SQ-3: the initial result comes from one handler per component', async () => {
    cluster = await MessagingCluster.start();
    const one = await app('shop-1', 'shop').handleQueries(['find']);
    const two = await app('shop-2', 'shop').handleQueries(['find']);
    const stock = await app('stock', 'stock').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    await until(() => told(stock).length === 2 && told(one).length + told(two).length === 3);
    expect(told(stock)).toEqual(['subscribe s-1', 'get_initial_result s-1']);
    const asked = told(one).length === 2 ? one : two;
    initial(asked, 's-1', 'shop');
    initial(stock, 's-1', 'stock');
    await until(() => call.received.length === 2);
    expect(got(call).sort()).toEqual(['initial_result shop', 'initial_result stock']);
  });

  it('SQ-4, SQ-7: updates and completions are passed on; after a completion updates of others still come', async () => {
    cluster = await MessagingCluster.start();
    const one = await app('one').handleQueries(['find']);
    const two = await app('two').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    await until(() => told(one).length === 1 && told(two).length === 1);
    update(one, 's-1', 'a');
    await until(() => call.received.length === 1);
    respond(one, 's-1', { complete: { client_id: 'one' } });
    await until(() => call.received.length === 2);
    update(two, 's-1', 'b');
    await until(() => call.received.length === 3);
    respond(two, 's-1', { complete_exceptionally: { client_id: 'two', error_code: 'AXONIQ-5001' } });
    await until(() => call.received.length === 4);
    expect(got(call)).toEqual(['update a', 'complete', 'update b', 'complete_exceptionally']);
    expect(call.end).toBeNull();
  });

  it('SQ-6: 256 permits as Axon Framework asks for, then refills of 32: every update arrives, in order', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1', 256);
    await until(() => told(handler).length === 1);
    for (let n = 0; n < 256; n += 1) {
      update(handler, 's-1', String(n));
      // The framework refills when an eighth is used.
      if (n % 32 === 31) {
        await until(() => call.received.length === n + 1);
        call.send({ flow_control: { subscription_identifier: 's-1', number_of_permits: '32' } });
      }
    }
    for (let n = 256; n < 512; n += 1) update(handler, 's-1', String(n));
    await until(() => call.received.length === 512);
    expect(got(call)).toEqual(Array.from({ length: 512 }, (_, n) => `update ${n}`));
    expect(call.end).toBeNull();
  });

  it('SQ-5: every response takes a permit; without one the call fails and handlers are told', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = app('asker').subscription();
    call.send({ flow_control: { number_of_permits: '1' } });
    call.send({ subscribe: { ...subscriptionQuery('s-1'), number_of_permits: '50' } }); // not counted
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    await until(() => told(handler).length === 2);
    initial(handler, 's-1', '0');
    await until(() => call.received.length === 1);
    call.send({ flow_control: { number_of_permits: '1' } });
    await settle();
    update(handler, 's-1', '1');
    update(handler, 's-1', '2');
    expect(await call.ended()).toEqual({ code: 1, details: 'Zero remaining permits', errorCode: 'AXONIQ-0001' });
    expect(got(call)).toEqual(['initial_result 0', 'update 1']);
    await until(() => told(handler).includes('unsubscribe s-1'));
  });

  it('SQ-8, SQ-9: unsubscribe tells the handlers and keeps the call; half-close completes it', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    await until(() => told(handler).length === 1);
    call.send({ unsubscribe: { subscription_identifier: 's-1' } });
    await until(() => told(handler).length === 2);
    expect(told(handler)[1]).toBe('unsubscribe s-1');
    expect(call.end).toBeNull();
    call.call.end();
    expect((await call.ended()).code).toBe(0);
    const again = subscribe(app('asker'), 's-2');
    await until(() => told(handler).length === 3);
    again.call.end();
    expect((await again.ended()).code).toBe(0);
    await until(() => told(handler).length === 4);
    expect(told(handler).slice(2)).toEqual(['subscribe s-2', 'unsubscribe s-2']);
  });

  it('SQ-9, SQ-15: a cancelled or lost asker is taken off the handlers', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    await until(() => told(handler).length === 1);
    call.call.cancel();
    await until(() => told(handler).includes('unsubscribe s-1'));
  });

  it('SQ-10: without a handler the call fails with the word AXONIQ-5000', async () => {
    cluster = await MessagingCluster.start();
    const expected = { code: 1, details: 'AXONIQ-5000', errorCode: 'AXONIQ-0001' };
    expect(await subscribe(app('asker'), 's-1').ended()).toEqual(expected);
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-2');
    await until(() => told(handler).length === 1);
    handler.call.end();
    await handler.ended();
    call.send({ get_initial_result: subscriptionQuery('s-2') });
    expect(await call.ended()).toEqual(expected);
  });

  it('SQ-11: an initial result cannot be asked before the subscription', async () => {
    cluster = await MessagingCluster.start();
    await app('handler').handleQueries(['find']);
    const call = app('asker').subscription();
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    const details = 'Initial result asked before subscription';
    expect(await call.ended()).toEqual({ code: 1, details, errorCode: 'AXONIQ-0001' });
  });

  it('SQ-12: an update for an unknown subscription is answered with unsubscribe', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    update(handler, 'gone', 'x');
    await until(() => told(handler).length === 1);
    expect(told(handler)).toEqual(['unsubscribe gone']);
  });

  it('SQ-13: two askers may use the same id; the handler hears the end when the last one goes', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const first = subscribe(app('first'), 'same');
    await until(() => told(handler).length === 1);
    const second = subscribe(app('second'), 'same');
    await settle();
    update(handler, 'same', 'a');
    await until(() => first.received.length === 1 && second.received.length === 1);
    first.call.cancel();
    await settle();
    expect(told(handler)).toEqual(['subscribe same']);
    second.call.cancel();
    await until(() => told(handler).length === 2);
  });

  it('SQ-14: the asker is told when the handler that owes the initial result is lost', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    await until(() => told(handler).length === 2);
    handler.call.cancel();
    await until(() => call.received.length === 1);
    expect(call.received[0]).toMatchObject({
      subscription_identifier: 's-1',
      initial_result: { request_identifier: 's-1', error_code: 'AXONIQ-4001' },
    });
    expect(call.end).toBeNull();
  });

  it('SQ-16: end markers of clients are not passed on', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleQueries(['find']);
    const call = subscribe(app('asker'), 's-1');
    await until(() => told(handler).length === 1);
    update(handler, 's-1', 'end', '__terminal__');
    respond(handler, 's-1', { initial_result: { request_identifier: 's-1', error_code: '__TERMINAL__' } });
    update(handler, 's-1', 'real');
    await until(() => call.received.length > 0);
    expect(got(call)).toEqual(['update real']);
  });

  it('S7: handlers of another context are not told', async () => {
    cluster = await MessagingCluster.start();
    cluster.setContext('other', { 'node-1': 'PRIMARY' });
    await app('handler', 'handler', 'node-1', 'other').handleQueries(['find']);
    expect((await subscribe(app('asker'), 's-1').ended()).details).toBe('AXONIQ-5000');
  });
});

describe('subscription query across nodes', () => {
  const nodes = ['node-1', 'node-2', 'node-3'];

  /** Subscribes again until the asking node knows a handler. */
  async function subscribeKnown(asker: Application, id: string): Promise<Stream> {
    for (;;) {
      const call = subscribe(asker, id);
      call.send({ unsubscribe: { subscription_identifier: id } });
      call.call.end();
      if ((await call.ended()).code === 0) return subscribe(asker, id);
    }
  }

  it('SQ-2, SQ-4, DP-6: handlers on all nodes are told and their updates flow back', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const one = await app('one', 'one', 'node-1').handleQueries(['find']);
    const two = await app('two', 'two', 'node-2').handleQueries(['find']);
    const call = await subscribeKnown(app('asker', 'asker', 'node-3'), 's-1');
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    await until(() => told(one).includes('get_initial_result s-1') && told(two).includes('get_initial_result s-1'));
    initial(one, 's-1', 'one');
    initial(two, 's-1', 'two');
    update(two, 's-1', 'u');
    await until(() => call.received.length === 3);
    expect(got(call).sort()).toEqual(['initial_result one', 'initial_result two', 'update u']);
    const late = await app('late', 'late', 'node-2').handleQueries(['find']);
    await until(() => told(late).length === 1);
    call.send({ unsubscribe: { subscription_identifier: 's-1' } });
    await until(() => [one, two, late].every((handler) => told(handler).at(-1) === 'unsubscribe s-1'));
  });

  it('SQ-15, DP-13: a lost link takes the asker off the handlers beyond it, and a healed one brings it back', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = await app('handler', 'handler', 'node-1').handleQueries(['find']);
    const near = await app('near', 'near', 'node-3').handleQueries(['find']);
    const call = await subscribeKnown(app('asker', 'asker', 'node-3'), 's-1');
    await until(() => told(handler).at(-1) === 'subscribe s-1' && told(near).at(-1) === 'subscribe s-1');
    cluster.network.cut('node-1', 'node-3');
    await until(() => told(handler).at(-1) === 'unsubscribe s-1');
    update(near, 's-1', 'still here');
    await until(() => got(call).includes('update still here'));
    cluster.network.connect('node-1', 'node-3');
    await until(() => told(handler).at(-1) === 'subscribe s-1');
    update(handler, 's-1', 'back');
    await until(() => got(call).includes('update back'));
  });

  it('SQ-14: an initial result owed by a lost node is answered with AXONIQ-4001', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = await app('handler', 'handler', 'node-1').handleQueries(['find']);
    const call = await subscribeKnown(app('asker', 'asker', 'node-2'), 's-1');
    call.send({ get_initial_result: subscriptionQuery('s-1') });
    await until(() => told(handler).at(-1) === 'get_initial_result s-1');
    cluster.network.cut('node-1', 'node-2');
    await until(() => call.received.length === 1);
    expect(call.received[0]).toMatchObject({ initial_result: { error_code: 'AXONIQ-4001' } });
  });

  it('SQ-9, SQ-15: a cancelled asker is taken off handlers on other nodes', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = await app('handler', 'handler', 'node-1').handleQueries(['find']);
    const call = await subscribeKnown(app('asker', 'asker', 'node-2'), 's-1');
    await until(() => told(handler).at(-1) === 'subscribe s-1');
    call.call.cancel();
    await until(() => told(handler).at(-1) === 'unsubscribe s-1');
  });
});
