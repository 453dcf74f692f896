import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type { ClusterSpec, ClusterView } from '../../electron/contract/model.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { contextOf, nodeOf, spec } from './builders.ts';
import { fakeEngine, freeFirstPort, isFree, processesWith, removeDir, temporaryDir, until } from './support.ts';

const READY_MS = 10_000;
let dir = '';
let service: LauncherService;

async function open(): Promise<LauncherService> {
  return openService({ workspace: new Workspace(dir), version: '0', enginePath: fakeEngine, owner: true });
}

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

async function create(change: Partial<ClusterSpec> = {}): Promise<string> {
  const wanted = spec({ firstPort: await freeFirstPort(), ...change });
  await service.createCluster(wanted);
  return wanted.name;
}

async function running(change: Partial<ClusterSpec> = {}): Promise<ClusterView> {
  const name = await create(change);
  await service.startCluster(name);
  return service.wait(name, { kind: 'ready' }, READY_MS);
}

const pidsOf = (view: ClusterView): readonly (number | null)[] => view.nodes.map((node) => node.pid);

describe('a cluster of engine processes', () => {
  it('becomes usable: three processes, a leader per context, a handshake on each node', async () => {
    const view = await running();
    expect(view.state).toBe('usable');
    expect(view.nodes.every((node) => node.state === 'ready' && node.pid !== null)).toBe(true);
    expect(view.contexts.map((context) => [context.name, context.leader])).toEqual([
      ['default', 'node-1'],
      ['_admin', 'node-1'],
    ]);
    expect(view.usableAfterMs).toBeGreaterThan(0);
    expect((await processesWith(dir)).length).toBe(3);
  });

  it('S23 kills the leader on purpose: no crash, a new leader of a higher term, and it comes back', async () => {
    const before = await running();
    expect(await service.actOnNode('dev', 'leader:default', 'kill')).toEqual(['node-1']);
    const killed = await service.getCluster('dev');
    expect(nodeOf(killed, 'node-1')).toMatchObject({
      state: 'stopped',
      pid: null,
      exit: { signal: 'SIGKILL', expected: true },
    });
    const afterTerm = contextOf(before).term;
    const elected = await service.wait('dev', { kind: 'leader', context: 'default', afterTerm }, READY_MS);
    expect(contextOf(elected).leader).toBe('node-2');
    await service.actOnNode('dev', 'node-1', 'start');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
    const texts = (await service.timeline('dev', 0)).map((event) => event.text);
    expect(texts).toContain('kill node-1 (leader:default).');
    expect(texts.some((text) => text.startsWith('default: node-2 leads'))).toBe(true);
  });

  it('UX-10 a part of the timeline is a script of what was done in it, and takes notes', async () => {
    await running();
    const from = Date.now();
    await service.setDisk('dev', 'leader:default', { slowMs: 20 });
    const cut = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
    await service.setLinks('dev', [
      { from: 'node-1', to: 'node-3', ...cut },
      { from: 'node-3', to: 'node-1', ...cut },
    ]);
    await service.heal('dev');
    const { term: afterTerm } = contextOf(await service.getCluster('dev'));
    await service.actOnNode('dev', 'leader:default', 'kill');
    await service.wait('dev', { kind: 'leader', context: 'default', afterTerm }, READY_MS);
    const pinned: TimelineEvent[] = [];
    service.on('timeline', (event) => pinned.push(event));
    const note = await service.addNote('dev', from, 'here the app lost its handler');
    expect([note.at, pinned]).toEqual([from, [note]]);
    expect((await service.addNote('dev', from + 86_400_000, 'later')).at, 'not in the future').toBeLessThan(
      from + 86_400_000,
    );
    // The fault may be of the same millisecond.
    expect((await service.timeline('dev', from)).slice(0, 2)).toContainEqual(note);
    const id = note.id ?? '';
    const edited = await service.editNote('dev', id, 'here the app lost IssueCard');
    expect(edited).toEqual({ ...note, text: 'here the app lost IssueCard' });
    const notes = async () => (await service.timeline('dev', 0)).filter((event) => event.id === id);
    expect(await notes()).toEqual([edited]);
    await service.removeNote('dev', id);
    expect(pinned.at(-1)).toMatchObject({ id, removed: true });
    expect(await notes()).toEqual([]);
    await expect(service.editNote('dev', id, 'x')).rejects.toMatchObject({ data: { code: 'NOTE_NOT_FOUND' } });
    const lines = (await service.timelineScript('dev', from, Date.now())).split('\n');
    expect(lines.map((line) => line.replace(/^at \S+ /, '')).slice(1)).toEqual([
      'slow-disk leader(default) 20ms',
      'cut node-1 and node-3',
      'heal all',
      'kill leader(default)',
      'wait leader(default) within 30000ms',
      ...lines.slice(6),
    ]);
    expect(await service.timelineScript('dev', from - 5, from - 1)).toContain('# nothing that a script can repeat');
  });

  it('UX-10 another launcher can look at any moment of a run that is over', async () => {
    await running();
    const at = Date.now();
    await service.actOnNode('dev', 'node-3', 'kill');
    await service.stopCluster('dev');
    await service.shutdown();
    service = await open();
    expect((await service.pastView('dev', at)).view.state).toBe('usable');
    const lane = (await service.history('dev')).nodes.find(({ name }) => name === 'node-3');
    expect(lane?.spans.at(-1)?.state).toBe('stopped');
    await expect(service.pastView('other', at)).rejects.toMatchObject({ data: { code: 'CLUSTER_NOT_FOUND' } });
  });

  it('a process that ends unasked is shown as crashed with its exit', async () => {
    const view = await running();
    process.kill(nodeOf(view, 'node-3').pid ?? 0, 'SIGKILL');
    const crashed = await until('crash seen', async () => {
      const node = nodeOf(await service.getCluster('dev'), 'node-3');
      return node.state === 'crashed' ? node : null;
    });
    expect(crashed.exit).toMatchObject({ signal: 'SIGKILL', expected: false, errorCode: 'ENGINE_CRASHED' });
    expect(crashed.exit?.lastLines.length).toBeGreaterThan(0);
  });

  it('freezes and resumes a node; a stop of a frozen node still works', async () => {
    await running();
    await service.actOnNode('dev', 'node-3', 'freeze');
    expect(nodeOf(await service.getCluster('dev'), 'node-3').state).toBe('frozen');
    await service.actOnNode('dev', 'node-3', 'resume');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
    await service.actOnNode('dev', 'node-3', 'freeze');
    await service.actOnNode('dev', 'node-3', 'stop');
    expect(nodeOf(await service.getCluster('dev'), 'node-3').state).toBe('stopped');
  });

  it('restarts a node under a new pid', async () => {
    const before = await running();
    await service.actOnNode('dev', 'node-2', 'restart');
    const view = await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(nodeOf(view, 'node-2').pid).not.toBe(nodeOf(before, 'node-2').pid);
  });

  it('cuts links through the engines, tells a restarted engine again, and heals', async () => {
    await running();
    const none = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
    await service.setLinks('dev', [
      { from: 'node-1', to: 'node-2', ...none },
      { from: 'node-1', to: 'node-3', ...none },
    ]);
    const told = async (node: string): Promise<number> => {
      const [log] = await service.readLogs('dev', [node], 1000);
      return log?.lines.filter((line) => line.code === 'FAULTS' && line.text.includes('"cut":true')).length ?? 0;
    };
    expect((await service.getCluster('dev')).faults).toHaveLength(2);
    await until('node-1 told', async () => (await told('node-1')) === 1 && (await told('node-3')) === 1);
    expect(nodeOf(await service.getCluster('dev'), 'node-1').state).toBe('isolated');
    await service.actOnNode('dev', 'node-3', 'restart');
    await until('node-3 told again', async () => (await told('node-3')) === 2);
    await service.heal('dev');
    expect((await service.getCluster('dev')).faults).toEqual([]);
    await service.wait('dev', { kind: 'ready' }, READY_MS);
  });

  it('breaks disks through the engines: told again after a restart, a failing one is gone with its process', async () => {
    await running();
    expect(await service.setDisk('dev', 'leader:default', { slowMs: 40 })).toEqual(['node-1']);
    expect((await service.getCluster('dev')).diskFaults).toMatchObject([{ node: 'node-1', slowMs: 40 }]);
    const told = async (): Promise<number> => {
      const [log] = await service.readLogs('dev', ['node-1'], 1000);
      return log?.lines.filter((line) => line.code === 'DISK' && line.text.includes('"slowMs":40')).length ?? 0;
    };
    await until('node-1 told', async () => (await told()) === 1);
    await service.actOnNode('dev', 'node-1', 'restart');
    await until('node-1 told again', async () => (await told()) === 2);
    await service.setDisk('dev', 'node-1', { failing: true });
    const failed = await until('node-1 ended', async () => {
      const view = await service.getCluster('dev');
      return nodeOf(view, 'node-1').state === 'crashed' ? view : null;
    });
    expect(nodeOf(failed, 'node-1').exit).toMatchObject({ code: 74, expected: false, errorCode: 'DISK_FAILED' });
    expect(failed.diskFaults).toMatchObject([{ node: 'node-1', slowMs: 40, failing: false }]);
    await service.heal('dev');
    expect((await service.getCluster('dev')).diskFaults ?? []).toEqual([]);
    const texts = (await service.timeline('dev', 0)).map((event) => event.text);
    expect(texts).toContain('Disk of node-1: every flush takes 40 ms longer.');
  });

  it('a second start of a running cluster starts nothing', async () => {
    const before = await running();
    expect(pidsOf(await service.startCluster('dev'))).toEqual(pidsOf(before));
  });

  it('launchers 3.4: keeps data and ports over a stop and a start', async () => {
    const before = await running();
    expect(await service.stopCluster('dev')).toEqual({ deleted: [] });
    expect((await service.getCluster('dev')).state).toBe('stopped');
    await service.startCluster('dev');
    const again = await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(again.nodes.map((node) => node.grpc)).toEqual(before.nodes.map((node) => node.grpc));
    expect(await readFile(path.join(nodeOf(again, 'node-1').dir, 'data', 'fake-store'), 'utf8')).toBe('node-1');
  });

  it('launchers 3.3: throw-away data is deleted at the stop, and said so', async () => {
    const view = await running({ data: 'throw-away' });
    expect(await service.stopCluster('dev')).toEqual({ deleted: [view.dir] });
    expect(await service.listClusters()).toEqual([]);
    await expect(readFile(path.join(view.dir, 'cluster.json'))).rejects.toThrow();
  });

  it('two clusters run at once and do not see each other', async () => {
    const [one, two] = [await running({ name: 'one' }), await running({ name: 'two' })];
    expect(new Set([...pidsOf(one), ...pidsOf(two)]).size).toBe(6);
    await service.stopCluster('one');
    expect((await service.getCluster('two')).state).toBe('usable');
  });

  it('ux 3.2: the preview of a plan has the lines that the first node then reads', async () => {
    const wish = spec({ firstPort: await freeFirstPort(), timing: 'axon' });
    const { properties } = await service.planCluster(wish);
    expect(properties).toContain('axoniq.axonserver.muster.timing-profile=axon');
    await service.createCluster(wish);
    await service.startCluster('dev');
    const [first] = (await service.getCluster('dev')).nodes;
    expect((await readFile(first?.propertiesFile ?? '', 'utf8')).split('\n')).toEqual(
      expect.arrayContaining([...properties]),
    );
  });

  it('ux 17: names the own cluster that holds a port', async () => {
    const firstPort = await freeFirstPort();
    await running({ name: 'one', firstPort });
    await create({ name: 'two', firstPort });
    await expect(service.startCluster('two')).rejects.toMatchObject({
      data: { code: 'PORT_IN_USE', holder: 'your cluster one' },
    });
    expect((await service.getCluster('two')).state).toBe('stopped');
  });

  it('bad input: a taken port stops the start before any process runs, and names the holder', async () => {
    const firstPort = await freeFirstPort();
    const blocker = net.createServer();
    await new Promise<void>((resolve) => blocker.listen(firstPort + 201, '127.0.0.1', resolve));
    await create({ firstPort });
    await expect(service.startCluster('dev')).rejects.toMatchObject({
      data: { code: 'PORT_IN_USE', port: firstPort + 201, holder: expect.stringContaining(String(process.pid)) },
    });
    expect(await processesWith(dir)).toEqual([]);
    await new Promise((resolve) => blocker.close(resolve));
    await service.startCluster('dev');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
  });

  it('bad input: an engine that refuses its settings fails the wait at once with its own code', async () => {
    const name = await create();
    await service.startCluster(name);
    await service.wait(name, { kind: 'ready' }, READY_MS);
    await service.actOnNode(name, 'node-2', 'stop');
    await appendFile(
      nodeOf(await service.getCluster(name), 'node-2').propertiesFile,
      'fake.fatal=The value of x is wrong.\n',
    );
    await service.actOnNode(name, 'node-2', 'start');
    await expect(service.wait(name, { kind: 'ready' }, READY_MS)).rejects.toMatchObject({
      data: { code: 'BAD_SETTING', node: 'node-2', why: expect.stringContaining('The value of x is wrong.') },
    });
  });

  it('waits in vain: NOT_READY_IN_TIME carries the why sentence', async () => {
    await running();
    await service.actOnNode('dev', 'node-2', 'kill');
    await service.actOnNode('dev', 'node-3', 'kill');
    await expect(
      service.wait('dev', { kind: 'leader', context: 'default', afterTerm: null }, 300),
    ).rejects.toMatchObject({
      data: { code: 'NOT_READY_IN_TIME', why: expect.stringContaining('1 of 3 voting members reachable, 2 needed') },
    });
  });
});

describe('guards', () => {
  it('decision 8, AC-14: refuses a first node that lost its data while others have theirs; the others work on', async () => {
    const view = await running();
    await service.stopCluster('dev');
    await rm(path.join(nodeOf(view, 'node-1').dir, 'data'), { recursive: true });
    await service.startCluster('dev');
    await expect(service.wait('dev', { kind: 'ready' }, READY_MS)).rejects.toMatchObject({
      data: { code: 'WIPED_FIRST_NODE' },
    });
    await service.wait('dev', { kind: 'leader', context: 'default', afterTerm: null }, READY_MS);
    await expect(service.actOnNode('dev', 'node-1', 'start')).rejects.toMatchObject({
      data: {
        code: 'WIPED_FIRST_NODE',
        next: expect.arrayContaining([expect.stringContaining('muster rm dev --yes')]),
      },
    });
    expect((await service.getCluster('dev')).warnings.join()).toContain('WIPED_FIRST_NODE');
  });

  it('a cluster whose every node was emptied starts anew', async () => {
    const view = await running();
    await service.stopCluster('dev');
    await Promise.all(view.nodes.map((node) => rm(path.join(node.dir, 'data'), { recursive: true })));
    await service.startCluster('dev');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
  });

  it('decision 16: a frozen engine of a dead host is found by identity and ended at the next start', async () => {
    const view = await running();
    const pid = nodeOf(view, 'node-2').pid ?? 0;
    const processes = path.join(view.dir, 'processes.json');
    const remembered = await until('processes noted', async () => {
      const text = await readFile(processes, 'utf8').catch(() => '');
      return text.includes(String(pid)) ? text : null;
    });
    process.kill(pid, 'SIGSTOP');
    const second = await temporaryDir();
    await mkdir(path.join(second, 'clusters', 'dev'), { recursive: true });
    await writeFile(
      path.join(second, 'clusters', 'dev', 'cluster.json'),
      await readFile(path.join(view.dir, 'cluster.json'), 'utf8'),
    );
    await writeFile(path.join(view.dir, 'processes.json'), remembered);
    const next = await open();
    expect((await processesWith(dir)).includes(pid)).toBe(false);
    expect((await next.timeline('dev', 0)).some((event) => event.text.includes('left behind'))).toBe(true);
    const told = /of an earlier Muster still ran \(.*node-2.*\); .* stopped, since an engine takes orders only from/;
    expect((await next.getCluster('dev')).leftBehind).toMatch(told);
    expect((await next.listClusters())[0]?.leftBehind).toMatch(told);
    await next.shutdown();
    await removeDir(second);
  });

  it('a broken cluster folder is skipped and named; the others work', async () => {
    await mkdir(path.join(dir, 'clusters', 'torn'), { recursive: true });
    await writeFile(path.join(dir, 'clusters', 'torn', 'cluster.json'), '{"version":');
    await create({ name: 'fine' });
    const again = await open();
    expect((await again.listClusters()).map((cluster) => cluster.name)).toEqual(['fine']);
    expect(again.broken[0]?.dir).toContain('torn');
  });

  it('refuses to remove a running cluster, to create one twice, and to touch an unknown one', async () => {
    await running();
    await expect(service.removeCluster('dev')).rejects.toMatchObject({ data: { code: 'CLUSTER_RUNNING' } });
    await expect(service.createCluster(spec())).rejects.toMatchObject({ data: { code: 'CLUSTER_EXISTS' } });
    await expect(service.startCluster('nope')).rejects.toMatchObject({ data: { code: 'CLUSTER_NOT_FOUND' } });
    await expect(service.actOnNode('dev', 'node-9', 'kill')).rejects.toMatchObject({
      data: { code: 'NODE_NOT_FOUND' },
    });
  });

  it('says ENGINE_MISSING when the engine is not built', async () => {
    const blind = await openService({
      workspace: new Workspace(dir),
      version: '0',
      enginePath: '/no/engine.js',
      owner: true,
    });
    await blind.createCluster(spec({ firstPort: await freeFirstPort() }));
    await expect(blind.startCluster('dev')).rejects.toMatchObject({ data: { code: 'ENGINE_MISSING' } });
  });

  it('creates a context through the REST call of the admin leader and passes its refusal on', async () => {
    await running();
    await service.createContext('dev', 'billing', [{ node: 'node-1', role: 'PRIMARY' }]);
    await until('context seen', async () =>
      (await service.getCluster('dev')).contexts.some((context) => context.name === 'billing'),
    );
    await expect(service.createContext('dev', 'default', [])).rejects.toMatchObject({
      data: { code: 'CONTEXT_REFUSED', why: expect.stringContaining('AXONIQ-1304') },
    });
  });

  it('frees every port at the end', async () => {
    const view = await running();
    await service.stopCluster('dev');
    expect(await isFree(nodeOf(view, 'node-1').grpc)).toBe(true);
  });
});
