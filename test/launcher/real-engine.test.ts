import { existsSync } from 'node:fs';
import net from 'node:net';
import { appendFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LauncherError } from '../../electron/contract/model.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { connect, metadataOf } from '../engine/rpc/axon-test-client.ts';
import { contextOf, nodeOf, spec } from './builders.ts';
import { freeFirstPort, processesWith, removeDir, root, temporaryDir } from './support.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const READY_MS = 30_000;
const MINUTE_MS = 60_000;
const SKEW_MS = 5 * MINUTE_MS;
let dir = '';
let service: LauncherService;

beforeAll(async () => {
  dir = await temporaryDir();
  const enginePath = path.join(dir, 'engine', 'main.js');
  await build({
    entryPoints: [path.join(root, 'engine', 'main.ts')],
    outfile: enginePath,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  service = await openService({ workspace: new Workspace(dir), version: '0', enginePath, owner: true });
});
afterAll(async () => {
  await service.killAll();
  await service.shutdown();
  expect(await processesWith(dir)).toEqual([]);
  await removeDir(dir);
});

describe('the launcher on real engines', () => {
  it('UX-13: the self-test starts an engine, a client is answered, and nothing of it is left', async () => {
    const { checks } = await service.selfTest();
    expect(checks.at(-1)).toMatchObject({ code: 'OK', what: expect.stringContaining('a client was answered') });
    expect(await processesWith(path.join(dir, 'self-test'))).toEqual([]);
    expect((await readdir(dir)).filter((name) => name.includes('self-test'))).toEqual([]);
  });

  it('item 2: three engines form a cluster from the generated properties alone', async () => {
    await service.createCluster(spec({ firstPort: await freeFirstPort(), contexts: ['default', 'orders'] }));
    await service.startCluster('dev');
    const view = await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(view.contexts.map((context) => [context.name, context.usable, context.members.length])).toEqual([
      ['default', true, 3],
      ['orders', true, 3],
      ['_admin', true, 3],
    ]);
    expect(view.warnings).toEqual([]);
  });

  it('B11 what the engines say of missing leaders while they form is marked harmless, and of leaders not', async () => {
    const read = await service.readLogs('dev', ['node-1', 'node-2', 'node-3'], 1000);
    const said = read.flatMap(({ lines }) => lines.filter((line) => line.code === 'RAFT_STATE'));
    const named = said.filter((line) => !line.text.endsWith('leader none'));
    expect(named.filter((line) => line.harmless !== undefined)).toEqual([]);
    for (const context of ['_admin', 'default', 'orders']) {
      const first = said.find((line) => line.context === context && !named.includes(line));
      expect(first?.harmless, context).toContain('first leader');
    }
  });

  it('S23, S29: a killed leader is replaced in a higher term, comes back and catches up', async () => {
    const afterTerm = contextOf(await service.getCluster('dev')).term;
    const killed = await service.actOnNode('dev', 'leader:default', 'kill');
    const elected = await service.wait('dev', { kind: 'leader', context: 'default', afterTerm }, READY_MS);
    expect(contextOf(elected).leader).not.toBe(killed[0]);
    await service.actOnNode('dev', killed[0] ?? '', 'start');
    await service.wait('dev', { kind: 'caught-up', node: null }, READY_MS);
  });

  it('S12: without a majority there is no usable leader, and the why sentence says so', async () => {
    await service.actOnNode('dev', 'node-2', 'freeze');
    await service.actOnNode('dev', 'node-3', 'kill');
    const why = contextOf(await service.getCluster('dev')).why;
    expect(why.sentence).toContain('1 of 3 voting members reachable, 2 needed.');
    await service.actOnNode('dev', 'node-2', 'resume');
    await service.wait('dev', { kind: 'leader', context: 'default', afterTerm: null }, READY_MS);
    await service.actOnNode('dev', 'node-3', 'start');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
  });

  it('S26: a leader that is cut off is not usable; the others elect one of a higher term; healing brings it back', async () => {
    const before = contextOf(await service.getCluster('dev'));
    const leader = before.leader ?? '';
    const others = ['node-1', 'node-2', 'node-3'].filter((node) => node !== leader);
    const links = others.flatMap((other) => [
      { from: leader, to: other },
      { from: other, to: leader },
    ]);
    await service.setLinks(
      'dev',
      links.map((link) => ({ ...link, cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 })),
    );
    const elected = await service.wait('dev', { kind: 'leader', context: 'default', afterTerm: before.term }, READY_MS);
    expect(contextOf(elected).leader).not.toBe(leader);
    expect(nodeOf(elected, leader).state).toBe('isolated');
    const beats = async () => {
      const { members } = contextOf(await service.getCluster('dev'));
      return members.flatMap(({ node, heartbeats }) => (heartbeats === undefined ? [] : [[node, heartbeats] as const]));
    };
    const cutOff = new Map(await beats());
    const reached = others.find((node) => cutOff.has(node)) ?? '';
    await expect
      .poll(async () => new Map(await beats()).get(reached), { timeout: READY_MS })
      .toBeGreaterThan((cutOff.get(reached) ?? 0) + 5);
    expect(new Map(await beats()).get(leader), 'it answers nothing that does not reach it').toBe(cutOff.get(leader));
    await service.heal('dev');
    await service.wait('dev', { kind: 'caught-up', node: null }, READY_MS);
    await expect
      .poll(async () => {
        const { members } = contextOf(await service.getCluster('dev'));
        return members.filter(({ appliedIndex, lastIndex }) => appliedIndex === lastIndex).length;
      })
      .toBe(3);
    await expect
      .poll(async () => new Map(await beats()).get(leader), { timeout: READY_MS })
      .toBeGreaterThan(cutOff.get(leader) ?? 0);
  });

  it('UX-4.1 a skewed clock: the leader fires what is due by it and stamps it so; healed, stamps are right again', async () => {
    const { leader } = contextOf(await service.getCluster('dev'));
    const { grpc } = nodeOf(await service.getCluster('dev'), leader ?? '');
    await service.skewClock('dev', 'leader:default', SKEW_MS);
    const client = connect(grpc, 'event.proto', 'event.EventScheduler');
    const before = Date.now();
    try {
      // Due in four minutes, which is a minute ago by a clock that is five minutes ahead.
      const event = { message_identifier: 'due', payload: { type: 'Due', revision: '', data: Buffer.from('{}') } };
      await new Promise<void>((resolve, reject) => {
        client['ScheduleEvent']?.(
          { instant: before + SKEW_MS - MINUTE_MS, event },
          metadataOf({ 'AxonIQ-Context': 'default' }),
          (error: unknown) => (error ? reject(error as Error) : resolve()),
        );
      });
    } finally {
      client.close();
    }
    const stored = async (type: string): Promise<number> => {
      const page = await service.readEvents('dev', 'default', { filter: { type }, fromToken: null, max: 10 });
      return page.events[0]?.timestamp ?? 0;
    };
    await expect.poll(() => stored('Due'), { timeout: READY_MS }).toBeGreaterThanOrEqual(before + SKEW_MS);
    await service.skewClock('dev', 'all', -SKEW_MS);
    const plain = {
      revision: '',
      aggregateType: '',
      aggregateId: '',
      sequence: null,
      payload: '{}',
      metaData: {},
      tags: [],
    };
    await service.appendEvent('dev', 'default', { ...plain, type: 'Early' });
    expect(await stored('Early')).toBeLessThan(before);
    await service.heal('dev');
    const healed = Date.now();
    await service.appendEvent('dev', 'default', { ...plain, type: 'Healed' });
    expect(Math.abs((await stored('Healed')) - healed)).toBeLessThan(MINUTE_MS);
    expect((await service.getCluster('dev')).clockFaults).toBeUndefined();
  });

  it('launchers 3.4: stops gracefully with exit code 0 and comes back with its contexts', async () => {
    await service.stopCluster('dev');
    const stopped = await service.getCluster('dev');
    expect(stopped.nodes.map((node) => node.exit)).toEqual(
      Array(3).fill(expect.objectContaining({ code: 0, expected: true })),
    );
    await service.startCluster('dev');
    const view = await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(view.contexts.map((context) => context.name)).toEqual(['default', 'orders', '_admin']);
  });

  it('ux 17: a stopped cluster moves to the free block that PORT_IN_USE names, starts there, keeps its events and can stop and start', async () => {
    await service.stopCluster('dev');
    const { nodes } = await service.getCluster('dev');
    const blocker = net.createServer();
    await new Promise<void>((resolve) => blocker.listen(nodes[1]?.grpc, '127.0.0.1', resolve));
    const refused = await service.startCluster('dev').then(
      () => null,
      (error: unknown) => (error as LauncherError).data,
    );
    expect(refused).toMatchObject({ code: 'PORT_IN_USE', port: nodes[1]?.grpc });
    const { firstPort = 0, port } = refused?.free ?? {};
    expect(port).toBe(firstPort + 101);
    const moved = async (): Promise<number[]> => (await service.getCluster('dev')).nodes.map((node) => node.http);
    const { id } = await service.changePorts('dev', firstPort);
    const task = () => service.tasks().then((list) => list.find((one) => one.id === id));
    await expect.poll(async () => (await task())?.state, { timeout: READY_MS }).not.toBe('running');
    expect(await task()).toMatchObject({ state: 'done', error: null });
    await new Promise((resolve) => blocker.close(resolve));
    expect(await moved()).toEqual([firstPort, firstPort + 1, firstPort + 2]);
    const page = await service.readEvents('dev', 'default', { filter: { type: 'Due' }, fromToken: null, max: 10 });
    expect(page.events).toHaveLength(1);
    await expect(service.changePorts('dev', null)).rejects.toMatchObject({ data: { code: 'CLUSTER_RUNNING' } });
    await service.stopCluster('dev');
    expect(existsSync(path.join(nodes[1]?.dir ?? '', 'recovery.json')), 'recorded, so not needed again').toBe(false);
    await service.startCluster('dev');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
    expect(await moved()).toEqual([firstPort, firstPort + 1, firstPort + 2]);
  });

  it('ux §6 the host name that apps are told is changed and changed back: nodes tell the new one, events stay', async () => {
    const { nodes } = await service.startCluster('dev');
    await service.wait('dev', { kind: 'ready' }, READY_MS);
    const before = contextOf(await service.getCluster('dev')).lastToken;
    const card = { type: 'CardIssued', revision: '', aggregateType: '', aggregateId: 'host-1', sequence: null };
    await service.appendEvent('dev', 'default', { ...card, payload: '{}', metaData: {}, tags: [] });
    const change = async (host: string | null): Promise<void> => {
      const { id } = await service.changeHost('dev', host);
      const task = async () => (await service.tasks()).find((one) => one.id === id);
      await vi.waitFor(async () => expect((await task())?.state).toBe('done'), { timeout: MINUTE_MS, interval: 100 });
    };
    const told = async (): Promise<readonly string[]> => {
      const answer = await fetch(`http://127.0.0.1:${nodes[1]?.http}/v1/public`);
      return ((await answer.json()) as readonly { readonly hostName: string }[]).map(({ hostName }) => hostName);
    };
    for (const [host, name] of [
      ['host.docker.internal', 'host.docker.internal'],
      [null, 'localhost'],
    ] as const) {
      await change(host);
      await vi.waitFor(async () => expect(new Set(await told())).toEqual(new Set([name])), { timeout: READY_MS });
      expect((await service.snippet('dev', 'default', 'spring')).text).toContain(`servers=${name}:`);
    }
    expect(contextOf(await service.getCluster('dev')).lastToken).toBe((before ?? -1) + 1);
  });

  it('bad input: an engine that cannot use its settings tells its own code through the launcher', async () => {
    await service.actOnNode('dev', 'node-3', 'stop');
    const node = nodeOf(await service.getCluster('dev'), 'node-3');
    await appendFile(node.propertiesFile, 'axoniq.axonserver.max-message-size=many\n');
    await service.actOnNode('dev', 'node-3', 'start');
    await expect(service.wait('dev', { kind: 'ready' }, READY_MS)).rejects.toMatchObject({
      data: { code: 'SETTING_INVALID', node: 'node-3' },
    });
  });
});
