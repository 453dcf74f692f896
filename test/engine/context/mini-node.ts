// One node of the context layer with real storage in a temporary folder and an in-memory network. For tests only.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeInfo } from '../../../engine/context/api.ts';
import { ChangeNotice } from '../../../engine/context/change-notice.ts';
import { ClusterManager } from '../../../engine/context/cluster-manager.ts';
import { Contexts } from '../../../engine/context/contexts.ts';
import { registerDcbHandlers } from '../../../engine/context/dcb-handlers.ts';
import { GroupHost } from '../../../engine/context/group-host.ts';
import { Leaders } from '../../../engine/context/leaders.ts';
import { registerContextHandlers } from '../../../engine/context/peer-handlers.ts';
import { registerRepairHandler, Repairs } from '../../../engine/context/repair.ts';
import { EventTransformations } from '../../../engine/context/transformations.ts';
import { Schedulers } from '../../../engine/context/schedulers.ts';
import { decodeRaftMessages, encodeRaftMessages } from '../../../engine/peer/raft-codec.ts';
import { openNodeStore } from '../../../engine/storage/node-store.ts';
import { PersistentStreams } from '../../../engine/streams/persistent-streams.ts';
import type { Env } from '../../../engine/util/env.ts';
import { WireWriter } from '../../../engine/util/wire.ts';
import type { MemoryNetwork } from './memory-network.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
export const testEnv: Env = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  random: Math.random,
  log: silent,
};

export interface MiniNode {
  readonly name: string;
  readonly dir: string;
  readonly groups: GroupHost;
  readonly manager: ClusterManager;
  readonly contexts: Contexts;
  readonly schedulers: Schedulers;
  readonly streams: PersistentStreams;
  readonly transformations: EventTransformations;
  stop(): Promise<void>;
}

export async function startMiniNode(
  network: MemoryNetwork,
  number: number,
  dir = mkdtempSync(join(tmpdir(), 'muster-context-')),
  /** A leader that did not run for as long steps down: of 10 ms each. Nodes that lead alone can have plenty. */
  electionTicksMin = 10,
): Promise<MiniNode> {
  const name = `node-${number}`;
  const bus = network.bus(name);
  const node = await openNodeStore({ dir, nodeName: name, log: () => undefined });
  const selfNode: NodeInfo = {
    name,
    storeId: node.storeId,
    hostName: 'localhost',
    grpcPort: 8123 + number,
    httpPort: 8023 + number,
    internalHostName: 'localhost',
    internalPort: 8223 + number,
    tags: {},
  };
  const groups = new GroupHost({
    env: testEnv,
    node,
    self: name,
    timing: { heartbeatTicks: 2, electionTicksMin, electionTicksMax: 2 * electionTicksMin },
    fastPath: false,
    segmentBytes: 1024 * 1024,
    durability: 'fsync',
    minActiveBackups: 1,
    send: (peer, messages) => void bus.send(peer, 'raft', encodeRaftMessages(messages)),
    applyAdmin: (entry) => manager.applyEntry(entry),
    onLeadership: (replica) => leaders.noteReplica(replica),
    onReplica: (replica) => {
      schedulers.attach(replica);
      streams.attach(replica);
    },
    onFatal: (error) => {
      throw error;
    },
  });
  const leaders = new Leaders({ bus, env: testEnv, groups: () => groups });
  const notice = new ChangeNotice({ env: testEnv, self: name, bus, groups: () => groups, leaders });
  const manager: ClusterManager = new ClusterManager({
    env: testEnv,
    node,
    bus,
    self: selfNode,
    groups: () => groups,
    leaderOf: (context) => leaders.leaderOf(context),
    noticed: (context, version) => notice.wait(context, version),
    requestAddress: (_host, port, method, body, timeoutMs) => {
      const target = network.buses.get(`node-${port - 8223}`);
      if (target === undefined) return Promise.reject(new Error(`nobody listens on ${port}`));
      return target.answer(method, name, body, timeoutMs);
    },
    onView: (state) => {
      for (const peer of state.nodes)
        if (peer.name !== name && network.buses.has(peer.name)) network.connect(name, peer.name);
      void groups.reconcile(state);
    },
  });
  const contexts = new Contexts({
    env: testEnv,
    self: name,
    selfNode,
    bus,
    groups: () => groups,
    leaders,
    manager,
    waitForLeaderMs: 1500,
    clientsOnlyOnServing: true,
    checkSnapshots: true,
  });
  const leaderCalls = { env: testEnv, bus, groups: () => groups, leaders, self: name, waitForLeaderMs: 1500 };
  const schedulers = new Schedulers(leaderCalls);
  const streams = new PersistentStreams({ ...leaderCalls, segmentCloseMs: 3000 });
  const transformations = new EventTransformations(leaderCalls);
  registerContextHandlers(bus, () => groups, true);
  registerDcbHandlers(bus, () => groups);
  registerRepairHandler(bus, () => groups);
  const repairs = new Repairs({ env: testEnv, bus, groups: () => groups });
  bus.onMessage('raft', (_from, body) => groups.receive(decodeRaftMessages(body)));
  bus.onPeerDown((peer) => groups.peerDown(peer));
  if (manager.load()) void manager.resumeFormation();
  groups.start();
  repairs.start();
  return {
    name,
    dir,
    groups,
    manager,
    contexts,
    schedulers,
    streams,
    transformations,
    async stop() {
      manager.stop();
      repairs.stop();
      network.remove(name);
      await groups.close();
      await node.close();
    },
  };
}

export function removeFolders(nodes: readonly MiniNode[]): void {
  for (const node of nodes) rmSync(node.dir, { recursive: true, force: true });
}

export async function until(what: string, condition: () => boolean, timeoutMs = 8000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not reached within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A raw protobuf Event; see api-messages.md `event.Event`. */
export function rawEvent(aggregateId: string, sequence: number, text = 'x'): Buffer {
  const payload = new WireWriter().text(1, 'test.Happened').bytes(3, Buffer.from(text)).finish();
  return Buffer.from(
    new WireWriter()
      .text(1, `${aggregateId}-${sequence}`)
      .text(2, aggregateId)
      .int(3, sequence)
      .text(4, 'Test')
      .int(5, 1000 + sequence)
      .bytes(6, payload)
      .finish(),
  );
}
