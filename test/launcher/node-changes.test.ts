// Nodes that come and go, without engines of weight: plans, ports, processes, refusals (ux.md §18). With real ones: test/rows/add-node.test.ts.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterPlan, TaskView } from '../../electron/contract/model.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, processesWith, removeDir, temporaryDir, until } from './support.ts';

let dir = '';
let service: LauncherService;
const open = (): Promise<LauncherService> =>
  openService({ workspace: new Workspace(dir), version: '0', enginePath: fakeEngine, owner: true });

beforeEach(async () => {
  dir = await temporaryDir();
  service = await open();
});
afterEach(async () => {
  await service.killAll();
  await service.shutdown();
  expect(await processesWith(dir)).toEqual([]);
  await removeDir(dir);
});

const ended = (begun: TaskView): Promise<TaskView> =>
  until('the task to end', async () =>
    (await service.tasks()).find((one) => one.id === begun.id && one.state !== 'running'),
  );
const planOnDisk = async (): Promise<ClusterPlan> =>
  JSON.parse(await readFile(path.join(dir, 'clusters', 'dev', 'cluster.json'), 'utf8')) as ClusterPlan;

describe('ux 18: a node more or less', () => {
  it('adds to a stopped cluster: the next name and ports, kept on disk and known to the next launcher', async () => {
    const first = await freeFirstPort();
    await service.createCluster(spec({ nodes: 2, firstPort: first }));
    const task = await ended(await service.addNode('dev'));
    expect([task.state, task.steps.length]).toEqual(['done', 1]);
    const plan = await planOnDisk();
    expect(plan.spec.nodes).toBe(3);
    expect(plan.nodes.map((node) => [node.name, node.http, node.grpc])).toEqual(
      [0, 1, 2].map((i) => [`node-${i + 1}`, first + i, first + 100 + i]),
    );
    expect((await service.getCluster('dev')).nodes.map((node) => node.name)).toEqual(['node-1', 'node-2', 'node-3']);
    await service.shutdown();
    service = await open();
    expect((await service.getCluster('dev')).nodes.length).toBe(3);
  });

  it('adds to a running cluster: the process starts, the others go on, and it stops and starts with them', async () => {
    await service.createCluster(spec({ nodes: 2, firstPort: await freeFirstPort() }));
    await service.startCluster('dev');
    const before = await service.wait('dev', { kind: 'ready' }, 10_000);
    const task = await ended(await service.addNode('dev'));
    expect(task.error).toBeNull();
    const after = await service.getCluster('dev');
    expect(after.nodes.map((node) => node.pid !== null)).toEqual([true, true, true]);
    expect(after.nodes.slice(0, 2).map((node) => node.pid)).toEqual(before.nodes.map((node) => node.pid));
    expect(task.steps.map((step) => step.label)).toEqual([
      expect.stringMatching(/^Plan node-3: gRPC \d+, HTTP \d+$/),
      'Start node-3',
      'Wait until node-3 has joined and caught up',
    ]);
    await service.stopCluster('dev');
    expect(await processesWith(dir)).toEqual([]);
  });

  it('refuses with a reason: the first node, a cluster that is stopped, a node that is not there, one too many', async () => {
    await service.createCluster(spec({ nodes: 9, firstPort: await freeFirstPort() }));
    const code = (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: { data: { code: string } }) => error.data.code);
    expect(await code(service.addNode('dev'))).toBe('NODES_REFUSED');
    expect(await code(service.removeNode('dev', 'node-2'))).toBe('NODES_REFUSED');
    await service.createCluster(spec({ name: 'small', nodes: 2, firstPort: await freeFirstPort() }));
    await service.startCluster('small');
    expect(await code(service.removeNode('small', 'node-1'))).toBe('NODES_REFUSED');
    expect(await code(service.removeNode('small', 'node-7'))).toBe('NODE_NOT_FOUND');
    await service.stopCluster('small');
  });

  it('ux 3.3 duplicates: the same nodes, contexts and roles under another name, with a block of ports of its own', async () => {
    const roles = [
      { node: 'node-1', role: 'PRIMARY' },
      { node: 'node-2', role: 'PASSIVE_BACKUP' },
    ] as const;
    const layout = [{ name: 'default', roles }];
    await service.createCluster(spec({ nodes: 2, layout, firstPort: await freeFirstPort() }));
    const copy = await service.duplicateCluster('dev', 'dev-2');
    expect(copy.spec).toMatchObject({ name: 'dev-2', nodes: 2, layout, firstPort: null });
    const ports = (await service.listClusters()).flatMap((one) => one.grpcPorts);
    expect(new Set(ports).size).toBe(4);
    await expect(service.duplicateCluster('dev', 'dev-2')).rejects.toMatchObject({ data: { code: 'CLUSTER_EXISTS' } });
  });
});
