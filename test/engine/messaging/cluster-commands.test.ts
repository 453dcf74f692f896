import { afterEach, describe, expect, it } from 'vitest';
import { command, encodeMessage } from '../../../engine/rpc/proto.ts';
import { Application, resultOf, text } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

const nodes = ['node-1', 'node-2', 'node-3'];
const routed = (key: string) => ({ processing_instructions: [{ key: 'ROUTING_KEY', value: text(key) }] });

function app(node: string, clientId: string, component = clientId, context = 'default'): Application {
  return new Application(cluster, node, clientId, component, context);
}

/** Waits until a node knows of so many command handler names in the context. */
async function knows(node: string, names: number, context = 'default'): Promise<void> {
  const watcher = app(node, `watcher-${node}`, 'watcher', context);
  const platform = await watcher.register();
  platform.send({ subscribe_topology_changes: {} });
  const present = () => {
    const known = new Set<string>();
    for (const change of platform.of('topology_change')) {
      const key = `${change.client_stream_id} ${(change.command ?? change.query)?.name}`;
      if (String(change.update_type).startsWith('ADD') || [0, 2].includes(Number(change.update_type))) known.add(key);
      else known.delete(key);
    }
    return known.size;
  };
  await until(() => present() === names, `${names} handlers on ${node}, now ${present()}`);
  platform.call.end();
}

describe('commands across nodes', () => {
  it('DP-6: a command taken by node-3 reaches a handler on node-1 and its answer comes back unchanged', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = app('node-1', 'handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    await knows('node-3', 1);
    const answer = app('node-3', 'asker').dispatch('Create', {
      message_identifier: 'c-1',
      meta_data: { a: text('b') },
    });
    await until(() => stream.of('command').length === 1);
    expect(stream.of('command')[0]).toMatchObject({
      message_identifier: 'c-1',
      name: 'Create',
      meta_data: { a: text('b') },
    });
    const response = {
      message_identifier: 'r',
      request_identifier: 'c-1',
      error_code: '',
      meta_data: { x: text('y') },
    };
    stream.send({ command_response: response });
    expect(await answer).toMatchObject(response);
  });

  it('CM-23, DP-6: equal routing keys reach the same handler whichever node takes the command', async () => {
    cluster = await MessagingCluster.start({ nodes });
    for (const node of nodes) await app(node, `handler-${node}`, 'shop').handleCommands(['Create']);
    for (const node of nodes) await knows(node, 3);
    const askers = nodes.map((node) => app(node, `asker-${node}`));
    const used = new Set<string>();
    for (let i = 0; i < 30; i += 1) {
      const answers = await Promise.all(askers.map((asker) => asker.dispatch('Create', routed(`order-${i}`))));
      expect(new Set(answers.map(resultOf)).size).toBe(1);
      used.add(resultOf(answers[0]!));
    }
    expect(used.size).toBe(3);
  });

  it('CM-12, CM-3: handlers that unsubscribe or leave are forgotten everywhere', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = app('node-1', 'handler');
    const stream = await handler.handleCommands(['Create', 'Other']);
    await knows('node-2', 2);
    await handler.unsubscribeCommand(stream, 'Create');
    await knows('node-2', 1);
    const asker = app('node-2', 'asker');
    expect(resultOf(await asker.dispatch('Create'))).toBe('AXONIQ-4000');
    expect(resultOf(await asker.dispatch('Other'))).toBe('handler');
    stream.call.end();
    await knows('node-2', 0);
    expect(resultOf(await asker.dispatch('Other'))).toBe('AXONIQ-4000');
  });

  it('DP-13, CM-16: a lost link answers commands in flight with AXONIQ-4001 and never sends them again', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const far = app('node-1', 'far', 'shop');
    const farStream = await far.handleCommands(['Create'], { silent: true });
    await knows('node-3', 1);
    const asker = app('node-3', 'asker');
    const sent = asker.dispatch('Create', { message_identifier: 'once' });
    await until(() => farStream.of('command').length === 1);
    const near = await app('node-2', 'near', 'shop').handleCommands(['Create']);
    await knows('node-3', 2);
    cluster.network.cut('node-1', 'node-3');
    expect(await sent).toMatchObject({
      error_code: 'AXONIQ-4001',
      error_message: { message: 'Connection lost while executing command on: far' },
    });
    for (let i = 0; i < 5; i += 1) expect(resultOf(await asker.dispatch('Create', routed(`k${i}`)))).toBe('near');
    expect(near.of('command').map((command) => command.message_identifier)).not.toContain('once');
    farStream.send({ command_response: far.answerTo(farStream.of('command')[0]!) }); // too late, nobody waits
    cluster.network.connect('node-1', 'node-3');
    await knows('node-3', 2);
    expect(farStream.of('command').map((command) => command.message_identifier)).toEqual(['once']);
  });

  it('CM-16: a command still queued on the lost node is answered AXONIQ-4001 and not delivered later', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const stream = await app('node-1', 'handler').handleCommands(['Create'], { permits: 0 });
    await knows('node-2', 1);
    const queued = app('node-2', 'asker').dispatch('Create');
    await settle();
    cluster.network.cut('node-1', 'node-2');
    expect(resultOf(await queued)).toBe('AXONIQ-4001');
    stream.send({ flow_control: { client_id: 'handler', permits: 10 } });
    await settle();
    expect(stream.of('command')).toHaveLength(0);
  });

  it('CM-17: a command that was queued on another node is routed again when its handler leaves', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const leaving = await app('node-1', 'leaving', 'shop').handleCommands(['Create'], { permits: 0 });
    await knows('node-2', 1);
    const queued = app('node-2', 'asker').dispatch('Create');
    await settle();
    await app('node-3', 'staying', 'shop').handleCommands(['Create']);
    await knows('node-2', 2);
    leaving.call.end();
    expect(resultOf(await queued)).toBe('staying');
  });

  it('CM-8, CM-16: a handler lost on another node answers AXONIQ-4001 from there', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const stream = await app('node-1', 'handler').handleCommands(['Create'], { silent: true });
    await knows('node-2', 1);
    const answer = app('node-2', 'asker').dispatch('Create');
    await until(() => stream.of('command').length === 1);
    stream.call.cancel();
    expect(resultOf(await answer)).toBe('AXONIQ-4001');
  });

  it('CM-13: the same id taken by two nodes is refused by the handler node with AXONIQ-4005', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const handler = app('node-1', 'handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    await knows('node-2', 1);
    const first = app('node-1', 'asker-1').dispatch('Create', { message_identifier: 'same' });
    await until(() => stream.of('command').length === 1);
    expect(resultOf(await app('node-2', 'asker-2').dispatch('Create', { message_identifier: 'same' }))).toBe(
      'AXONIQ-4005',
    );
    stream.send({ command_response: handler.answerTo(stream.of('command')[0]!) });
    expect(resultOf(await first)).toBe('handler');
  });

  it('S7: contexts stay apart across nodes', async () => {
    cluster = await MessagingCluster.start({ nodes });
    cluster.setContext('other', { 'node-1': 'PRIMARY', 'node-2': 'MESSAGING_ONLY' });
    await app('node-1', 'handler', 'shop', 'other').handleCommands(['Create']);
    await knows('node-2', 1, 'other');
    expect(resultOf(await app('node-2', 'a', 'a', 'other').dispatch('Create'))).toBe('handler');
    expect(resultOf(await app('node-2', 'a').dispatch('Create'))).toBe('AXONIQ-4000');
  });
});

describe('registrations between nodes', () => {
  it('a healed link brings back exactly the handlers that are still there', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const staying = app('node-1', 'staying');
    await staying.handleCommands(['Stay']);
    const leaving = await app('node-1', 'leaving').handleCommands(['Leave']);
    await knows('node-2', 2);
    cluster.network.cut('node-1', 'node-2');
    await knows('node-2', 0);
    leaving.call.end();
    await app('node-1', 'new').handleCommands(['New']);
    await knows('node-3', 2);
    cluster.network.connect('node-1', 'node-2');
    await knows('node-2', 2);
    const asker = app('node-2', 'asker');
    expect(await Promise.all(['Stay', 'Leave', 'New'].map((name) => asker.dispatch(name).then(resultOf)))).toEqual([
      'staying',
      'AXONIQ-4000',
      'new',
    ]);
  });

  it('a gap in the numbered changes asks for a full state', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    const handler = app('node-1', 'handler');
    const stream = await handler.handleCommands(['A']);
    await knows('node-2', 1);
    cluster.node('node-1').bus.lossy.add('node-2');
    await handler.subscribeCommand(stream, 'B');
    cluster.node('node-1').bus.lossy.delete('node-2');
    await handler.subscribeCommand(stream, 'C');
    await knows('node-2', 3);
  });

  it('a full state larger than one message arrives whole', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    cluster.network.cut('node-1', 'node-2');
    const handler = app('node-1', 'handler');
    const stream = await handler.handleCommands([]);
    for (let i = 0; i < 1200; i += 1) {
      stream.send({ subscribe: { command: `C${i}`, client_id: 'handler', component_name: 'handler' } });
    }
    await handler.subscribeCommand(stream, 'last');
    cluster.network.connect('node-1', 'node-2');
    await knows('node-2', 1201);
  });

  it('a full link keeps messages until it has room, and refuses commands with AXONIQ-1900 beyond its limit', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    const stream = await app('node-1', 'handler').handleCommands(['Create']);
    await knows('node-2', 1);
    const { bus, messaging } = cluster.node('node-2');
    const answers: string[] = [];
    const dispatch = (messageIdentifier: string) => {
      const payload = { type: 'Bytes', data: Buffer.alloc(3 * 1024 * 1024) };
      const bytes = encodeMessage(command.Command, { messageIdentifier, name: 'Create', payload });
      messaging.dispatchCommand('default', bytes, (response) => {
        const { requestIdentifier, errorCode } = command.CommandResponse.decode(response);
        answers.push(`${requestIdentifier} ${errorCode}`.trim());
      });
    };
    bus.full.add('node-1');
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) dispatch(id);
    expect(answers).toEqual(['f AXONIQ-1900']);
    await settle();
    expect(stream.of('command')).toHaveLength(0);
    bus.full.delete('node-1');
    await until(() => answers.length === 6);
    expect(answers.slice(1)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('DP-13: a node that was frozen and saw no lost link starts anew with the one that did', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    const one = await app('node-1', 'one').handleCommands(['A'], { silent: true });
    await app('node-2', 'two').handleCommands(['B']);
    await knows('node-1', 2);
    await knows('node-2', 2);
    const answer = app('node-2', 'asker').dispatch('A');
    await until(() => one.of('command').length === 1);
    cluster.network.blink('node-1', 'node-2');
    expect(resultOf(await answer)).toBe('AXONIQ-4001');
    await knows('node-1', 2);
    await knows('node-2', 2);
    expect(resultOf(await app('node-1', 'asker-1').dispatch('B'))).toBe('two');
  });

  it('ignores bytes that are no message', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    cluster.node('node-1').bus.send('node-2', 'messaging', Buffer.from([0xff, 0xff, 0xff]));
    await until(() => cluster.clock.warnings.includes('PEER_MESSAGE_INVALID'));
    await app('node-1', 'handler').handleCommands(['Create']);
    await knows('node-2', 1);
  });
});
