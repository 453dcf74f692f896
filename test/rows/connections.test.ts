// Feature rows S1 to S4: a cluster that clients can rely on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appender } from './appender.ts';
import { event } from './client.ts';
import { ELECTION_MS_MAX, TestCluster } from './harness.ts';
import { HOST, type PublicNode, type TestNode } from './test-node.ts';
import { timed, until } from './wait.ts';

const RESUME_MS_MAX = 5000;
/** Default of the Java connector family (cluster-semantics DP-13). */
const RECONNECT_INTERVAL_MS = 2000;

describe('connections', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
    cluster.at(2).properties = { ...cluster.at(2).properties, 'tags.region': 'west' };
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
  });
  afterAll(() => cluster?.dispose());

  it('S1 three nodes form one cluster and appends resume within 5 s of the loss of any node, every confirmed event readable exactly once', async () => {
    const nodes = await cluster.at(1).get<PublicNode[]>('/v1/public');
    expect(nodes.map((node) => node.name)).toEqual(['node-1', 'node-2', 'node-3']);
    const confirmed: string[] = [];
    for (const victim of cluster.nodes) {
      const appender = new Appender(cluster, `s1-${victim.name}`, 3);
      await until('the first confirmations', ELECTION_MS_MAX, () => appender.confirmed.length >= 10);
      const { ms } = await timed(async () => {
        await victim.kill();
        const before = appender.confirmed.length;
        await until('appends to resume', ELECTION_MS_MAX, () => appender.confirmed.length >= before + 10);
      });
      expect(ms).toBeLessThan(RESUME_MS_MAX);
      victim.start();
      await cluster.usable(['_admin', 'default']);
      await appender.stop();
      confirmed.push(...appender.confirmed);
    }
    await cluster.caughtUp();
    for (const node of cluster.nodes) {
      const events = await node.client().listEvents(0, await node.client().lastToken());
      const seen = new Map<string, number>();
      for (const item of events)
        seen.set(item.event.aggregate_identifier, (seen.get(item.event.aggregate_identifier) ?? 0) + 1);
      expect(events.map((item) => item.token)).toEqual(events.map((_item, token) => token));
      expect(confirmed.filter((aggregate) => seen.get(aggregate) !== 1)).toEqual([]);
    }
  });

  it('S2 clients spread over the nodes and every node takes appends', async () => {
    const streams = [];
    for (let i = 0; i < 6; i += 1) {
      const clientId = `s2-client-${i}`;
      const info = await cluster.at(1).client().platformServer(clientId);
      const target =
        info.primary === null || info.same_connection ? cluster.at(1) : cluster.node(info.primary.node_name);
      const stream = target.client().register(clientId);
      streams.push(stream);
      // The next client is placed by load, so this one must be known first.
      await until(
        `${clientId} to be known`,
        ELECTION_MS_MAX,
        () => target.status?.clients.some((client) => client.clientId === clientId) ?? false,
      );
    }
    const connected = await until('all clients to be listed', ELECTION_MS_MAX, async () => {
      const lists = await Promise.all(
        cluster.nodes.map((node) =>
          node.get<{ name: string; axonServerNode: string }[]>('/v1/components/clients?context=default'),
        ),
      );
      const byName = new Map(lists.flat().map((client) => [client.name, client.axonServerNode]));
      return [...byName.keys()].filter((name) => name.includes('s2-client-')).length === 6 ? byName : null;
    });
    expect(new Set(connected.values()).size).toBeGreaterThan(1);
    for (const node of cluster.nodes) await node.client().append([event(`s2-${node.name}`, 0)]);
    for (const stream of streams) stream.cancel();
  });

  it('S3 the contacted node answers with a live member, by preference one with matching tags', async () => {
    const live = new Set(cluster.nodes.map((node) => `${HOST}:${node.ports.grpc}`));
    for (const node of cluster.nodes) {
      const { primary } = await node.client().platformServer('s3-client');
      expect(live).toContain(`${primary?.host_name}:${primary?.grpc_port}`);
      const tagged = await node.client().platformServer('s3-tagged', { region: 'west' });
      expect(tagged.primary?.node_name).toBe('node-2');
    }
  });

  it('S4 a client whose node is killed works on through another node without a restart', async () => {
    const handlerNode = cluster.at(3);
    const handler = await handlerNode.client().handleCommand('s4', 's4-handler', (text) => `handled ${text}`);
    const addresses: readonly TestNode[] = [cluster.at(1), cluster.at(2), cluster.at(3)];
    const first = await until('a first answer', ELECTION_MS_MAX, async () => {
      const answer = await cluster.at(1).client().dispatch('s4', 'one');
      return answer.error_code === '' ? answer : null;
    });
    expect(first.payload?.data.toString()).toBe('handled one');
    const { value, ms } = await timed(async () => {
      await cluster.at(1).kill();
      return until('an answer through another node', ELECTION_MS_MAX, async () => {
        for (const node of addresses) {
          const answer = await node
            .client()
            .dispatch('s4', 'two', 1000)
            .catch(() => null);
          if (answer !== null && answer.error_code === '') return answer;
        }
        return null;
      });
    });
    expect(value.payload?.data.toString()).toBe('handled two');
    expect(ms).toBeLessThan(RECONNECT_INTERVAL_MS + 1000);
    handler.cancel();
    cluster.at(1).start();
    await cluster.usable(['default']);
  });
});
