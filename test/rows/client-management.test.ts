// Feature rows E28 to E30 and the graceful stop: which node a client is on, on real processes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, type Stream } from './client.ts';
import { TestCluster } from './harness.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const MOVE_MS_MAX = 30_000;
const CONTEXTS = ['_admin', 'default'];

/** What an unmodified connector does: asks where to go, goes there, and asks again when it is told to. */
class MovingClient {
  readonly id: string;
  readonly #nodes: readonly TestNode[];
  readonly #tags: Readonly<Record<string, string>>;
  #stream: Stream | null = null;
  at = '';
  moves = 0;

  constructor(id: string, nodes: readonly TestNode[], tags: Readonly<Record<string, string>> = {}) {
    this.id = id;
    this.#nodes = nodes;
    this.#tags = tags;
  }

  async connect(via: TestNode): Promise<void> {
    const { primary } = await via.client().platformServer(this.id, this.#tags);
    const target = this.#nodes.find((node) => node.name === primary?.node_name) ?? via;
    const stream = target.client().bidi('control.PlatformService', 'OpenStream');
    stream.onMessage((message) => {
      if ((message as { request_reconnect?: object | null }).request_reconnect == null) return;
      this.moves += 1;
      stream.halfClose();
      // Any other node may be asked; the one that sent the request is the first on this list, as in a connector's.
      void this.connect(via.running ? via : target).catch(() => undefined);
    });
    stream.send({
      register: { client_id: this.id, component_name: 'rows', tags: this.#tags, version: '4.6' },
      instruction_id: '',
    });
    this.#stream = stream;
    this.at = target.name;
    await until(`${this.id} on ${target.name}`, MOVE_MS_MAX, () => isOn(target, this.id));
  }

  close(): void {
    this.#stream?.cancel();
  }
}

function isOn(node: TestNode, id: string): boolean {
  return node.status?.clients.some(({ clientId }) => clientId === id) ?? false;
}

describe('client management', () => {
  let cluster: TestCluster;
  const clients: MovingClient[] = [];
  beforeAll(async () => {
    cluster = await TestCluster.create({
      nodes: 3,
      contexts: CONTEXTS.join(','),
      properties: { 'cluster.rebalance-delay': '500ms', 'cluster.rebalance-interval': '1s' },
    });
    cluster.at(3).properties = { ...cluster.at(3).properties, 'tags.region': 'west' };
    cluster.startAll();
    await cluster.usable(CONTEXTS);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await cluster?.dispose();
  });

  const count = (node: TestNode): number => clients.filter(({ at }) => at === node.name).length;

  it('E29 DP-15 clients move back to a node that joins again, and stay where they are once the counts are even', async () => {
    await cluster.at(2).kill();
    for (let i = 0; i < 6; i += 1) {
      const client = new MovingClient(`e29-${i}`, cluster.nodes);
      clients.push(client);
      await client.connect(cluster.at(1));
    }
    expect(count(cluster.at(2))).toBe(0);
    cluster.at(2).start();
    await cluster.usable(CONTEXTS);
    await until('each node to have two clients', MOVE_MS_MAX, () => cluster.nodes.every((node) => count(node) === 2));
  });

  it('E29 CT-8 a client is asked to connect anew through any node; an unknown one is AXONIQ-6001, none is 400', async () => {
    const client = clients.find(({ at }) => at !== 'node-1');
    const before = client?.moves ?? 0;
    const answer = await cluster.at(1).rest('PATCH', `/v1/instructions?client=${client?.id}`);
    expect(answer).toMatchObject({ status: 200, body: '' });
    await until('the client to be asked', MOVE_MS_MAX, () => (client?.moves ?? 0) > before);
    expect(await cluster.at(1).rest('PATCH', '/v1/instructions?client=nobody')).toMatchObject({
      status: 404,
      code: 'AXONIQ-6001',
    });
    expect((await cluster.at(1).rest('PATCH', '/v1/instructions')).status).toBe(400);
  });

  it('E30 the node with most matching tags wins, else the one with fewest clients', async () => {
    for (const node of cluster.nodes) {
      const tagged = await node.client().platformServer('e30-tagged', { region: 'west', unknown: 'x' });
      expect(tagged.primary?.node_name).toBe('node-3');
    }
    const crowd = [];
    for (let i = 0; i < 3; i += 1) {
      const client = new MovingClient(`e30-${i}`, cluster.nodes, { region: 'west' });
      crowd.push(client);
      await client.connect(cluster.at(1));
      expect(client.at).toBe('node-3');
    }
    await until('node-3 to send others elsewhere', MOVE_MS_MAX, async () => {
      const { primary } = await cluster.at(3).client().platformServer('e30-plain', { region: 'north' });
      return primary !== null && primary.node_name !== 'node-3';
    });
    for (const client of crowd) client.close();
  });

  it('E28 DP-14 a node without links refuses new clients and asks its own to leave', async () => {
    const alone = cluster.at(3);
    const others = cluster.nodes.filter((node) => node !== alone);
    const own = new MovingClient('e28-own', cluster.nodes, { region: 'west' });
    await own.connect(cluster.at(1));
    expect(own.at).toBe('node-3');
    for (const node of others) await node.setFaults([alone.name]);
    await alone.setFaults(others.map((node) => node.name));
    const refusal = await until('node-3 to refuse', MOVE_MS_MAX, async () => {
      const error = await alone
        .client()
        .platformServer('e28-new')
        .then(() => null, axoniqCode);
      return error;
    });
    expect(refusal).toBe('AXONIQ-1400');
    const direct = await alone.client().register('e28-direct').ended;
    expect(axoniqCode(direct)).toBe('AXONIQ-1400');
    await until('the client to be on another node', MOVE_MS_MAX, () => own.at !== 'node-3');
    for (const node of cluster.nodes) await node.setFaults([]);
    await cluster.usable(CONTEXTS);
    own.close();
  });

  it('CF-10 a graceful stop asks clients to move first, and ends although one of them stays', async () => {
    const leaving = cluster.at(2);
    const mover = new MovingClient('stop-mover', cluster.nodes);
    await mover.connect(cluster.at(1));
    const stays = leaving.client().register('stop-stays');
    await until('both to be known', MOVE_MS_MAX, () => isOn(leaving, 'stop-stays'));
    const moved = clients.filter(({ at }) => at === 'node-2');
    const ended = stays.ended;
    await leaving.stop();
    await ended;
    expect(
      stays.received.filter((message) => (message as { request_reconnect?: object }).request_reconnect),
    ).toHaveLength(1);
    for (const client of moved) expect(client.at).not.toBe('node-2');
    mover.close();
    leaving.start();
    await cluster.usable(CONTEXTS);
  });
});
