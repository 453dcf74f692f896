// Messages between applications on different nodes, on real processes: what happens when a node dies or stands still with
// messages in flight, and when a consumer is slow (cluster-semantics DP-6, DP-13; client-behaviour §4 to §6).
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Payload, payload, type Stream } from './client.ts';
import { TestCluster } from './harness.ts';
import { residentBytes } from './memory.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const WAIT_MS = 30_000;
const IN_FLIGHT = 50;
const RESULTS = 1000;
/** Far more than windows and permits hold, far less than all results. */
const HELD_MAX = 500;
const RESULT_BYTES = 20_000;
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

interface QueryMessage {
  readonly query?: { readonly message_identifier: string; readonly payload: Payload | null } | null;
  readonly query_flow_control?: { readonly permits: number } | null;
  readonly subscription_query_request?: {
    readonly subscribe?: { readonly subscription_identifier: string } | null;
    readonly unsubscribe?: object | null;
  } | null;
}

function queryHandler(node: TestNode, query: string, id: string): Stream {
  const stream = node.client().bidi('query.QueryService', 'OpenStream');
  const subscribe = { message_id: id, query, result_name: '', component_name: id, client_id: id };
  stream.send({ flow_control: { client_id: id, permits: 100_000 }, instruction_id: '' });
  stream.send({ subscribe, instruction_id: id });
  return stream;
}

const answerTo = (requestId: string, data: string | Buffer): object => ({
  query_response: {
    message_identifier: randomUUID(),
    request_identifier: requestId,
    payload: { type: 'Text', revision: '', data: Buffer.from(data) },
  },
  instruction_id: '',
});

const completed = (requestId: string): object => ({
  query_complete: { message_id: randomUUID(), request_id: requestId },
  instruction_id: '',
});

const queryRequest = (query: string, text = '?'): object => ({
  message_identifier: randomUUID(),
  query,
  timestamp: Date.now(),
  payload: payload(text),
  client_id: 'asker',
  component_name: 'asker',
});

describe('messages across nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster?.dispose());

  const known = (name: string, handler: string, via: TestNode): Promise<boolean> =>
    until(
      `${via.name} to know ${handler}`,
      WAIT_MS,
      async () => (await via.client().dispatch(name, 'known?')).error_code === '',
    );

  it('CM-20 CM-23 DP-6 equal routing keys reach one handler through every node; a handler that moves takes over its share', async () => {
    const handlers: Stream[] = [];
    for (const node of cluster.nodes)
      handlers.push(await node.client().handleCommand('key', `key-${node.name}`, () => `key-${node.name}`));
    const keys = Array.from({ length: 60 }, (_, i) => `key-${i}`);
    const chosenBy = async (node: TestNode): Promise<string[]> =>
      Promise.all(keys.map(async (key) => String((await node.client().dispatch('key', key)).payload?.data)));
    const first = await until('every node to know three handlers', WAIT_MS, async () => {
      const all = await Promise.all(cluster.nodes.map(chosenBy));
      const agree = all.every((one) => one.join() === all[0]?.join()) && new Set(all[0]).size === 3;
      return agree ? (all[0] ?? []) : false;
    });
    handlers[2]?.halfClose();
    const after = await until('the handler to be forgotten everywhere', WAIT_MS, async () => {
      const all = await Promise.all(cluster.nodes.map(chosenBy));
      return all.every((one) => one.join() === all[0]?.join() && !one.includes('key-node-3')) ? (all[0] ?? []) : false;
    });
    const moved = keys.filter((_, i) => first[i] !== after[i]);
    expect(moved).toEqual(keys.filter((_, i) => first[i] === 'key-node-3'));
    for (const handler of handlers) handler.cancel();
  });

  it('QR-10 a query is scattered over the applications of all nodes, and gathered', async () => {
    const handlers = cluster.nodes.map((node) => {
      const stream = queryHandler(node, 'scatter', `scatter-${node.name}`);
      stream.onMessage((message) => {
        const { query } = message as QueryMessage;
        if (query == null) return;
        stream.send(answerTo(query.message_identifier, node.name));
        stream.send(completed(query.message_identifier));
      });
      return stream;
    });
    for (const node of cluster.nodes) {
      const names = await until(`three answers through ${node.name}`, WAIT_MS, async () => {
        const answers = await node.client().collect<Answer>('query.QueryService', 'Query', queryRequest('scatter'));
        return answers.length === 3 ? answers.map((answer) => String(answer.payload?.data)) : false;
      });
      expect(names.sort()).toEqual(['node-1', 'node-2', 'node-3']);
    }
    for (const handler of handlers) handler.cancel();
  });

  it('SQ-2 SQ-4 SQ-15 updates of a subscription query cross nodes in order, and a killed asker node takes it off the handler', async () => {
    const handler = queryHandler(cluster.at(1), 'sub', 'sub-handler');
    const open: string[] = [];
    let closed = 0;
    handler.onMessage((message) => {
      const request = (message as QueryMessage).subscription_query_request;
      if (request?.subscribe != null) open.push(request.subscribe.subscription_identifier);
      if (request?.unsubscribe != null) closed += 1;
    });
    const asker = await until('a subscription', WAIT_MS, async () => {
      const id = randomUUID();
      const stream = cluster.at(3).client().bidi('query.QueryService', 'Subscription');
      stream.send({ flow_control: { number_of_permits: 1000 } });
      stream.send({ subscribe: { subscription_identifier: id, query_request: queryRequest('sub') } });
      const failed = stream.ended.then(() => null);
      return Promise.race([
        until('the handler', WAIT_MS, () => open.includes(id)).then(() => ({ id, stream })),
        failed,
      ]);
    });
    for (let i = 0; i < 200; i += 1) {
      const update = { message_identifier: randomUUID(), payload: payload(String(i)), client_id: 'sub-handler' };
      const response = { message_identifier: randomUUID(), subscription_identifier: asker.id, update };
      handler.send({ subscription_query_response: response, instruction_id: '' });
    }
    await until('200 updates', WAIT_MS, () => asker.stream.received.length === 200);
    const texts = asker.stream.received.map((message) =>
      String((message as { update?: Answer }).update?.payload?.data),
    );
    expect(texts).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
    await cluster.at(3).kill();
    await until('the handler to be told', WAIT_MS, () => closed >= 1);
    handler.cancel();
    cluster.at(3).start();
    await cluster.usable(['_admin', 'default']);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'CM-16 DP-13 %s of the node of the handler: every command in flight is answered once, delivered at most once',
    async (signal) => {
      const name = `die-${signal}`;
      const victim = cluster.at(3);
      const delivered: string[] = [];
      const handler = victim.client().bidi('command.CommandService', 'OpenStream');
      handler.onMessage((message) => {
        const { command } = message as { command?: { message_identifier: string } | null };
        if (command != null) delivered.push(command.message_identifier);
      });
      const subscribe = { message_id: name, command: name, component_name: 'rows', client_id: name, load_factor: 100 };
      handler.send({ subscribe, instruction_id: name });
      handler.send({ flow_control: { client_id: name, permits: 1000 }, instruction_id: '' });
      const senders = [cluster.at(1), cluster.at(2)];
      const answers: Promise<Answer>[] = [];
      await until('commands to reach the handler', WAIT_MS, async () => {
        for (const node of senders) {
          const answer = node.client().dispatch(name, 'probe', WAIT_MS * 2);
          answers.push(answer);
          await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100))]);
        }
        return delivered.length >= 2;
      });
      for (let i = 0; i < IN_FLIGHT; i += 1)
        for (const node of senders) answers.push(node.client().dispatch(name, `key-${i}`, WAIT_MS * 2));
      await until('all to be in flight', WAIT_MS, () => delivered.length >= 2 * IN_FLIGHT);
      victim.signal(signal);
      const codes = (await Promise.all(answers)).map((answer) => answer.error_code);
      // Before every node knew the handler a probe is 4000; all others were sent and never again.
      expect(codes.filter((code) => code !== 'AXONIQ-4000' && code !== 'AXONIQ-4001')).toEqual([]);
      expect(codes.filter((code) => code === 'AXONIQ-4001').length).toBeGreaterThanOrEqual(2 * IN_FLIGHT);
      expect(new Set(delivered).size).toBe(delivered.length);
      const other = await cluster
        .at(1)
        .client()
        .handleCommand(name, `${name}-other`, (text) => text);
      await known(name, `${name}-other`, cluster.at(2));
      expect(new Set(delivered).size).toBe(delivered.length);
      other.cancel();
      if (signal === 'SIGSTOP') {
        victim.signal('SIGCONT');
        handler.cancel();
      } else {
        await victim.kill();
        victim.start();
      }
      await cluster.usable(['_admin', 'default']);
    },
  );

  it('QR-31 an asker on another node that does not read holds the handler back; memory of all nodes stays bounded', async () => {
    const handler = queryHandler(cluster.at(1), 'flood', 'flood-handler');
    let sent = 0;
    let permits = 0;
    let query = '';
    const data = Buffer.alloc(RESULT_BYTES, 65);
    const push = (): void => {
      while (query !== '' && permits > 0 && sent < RESULTS) {
        permits -= 1;
        sent += 1;
        handler.send(answerTo(query, data));
      }
      if (query !== '' && sent === RESULTS) {
        handler.send(completed(query));
        query = '';
      }
    };
    handler.onMessage((message) => {
      const { query: asked, query_flow_control: more } = message as QueryMessage;
      if (String(asked?.payload?.data) === 'known?') {
        handler.send(answerTo(asked!.message_identifier, 'yes'));
        handler.send(completed(asked!.message_identifier));
      } else if (asked != null) query = asked.message_identifier;
      if (more != null) permits += Number(more.permits);
      push();
    });
    const streaming = {
      ...queryRequest('flood'),
      processing_instructions: [{ key: 'CLIENT_SUPPORTS_STREAMING', value: { boolean_value: true } }],
    };
    const memoryBefore = cluster.nodes.map(residentBytes);
    await until('node-2 to know the handler', WAIT_MS, async () => {
      const request = queryRequest('flood', 'known?');
      const answers = await cluster.at(2).client().collect<Answer>('query.QueryService', 'Query', request);
      return answers[0]?.error_code === '';
    });
    // Asked once: with a second query the results of the first, which nobody holds back, would be counted.
    const asker = cluster.at(2).client().pausable('query.QueryService', 'Query', streaming);
    asker.pause();
    await until('the first results', WAIT_MS, () => sent > 0);
    let held = -1;
    await until('the handler to be held back while others are served', WAIT_MS, async () => {
      const before = sent;
      for (let i = 0; i < 20; i += 1)
        await cluster
          .at((i % 2) + 1)
          .client()
          .dispatch('nobody', 'x');
      held = sent;
      return held === before;
    });
    expect(held).toBeLessThan(HELD_MAX);
    asker.resume();
    await until('all results', WAIT_MS * 2, () => asker.count() === RESULTS);
    cluster.nodes.forEach((node, i) => {
      expect(residentBytes(node) - (memoryBefore[i] ?? 0)).toBeLessThan(GROWTH_BYTES_MAX);
    });
    handler.cancel();
  });
});
