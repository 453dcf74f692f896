import { afterEach, describe, expect, it } from 'vitest';
import { Application, nextId, resultOf, text } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

async function app(clientId: string, component = clientId, context = 'default'): Promise<Application> {
  return new Application(cluster, 'node-1', clientId, component, context);
}

describe('command handler stream', () => {
  it('CM-1, CM-2, CM-5: takes subscriptions and permits in any order, acknowledges, and queues without permits', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = handler.commandStream();
    stream.onMessage((message) => {
      if (message.command != null) stream.send({ command_response: handler.answerTo(message.command) });
    });
    const ack = await handler.subscribeCommand(stream, 'Create');
    expect(ack.success).toBe(true);
    const answer = (await app('asker')).dispatch('Create');
    await settle();
    expect(stream.of('command')).toHaveLength(0);
    stream.send({ flow_control: { client_id: 'handler', permits: 1 } });
    expect(resultOf(await answer)).toBe('handler');
    const second = (await app('asker')).dispatch('Create');
    await settle();
    expect(stream.of('command')).toHaveLength(1); // the permit is used up
    expect(
      cluster
        .node('node-1')
        .messaging.clients()
        .find((one) => one.clientId === 'handler')?.commandPermits,
    ).toBe(0);
    stream.send({ flow_control: { client_id: 'handler', permits: 3 } });
    expect(resultOf(await second)).toBe('handler');
    expect(
      cluster
        .node('node-1')
        .messaging.clients()
        .find((one) => one.clientId === 'handler'),
    ).toMatchObject({
      commandPermits: 2,
    });
  });

  it('CM-2: sends no ack without an instruction id, and a repeated subscription replaces the first', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create']);
    stream.send({ subscribe: { command: 'Create', component_name: 'handler', client_id: 'handler', load_factor: 7 } });
    await handler.subscribeCommand(stream, 'Other');
    expect(stream.of('ack')).toHaveLength(2);
    expect(cluster.node('node-1').messaging.clients()[0]?.commands).toEqual(['Create', 'Other']);
    expect(resultOf(await (await app('asker')).dispatch('Create'))).toBe('handler');
  });

  it('CM-3: acknowledges unsubscriptions, also unknown ones, and sends no command of that name afterwards', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create', 'Keep'], { permits: 0 });
    const asker = await app('asker');
    const queued = asker.dispatch('Create');
    await settle();
    expect((await handler.unsubscribeCommand(stream, 'Create')).success).toBe(true);
    expect((await handler.unsubscribeCommand(stream, 'Unknown')).success).toBe(true);
    expect(resultOf(await queued)).toBe('AXONIQ-4000');
    expect(resultOf(await asker.dispatch('Create'))).toBe('AXONIQ-4000');
    stream.send({ flow_control: { client_id: 'handler', permits: 5 } });
    expect(resultOf(await asker.dispatch('Keep'))).toBe('handler');
  });

  it('CM-3: accepts answers to commands sent before the unsubscription', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    const answer = (await app('asker')).dispatch('Create');
    await until(() => stream.of('command').length === 1);
    await handler.unsubscribeCommand(stream, 'Create');
    stream.send({ command_response: handler.answerTo(stream.of('command')[0]!) });
    expect(resultOf(await answer)).toBe('handler');
  });

  it('CM-4: an unknown instruction with an id gets a negative ack AXONIQ-1002', async () => {
    cluster = await MessagingCluster.start();
    const stream = (await app('handler')).commandStream();
    const ack = await stream.sendAcked({});
    expect(ack).toMatchObject({
      success: false,
      error: { error_code: 'AXONIQ-1002', location: 'node-1', details: ['Unsupported instruction'] },
    });
  });

  it('CM-7, CM-10: passes the command and its response on unchanged', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    const command = {
      message_identifier: nextId('command'),
      timestamp: '1234567890123',
      payload: { type: 'app.Create', revision: '2', data: Buffer.from([0, 1, 255]) },
      meta_data: { user: text('ann'), count: { number_value: '-3' }, flag: { boolean_value: true } },
      processing_instructions: [
        { key: 0, value: text('a') },
        { key: 1, value: { number_value: '2' } },
      ],
      client_id: 'asker',
      component_name: 'shop',
    };
    const answer = (await app('asker')).dispatch('Create', command);
    await until(() => stream.of('command').length === 1);
    expect(stream.of('command')[0]!).toMatchObject({ ...command, name: 'Create' });
    const response = {
      message_identifier: 'r-1',
      request_identifier: command.message_identifier,
      error_code: 'AXONIQ-4002',
      error_message: { message: 'no', location: 'handler', details: ['a', 'b'] },
      payload: { type: 'Problem', revision: '', data: Buffer.from('x') },
      meta_data: { trace: text('1') },
    };
    stream.send({ command_response: response });
    expect(await answer).toMatchObject(response);
  });

  it('CM-18: codes that handlers choose arrive as they are, and say nothing about the handler', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    for (const [round, code] of ['AXONIQ-4002', 'AXONIQ-4003', 'AXONIQ-4004', 'AXONIQ-4005', 'AXONIQ-4000'].entries()) {
      const answer = (await app('asker')).dispatch('Create');
      await until(() => stream.of('command').length === round + 1);
      const request_identifier = stream.of('command')[round]!.message_identifier;
      const error_message = { message: `${code} of the handler`, location: 'handler', details: [] };
      stream.send({
        command_response: { message_identifier: code, request_identifier, error_code: code, error_message },
      });
      expect(await answer).toMatchObject({ message_identifier: code, error_code: code, error_message });
    }
    // It is still there, after all of them.
    expect(cluster.node('node-1').messaging.clients()[0]?.commands).toEqual(['Create']);
  });

  it('CM-8, CM-16, CM-17: a half-close fails what was sent, re-routes what was queued, and completes the stream', async () => {
    cluster = await MessagingCluster.start();
    const leaving = await app('leaving', 'shop');
    const stream = await leaving.handleCommands(['Create'], { silent: true, permits: 1 });
    const asker = await app('asker');
    const sent = asker.dispatch('Create');
    await until(() => stream.of('command').length === 1);
    const queued = asker.dispatch('Create');
    await settle();
    await (await app('staying', 'shop')).handleCommands(['Create']);
    stream.call.end();
    expect((await stream.ended()).code).toBe(0);
    const lost = await sent;
    expect(lost).toMatchObject({
      error_code: 'AXONIQ-4001',
      error_message: { message: 'Connection lost while executing command on: leaving' },
    });
    expect(resultOf(await queued)).toBe('staying');
    expect(resultOf(await asker.dispatch('Create'))).toBe('staying');
  });

  it('CM-8: a broken connection counts like a half-close', async () => {
    cluster = await MessagingCluster.start();
    const stream = await (await app('handler')).handleCommands(['Create'], { silent: true });
    const answer = (await app('asker')).dispatch('Create');
    await until(() => stream.of('command').length === 1);
    stream.call.cancel();
    expect(resultOf(await answer)).toBe('AXONIQ-4001');
    expect(cluster.node('node-1').messaging.clients()).toEqual([]);
  });

  it('CM-9: acknowledges responses that carry an id, and drops those nobody waits for', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create']);
    const ack = await stream.sendAcked({ command_response: { request_identifier: 'unknown' } });
    expect(ack.success).toBe(true);
    expect(resultOf(await (await app('asker')).dispatch('Create'))).toBe('handler');
  });

  it('rejects malformed bytes and names without stopping the node', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = handler.commandStream();
    expect(await handler.subscribeCommand(stream, '')).toMatchObject({
      success: false,
      error: { error_code: 'AXONIQ-1003' },
    });
    await handler.subscribeCommand(stream, 'Create');
    const answers: Uint8Array[] = [];
    const { messaging } = cluster.node('node-1');
    expect(() => messaging.dispatchCommand('default', Buffer.from([0xff, 0xff]), (a) => answers.push(a))).toThrow();
    expect(answers).toEqual([]);
  });
});

describe('command dispatch', () => {
  it('CM-11, CM-12: no handler gives AXONIQ-4000 at once in a server-made response', async () => {
    cluster = await MessagingCluster.start();
    const response = await (await app('asker')).dispatch('Create', { message_identifier: 'c-1' });
    expect(response).toMatchObject({
      request_identifier: 'c-1',
      error_code: 'AXONIQ-4000',
      error_message: { message: 'No Handler for command: Create', location: 'AxonServer' },
    });
    expect(response.message_identifier).not.toBe('');
  });

  it('CM-13: a second command with the id of one in progress gets AXONIQ-4005, the first goes on', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    const asker = await app('asker');
    const first = asker.dispatch('Create', { message_identifier: 'same' });
    await until(() => stream.of('command').length === 1);
    const second = await asker.dispatch('Create', { message_identifier: 'same' });
    expect(second).toMatchObject({
      error_code: 'AXONIQ-4005',
      error_message: { message: 'command id same duplicated' },
    });
    stream.send({ command_response: handler.answerTo(stream.of('command')[0]!) });
    expect(resultOf(await first)).toBe('handler');
  });

  it('CM-14: a full queue answers AXONIQ-1900, with a tenth more room for higher priority', async () => {
    cluster = await MessagingCluster.start({ settings: { commandQueueCapacityPerClient: 10 } });
    await (await app('handler')).handleCommands(['Create'], { permits: 0 });
    const asker = await app('asker');
    for (let i = 0; i < 10; i += 1) void asker.dispatch('Create');
    await settle();
    expect(resultOf(await asker.dispatch('Create'))).toBe('AXONIQ-1900');
    const urgent = { processing_instructions: [{ key: 'PRIORITY', value: { number_value: '1' } }] };
    void asker.dispatch('Create', urgent);
    await settle();
    expect(resultOf(await asker.dispatch('Create', urgent))).toBe('AXONIQ-1900');
  });

  it('CM-15: after the time-out the answer is AXONIQ-4002 and a late response is dropped', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    const asker = await app('asker');
    const answer = asker.dispatch('Create');
    await until(() => stream.of('command').length === 1);
    cluster.advance(299_000);
    await settle();
    cluster.advance(1001);
    expect(await answer).toMatchObject({
      error_code: 'AXONIQ-4002',
      error_message: { message: 'Cancelled by AxonServer due to timeout' },
    });
    stream.send({ command_response: handler.answerTo(stream.of('command')[0]!) });
    const next = asker.dispatch('Create');
    await until(() => stream.of('command').length === 2);
    stream.send({ command_response: handler.answerTo(stream.of('command')[1]!) });
    expect(resultOf(await next)).toBe('handler');
  });

  it('S7: a handler in one context does not see commands of another; unknown contexts are NOT_FOUND AXONIQ-1302', async () => {
    cluster = await MessagingCluster.start();
    cluster.setContext('other', { 'node-1': 'PRIMARY' });
    await (await app('handler')).handleCommands(['Create']);
    expect(resultOf(await (await app('asker', 'asker', 'other')).dispatch('Create'))).toBe('AXONIQ-4000');
    await expect((await app('asker', 'asker', 'nowhere')).dispatch('Create')).rejects.toMatchObject({
      code: 5,
      details: '[AXONIQ-1302] nowhere: not found in any replication group',
    });
  });
});

describe('command routing', () => {
  const routed = (key: string) => ({ processing_instructions: [{ key: 'ROUTING_KEY', value: text(key) }] });

  it('CM-20, CM-22: equal keys go to the same handler, and load factors share out the keys', async () => {
    cluster = await MessagingCluster.start();
    await (await app('small', 'shop')).handleCommands(['Create'], { loadFactor: 100 });
    await (await app('large', 'shop')).handleCommands(['Create'], { loadFactor: 200 });
    const asker = await app('asker');
    const first = await Promise.all(Array.from({ length: 300 }, (_, i) => asker.dispatch('Create', routed(`k${i}`))));
    const again = await Promise.all(Array.from({ length: 300 }, (_, i) => asker.dispatch('Create', routed(`k${i}`))));
    expect(again.map(resultOf)).toEqual(first.map(resultOf));
    const large = first.filter((answer) => resultOf(answer) === 'large').length;
    expect(large).toBeGreaterThan(140);
    expect(large).toBeLessThan(260);
  });

  it('CM-6: a load factor of 0, as old clients send it, counts as 100', async () => {
    cluster = await MessagingCluster.start();
    await (await app('old', 'shop')).handleCommands(['Create'], { loadFactor: 0 });
    await (await app('new', 'shop')).handleCommands(['Create'], { loadFactor: 100 });
    await (await app('small', 'shop')).handleCommands(['Create'], { loadFactor: 10 });
    const asker = await app('asker');
    const answers = await Promise.all(Array.from({ length: 420 }, (_, i) => asker.dispatch('Create', routed(`k${i}`))));
    const count = (name: string): number => answers.filter((answer) => resultOf(answer) === name).length;
    expect(count('old')).toBeGreaterThan(120);
    expect(count('new')).toBeGreaterThan(120);
    expect(count('small')).toBeLessThan(100);
  });

  it('CM-21: tags of the control stream decide before the key does', async () => {
    cluster = await MessagingCluster.start();
    const west = await app('west', 'shop');
    await west.handleCommands(['Create']);
    const east = await app('east', 'shop');
    await east.handleCommands(['Create']);
    await west.register('4.6', { region: 'west' });
    await east.register('4.6', { region: 'east' });
    const asker = await app('asker');
    for (let i = 0; i < 10; i += 1) {
      const answer = await asker.dispatch('Create', { ...routed(`k${i}`), meta_data: { region: text('east') } });
      expect(resultOf(answer)).toBe('east');
    }
  });

  it('CM-24: higher priority first, then first in, first out', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler');
    const stream = await handler.handleCommands(['Create'], { permits: 0 });
    const asker = await app('asker');
    const answers = [];
    for (const [id, priority] of [
      ['a', '0'],
      ['b', '5'],
      ['c', '0'],
      ['d', '5'],
      ['e', '-1'],
    ]) {
      const fields = {
        message_identifier: id,
        processing_instructions: [{ key: 'PRIORITY', value: { number_value: priority } }],
      };
      answers.push(asker.dispatch('Create', fields));
      await settle(10);
    }
    stream.send({ flow_control: { client_id: 'handler', permits: 10 } });
    await Promise.all(answers);
    expect(stream.of('command').map((command) => command.message_identifier)).toEqual(['b', 'd', 'a', 'c', 'e']);
  });
});
