import { appendFile, readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskView } from '../../electron/contract/model.ts';
import { USER_MARK } from '../../electron/launcher/properties-file.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, removeDir, temporaryDir, until } from './support.ts';

const READY_MS = 20_000;
const KEY = 'axoniq.axonserver.max-message-size';
let dir = '';
let service: LauncherService;

beforeEach(async () => {
  dir = await temporaryDir();
  service = await openService({ workspace: new Workspace(dir), version: '0', enginePath: fakeEngine, owner: true });
  await service.createCluster(spec({ firstPort: await freeFirstPort() }));
});
afterEach(async () => {
  await service.killAll();
  await service.shutdown();
  await removeDir(dir);
});

async function run(): Promise<void> {
  await service.startCluster('dev');
  await service.wait('dev', { kind: 'ready' }, READY_MS);
}

describe('ux 12: the properties of a node', () => {
  it('keeps yours below the generated part, tells unknown keys, and writes nothing that would stop the node', async () => {
    const saved = await service.setConfig('dev', 'node-1', `${KEY}=8MB\naxoniq.axonserver.no-such-key=1\n`);
    expect(saved.unknownKeys).toEqual(['axoniq.axonserver.no-such-key']);
    expect(saved.needsRestart, 'nothing runs').toBe(false);
    const text = await readFile(saved.file, 'utf8');
    expect(text.slice(text.indexOf(USER_MARK))).toContain(`${KEY}=8MB`);
    expect(saved.generated.find((line) => line.key === 'axoniq.axonserver.name')).toMatchObject({ value: 'node-1' });
    expect(saved.generated.every((line) => line.why !== '')).toBe(true);

    await expect(service.setConfig('dev', 'node-1', `${KEY}=plenty\n`)).rejects.toMatchObject({
      data: { code: 'CONFIG_REFUSED' },
    });
    await expect(service.setConfig('dev', 'node-1', 'server.port=1\n')).rejects.toMatchObject({
      data: { code: 'PROPERTIES_CONFLICT' },
    });
    await expect(service.getConfig('dev', 'node-9')).rejects.toMatchObject({ data: { code: 'NODE_NOT_FOUND' } });
    expect(await readFile(saved.file, 'utf8')).toBe(text);
  });

  it('UX-12 what is set on every node leaves the lines of one alone, which win, and is written on all or on none', async () => {
    await service.setConfig('dev', 'node-2', `${KEY}=8MB\nmy.own=\\\n  two\n`);
    expect((await service.getClusterConfig('dev')).yours).toBe('');
    await service.setClusterConfig('dev', `# ours\n${KEY}=4MB\n`);
    expect((await service.getConfig('dev', 'node-1')).yours).toBe(`# ours\n${KEY}=4MB\n`);
    expect((await service.getConfig('dev', 'node-2')).yours).toBe(`# ours\n${KEY}=4MB\n${KEY}=8MB\nmy.own=\\\n  two\n`);
    for (const [text, code] of [
      [`${KEY}=plenty\n`, 'CONFIG_REFUSED'],
      ['server.port=1\n', 'PROPERTIES_CONFLICT'],
    ]) {
      await expect(service.setClusterConfig('dev', text ?? '')).rejects.toMatchObject({ data: { code } });
    }
    const { yours, ownLines } = await service.getClusterConfig('dev');
    expect([yours, ownLines]).toEqual([`# ours\n${KEY}=4MB\n`, ['node-2']]);
    await service.setClusterConfig('dev', '');
    expect((await service.getConfig('dev', 'node-1')).yours).toBe('');
    expect((await service.getConfig('dev', 'node-2')).yours).toBe(`${KEY}=8MB\nmy.own=\\\n  two\n`);
  });

  it('UX-12 every generated key has a reason of its own, for every kind of cluster', async () => {
    const kinds = [{}, { accessControl: true, tls: true, host: 'host.docker.internal', dcb: true }] as const;
    for (const [at, kind] of kinds.entries()) {
      const name = `kind-${at}`;
      await service.createCluster(spec({ name, firstPort: await freeFirstPort(), ...kind }));
      const { generated } = await service.getConfig(name, 'node-1');
      expect(generated.filter((line) => line.why === '').map((line) => line.key)).toEqual([]);
    }
  });

  it('an edit from outside asks for a restart; a rolling restart applies it node by node, the leader last', async () => {
    await run();
    const before = await service.getConfig('dev', 'node-2');
    expect(before.needsRestart).toBe(false);
    await appendFile(before.file, `${KEY}=8MB\n`);
    const edited = await service.getConfig('dev', 'node-2');
    expect(edited).toMatchObject({ needsRestart: true, yours: `${KEY}=8MB\n` });
    const changedAt = async (): Promise<number | undefined> =>
      (await service.getCluster('dev')).nodes[1]?.propertiesChangedAt;
    expect(await until('the view to tell it', changedAt)).toBe(edited.changedAt);

    expect(edited.differences).toMatchObject([{ key: KEY, yours: '8MB', inForce: null, waits: true }]);

    const pids = (await service.getCluster('dev')).nodes.map((node) => node.pid);
    const { id } = await service.rollingRestart('dev');
    const ended: TaskView = await until(
      'the task to end',
      async () => (await service.tasks()).find((task) => task.id === id && task.state !== 'running'),
      READY_MS,
    );
    expect(ended).toMatchObject({ state: 'done', error: null });
    expect(ended.steps.at(-1)?.label).toMatch(/^Restart node-1 /);
    const view = await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(view.nodes.filter((node, i) => node.pid === pids[i])).toEqual([]);
    expect(await changedAt(), 'applied').toBeUndefined();
    const applied = await service.getConfig('dev', 'node-2');
    expect(applied).toMatchObject({ needsRestart: false, differences: [{ key: KEY, inForce: '8MB', waits: false }] });
  });

  it('a rolling restart begins with a node that is down, so that never two are', async () => {
    await run();
    await service.actOnNode('dev', 'node-3', 'kill');
    await until('the kill', async () => (await service.getCluster('dev')).nodes[2]?.state === 'stopped');
    const down: number[] = [];
    service.on('view', ({ nodes }) => down.push(nodes.filter(({ state }) => state !== 'ready').length));
    const { id } = await service.rollingRestart('dev');
    const ended: TaskView = await until(
      'the task to end',
      async () => (await service.tasks()).find((task) => task.id === id && task.state !== 'running'),
      READY_MS,
    );
    expect(ended).toMatchObject({ state: 'done', error: null });
    expect(ended.steps.map(({ label }) => label.split(' ')[1])).toEqual(['node-3', 'node-2', 'node-1']);
    expect(Math.max(...down)).toBe(1);
  });

  it('a rolling restart of a stopped cluster is refused', async () => {
    await expect(service.rollingRestart('dev')).rejects.toMatchObject({ data: { code: 'CLUSTER_NOT_RUNNING' } });
  });
});
