// The published grpc-js client with the API's proto files against three nodes: each feature through each node, and a whole load while
// the node of the asker or of the handler is killed or frozen.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event, type EventWithToken, type NodeClient, payload } from '../rows/client.ts';
import { type ClusterJson, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { until } from '../rows/wait.ts';
import { clientOf, type JsApplication } from './js/application.ts';
import { CALL_MS, Load } from './js/load.ts';

const WAIT_MS_MAX = 45_000;
/** What a strike may do to a command or query: no answer of the own node, or the documented codes for a handler that went. */
const OUTCOMES = /^(|AXONIQ-4000|AXONIQ-4001|AXONIQ-5000|AXONIQ-5002|status (1|4|14))$/;

describe('a grpc-js client on three nodes', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let addresses: readonly string[];
  let clients: readonly NodeClient[];
  beforeAll(async () => {
    build();
    cluster = await workspace.up('js', 3, await freeBlock(3));
    addresses = cluster.nodes.map((node) => `${node.host}:${node.grpc}`);
    clients = addresses.map(clientOf);
  });
  afterAll(async () => {
    for (const client of clients ?? []) client.close();
    await workspace.dispose();
  });

  it('CF-3, CF-4, CF-6, HD-9: the node that GetPlatformServer names is one of those shown, and serves a client that it never saw', async () => {
    for (const client of clients) {
      const { primary } = await client.platformServer('js-new');
      const address = `${primary?.host_name}:${primary?.grpc_port}`;
      expect(addresses).toContain(address);
      const direct = clientOf(address);
      const control = direct.register('js-new');
      control.send({ heartbeat: {}, instruction_id: 'beat' });
      await until('the heartbeat to be acknowledged', WAIT_MS_MAX, () => control.received.length > 0);
      control.cancel();
      direct.close();
    }
  });

  it('ES-1, ES-4, ES-30, ES-50 to ES-58: events through one node are read and tracked through each', async () => {
    for (const [at, client] of clients.entries()) {
      await client.append([0, 1, 2].map((sequence) => event(`js-${at}`, sequence, `text ${sequence}`)));
      const conflict = await client.append([event(`js-${at}`, 1)]).catch(axoniqCode);
      expect(conflict).toBe('AXONIQ-2000');
    }
    for (const reader of clients)
      for (const at of clients.keys()) {
        const read = await reader.readAggregate(`js-${at}`);
        expect(read.map((each) => each.payload?.data.toString())).toEqual(['text 0', 'text 1', 'text 2']);
      }
    for (const client of clients) {
      const last = await client.lastToken();
      const stream = client.bidi('event.EventStore', 'ListEvents');
      const tokens = (): number[] => stream.received.map((item) => (item as EventWithToken).token);
      stream.send({ tracking_token: 0, number_of_permits: 2, client_id: 'js', component_name: 'js' });
      await until('two events', WAIT_MS_MAX, () => tokens().length === 2);
      stream.send({ number_of_permits: last - 1 });
      await until('the rest', WAIT_MS_MAX, () => tokens().length === last + 1);
      expect(tokens()).toEqual(Array.from({ length: last + 1 }, (_, token) => token));
      stream.halfClose();
      expect(await stream.ended).toBeNull();
    }
  });

  it('CF-12, CM-1, QR-1, SQ-1: without a platform stream, a handler on one node answers through each; codes when there is none', async () => {
    const handling = await clients[0]!.handleCommand('js.shout', 'js-bare', (text) => text.toUpperCase());
    for (const client of clients) {
      const answer = await until('the handler to be known', WAIT_MS_MAX, async () => {
        const found = await client.dispatch('js.shout', 'hello');
        return found.error_code === '' ? found : null;
      });
      expect(answer.payload?.data.toString()).toBe('HELLO');
      expect((await client.dispatch('js.nobody', '')).error_code).toBe('AXONIQ-4000');
      const unasked = await client.collect('query.QueryService', 'Query', {
        message_identifier: `js-none-${clients.indexOf(client)}`,
        query: 'js.nobody',
        payload: payload(''),
      });
      expect(unasked).toMatchObject([{ error_code: 'AXONIQ-5000' }]);
    }
    handling.cancel();
  });

  it.each([
    { strike: 'kill', mend: 'start', whose: 'asker' },
    { strike: 'freeze', mend: 'resume', whose: 'asker' },
    { strike: 'kill', mend: 'start', whose: 'handler' },
    { strike: 'freeze', mend: 'resume', whose: 'handler' },
  ] as const)(
    'CF-7, DP-17, CM-16: $strike of the node of the $whose: it moves, and nothing is lost, doubled or without an outcome',
    async ({ strike, mend, whose }) => {
      const aggregate = `js-${strike}-${whose}`;
      const load = new Load(addresses, aggregate);
      load.start();
      try {
        await until(
          'the load to run',
          WAIT_MS_MAX,
          () => isServed(load) && load.confirmed >= 50 && load.updates.length >= 20,
        );
        const struck: JsApplication = load[whose];
        const address = struck.served.at(-1)!;
        const victim = cluster.nodes.find((node) => `${node.host}:${node.grpc}` === address)!.name;
        await workspace.ok(strike, victim);
        await until(
          'it to be served elsewhere',
          WAIT_MS_MAX,
          () => struck.session !== null && struck.session.address !== address,
        );
        const before = { confirmed: load.confirmed, ...counts(load) };
        await until('all of the load to go on', WAIT_MS_MAX, () => {
          const now = counts(load);
          const goesOn = load.confirmed >= before.confirmed + 50 && now.updates >= before.updates + 20;
          return goesOn && now.commands > before.commands + 20 && now.queries > before.queries + 20;
        });
        await workspace.ok(mend, victim);
        await workspace.ok('wait', 'caught-up', '--timeout', '60s');
        await until('the stream to bring all of it', WAIT_MS_MAX, () => load.tracked.length >= load.confirmed);
      } finally {
        await load.stop();
      }
      const { confirmed, tracked, outcomes, deliveries } = load;
      expect(load.unexpected).toEqual([]);
      expect(tracked.slice(0, confirmed)).toEqual(Array.from({ length: confirmed }, (_, sequence) => sequence));
      for (const client of clients) {
        const stored = await client.readAggregate(aggregate);
        expect(stored.length).toBeGreaterThanOrEqual(confirmed);
        expect(stored.map((each) => each.aggregate_sequence_number)).toEqual(stored.map((_, sequence) => sequence));
      }
      for (const code of [...outcomes.command.keys(), ...outcomes.query.keys()]) expect(code).toMatch(OUTCOMES);
      expect([...deliveries].filter(([, times]) => times > 1)).toEqual([]);
      // A frozen node says nothing: then the deadline of the caller is the outcome.
      if (strike === 'kill') expect(load.slowest).toBeLessThan(CALL_MS);
      expect(load.disordered).toBe(0);
      expect(load.initials).toBeGreaterThanOrEqual(1);
    },
  );
});

function isServed(load: Load): boolean {
  return load.asker.session !== null && load.handler.session !== null;
}

function counts(load: Load): { readonly commands: number; readonly queries: number; readonly updates: number } {
  const { command, query } = load.outcomes;
  return { commands: command.get('') ?? 0, queries: query.get('') ?? 0, updates: load.updates.length };
}
