// Feature rows E40 and E42 on the command line: `muster` shows what the pages A1 to A8 of Axon Server's console read, as far as it shows them
// (what it leaves to REST is listed in docs/compat.md). The window: test/e2e/console.test.ts.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from './cli.ts';
import { CLIENT, COMPONENT, type ConsoleData, connectConsoleApp, PROCESSOR, readConsole } from './console.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';
import { root } from './test-node.ts';

const SLOW_MS = 60_000;
/** Of every page of the window. */
const TWINS: Readonly<Record<string, readonly string[]>> = {
  overview: ['status'],
  apps: ['apps', 'reconnect', 'disconnect', 'processor'],
  contexts: ['context', 'role', 'move-leader', 'access'],
  events: ['events', 'query', 'search', 'append', 'verify', 'purge'],
  timeline: ['timeline', 'note'],
  logs: ['logs'],
  configuration: ['config'],
  checkpoints: ['checkpoint'],
  chaos: ['run', 'script', 'record'],
};
const pagesFile = path.join(root, 'renderer', 'screens', 'pages.ts');
const pages = [...readFileSync(pagesFile, 'utf8').matchAll(/\bid: '(\w+)'/g)].map((found) => found[1] ?? '');

interface App {
  readonly clientId: string;
  readonly componentName: string;
  readonly node: string;
  readonly context: string;
  readonly commands: readonly string[];
  readonly processors: readonly {
    readonly name: string;
    readonly segments: number;
    readonly token: number;
    readonly running: boolean;
  }[];
}

describe('what the console of Axon Server shows, on the command line', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let shown: ConsoleData;
  let app: { readonly end: () => void };
  beforeAll(async () => {
    build();
    await workspace.up('console', 3, await freeBlock(3));
    await workspace.ok('context', 'add', 'sales');
    await workspace.ok('role', 'node-3', 'sales', 'passive-backup');
    await workspace.ok('wait', 'ready');
    cluster = await workspace.status('console');
    const first = cluster.nodes[0]!;
    app = await connectConsoleApp(first.host, first.grpc);
    shown = await readConsole(`http://${first.host}:${first.http}`);
  }, SLOW_MS);
  afterAll(async () => {
    app?.end();
    await workspace.dispose();
  }, SLOW_MS);

  it('E42 A1: nodes with their addresses', () => {
    expect(shown.nodes.map((node) => [node.name, node.connected])).toEqual(
      ['node-1', 'node-2', 'node-3'].map((name) => [name, true]),
    );
    expect(cluster.nodes.map(({ name, host, http, grpc, internal }) => [name, host, http, grpc, internal])).toEqual(
      shown.nodes.map((node) => [node.name, node.hostName, node.httpPort, node.grpcPort, node.grpcInternalPort]),
    );
  });

  it('E42 A2, A3: apps, the node of each, their commands, and their event processors', async () => {
    const { apps } = await workspace.json<{ readonly apps: readonly App[] }>('apps');
    expect(apps.map((one) => [one.clientId, one.componentName, one.context, one.node])).toEqual(
      shown.clients.map((one) => [one.name, one.componentName, one.context, one.axonServerNode]),
    );
    expect(apps).toMatchObject([{ clientId: CLIENT, componentName: COMPONENT }]);
    expect([...(apps[0]?.commands ?? [])].sort()).toEqual(shown.commands.map(({ name }) => name));
    expect(apps[0]?.processors).toMatchObject(
      shown.processors.map(({ name, trackers }) => ({ name, segments: trackers.length, running: true })),
    );
    expect(apps[0]?.processors[0]?.token).toBe(PROCESSOR.token);
    const text = await workspace.ok('apps');
    for (const word of [COMPONENT, CLIENT, 'node-1', `${PROCESSOR.name}@${PROCESSOR.token}`])
      expect(text).toContain(word);
  });

  it('E42 A4: events by token, type, aggregate and sequence number', async () => {
    const lines = (await workspace.ok('events', 'default', '--json')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ token, type, aggregateId, sequence }) => [token, type, aggregateId, sequence])).toEqual(
      shown.events
        .map((one) => [one.token, one.payloadType, one.aggregateIdentifier, one.aggregateSequenceNumber])
        .reverse(),
    );
    expect(events.length).toBeGreaterThan(0);
  });

  it('E42 A7, A8: contexts, their leaders, and the role of every node', () => {
    const roles = (list: readonly { readonly node: string; readonly role: string }[]): readonly string[] =>
      list.map(({ node, role }) => `${node} ${role}`).sort();
    expect(cluster.contexts.map(({ name, leader, members }) => [name, leader, roles(members)]).sort()).toEqual(
      shown.contexts.map((one) => [one.context, one.leader, roles(one.roles)]).sort(),
    );
    expect(shown.contexts.map(({ context }) => context)).toEqual(['_admin', 'default', 'sales']);
  });

  it.each(pages)('E40 the page %s has its twins on the command line', async (page) => {
    expect(Object.keys(TWINS)).toContain(page);
    for (const command of TWINS[page] ?? [])
      expect(await workspace.ok(command, '--help')).toContain(`Usage: muster ${command}`);
  });
});
