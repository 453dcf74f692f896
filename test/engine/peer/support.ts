// Nodes of a test: real sockets on loopback, everything closed at the end of the test.
import { performance } from 'node:perf_hooks';
import { onTestFinished, vi } from 'vitest';
import type { PeerNetwork, PeerNetworkOptions } from '../../../engine/peer/peer-network.ts';
import { createPeerNetwork } from '../../../engine/peer/peer-network.ts';
import type { Env, LogFields } from '../../../engine/util/env.ts';

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly code: string | undefined;
}

export function createTestEnv(): { env: Env; lines: LogLine[]; codes(): string[] } {
  const lines: LogLine[] = [];
  const add = (level: string) => (text: string, fields?: LogFields) => {
    lines.push({ level, text, code: fields?.code });
  };
  const log = { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') };
  const env: Env = { now: () => performance.now(), wallClock: () => Date.now(), random: () => Math.random(), log };
  return { env, lines, codes: () => lines.flatMap((line) => line.code ?? []) };
}

export interface TestNode {
  readonly network: PeerNetwork;
  readonly events: string[];
  readonly lines: LogLine[];
  codes(): string[];
  readonly port: number;
}

export async function startNode(
  name: string,
  overrides: Partial<PeerNetworkOptions> & { port?: number } = {},
): Promise<TestNode> {
  const { env, lines, codes } = createTestEnv();
  const network = createPeerNetwork({
    env,
    self: { name, storeId: `store-${name}`, host: '127.0.0.1', internalPort: overrides.port ?? 0 },
    bindHost: '127.0.0.1',
    clusterId: () => 'cluster-1',
    ...overrides,
  });
  const events: string[] = [];
  network.onPeerUp((node) => events.push(`up ${node}`));
  network.onPeerDown((node) => events.push(`down ${node}`));
  network.onPeerGone((node) => events.push(`gone ${node}`));
  await network.listen();
  onTestFinished(() => network.close());
  return { network, events, lines, codes, port: network.internalPort };
}

/** Makes all of them peers of each other and waits until every link is up. */
export async function connectAll(...nodes: readonly TestNode[]): Promise<void> {
  const peers = nodes.map((node) => ({ name: node.network.self, host: '127.0.0.1', port: node.port }));
  for (const node of nodes) {
    node.network.setPeers(peers);
  }
  await until(() => nodes.every((node) => node.network.connectedPeers().length === nodes.length - 1));
}

export async function until(condition: () => boolean, timeout = 8000): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) {
        throw new Error(`not reached: ${condition.toString()}`);
      }
    },
    { timeout, interval: 5 },
  );
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (body: Uint8Array): string => Buffer.from(body).toString();

/** Collects one channel as `from:text`. */
export function collect(node: TestNode, channel: 'raft' | 'view' | 'messaging'): string[] {
  const received: string[] = [];
  node.network.onMessage(channel, (from, body) => received.push(`${from}:${text(body)}`));
  return received;
}
