// The unmodified Java connector as an application on one node and as a console on another: event processors, contexts,
// scheduled events, ad-hoc queries.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { CONNECTORS, JavaApp } from './java-app.ts';

describe.each(CONNECTORS)('the Java connector %s on three nodes', (connector) => {
  const app = new JavaApp(connector);
  const workspace = new Workspace();
  let found: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    build();
    await app.build();
    const cluster = await workspace.up('admin', 3, await freeBlock(3));
    const servers = cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(',');
    found = await app.run('AdminMain', { 'as.servers': servers, out: path.join(workspace.home, 'admin') });
  });
  afterAll(() => workspace.dispose());

  it('EP-10 to EP-22 processors are seen and told what to do through another node, and their failures come back', () => {
    expect(found).toMatchObject({
      connector,
      capacity: 4,
      pause: 'SUCCESS',
      start: 'SUCCESS',
      split: 'SUCCESS',
      strategies: 2,
    });
    expect(found['obeyed']).toBe('pause start split0 merge0');
    expect(found['merge']).toContain('[AXONIQ-1004]');
  });

  it('AD-4, AD-9, AD-10 contexts, nodes and connected applications', () => {
    expect(found).toMatchObject({ contexts: '_admin default orders', members: 3, nodes: 3, application: true });
  });

  it('SC-1 to SC-5 events are scheduled, rescheduled, cancelled and published', () => {
    expect(found).toMatchObject({ cancelled: true, fired: 'second' });
  });

  it('QE-2, QE-8 an ad-hoc query ends when it is not live, and a live one tells what changed', () => {
    expect(found).toMatchObject({ row: 'second [0]', ended: true, count: 1, liveCount: 2 });
  });
});
