// The unmodified Java connector as two consumers of one persistent stream on two nodes, and as one that transforms events.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { CONNECTORS, JavaApp } from './java-app.ts';

describe.each(CONNECTORS)(
  'persistent streams and event transformation of the Java connector %s on three nodes',
  (connector) => {
    const app = new JavaApp(connector);
    const workspace = new Workspace();
    let found: Readonly<Record<string, unknown>>;
    let transformed: Readonly<Record<string, unknown>>;
    beforeAll(async () => {
      build();
      await app.build();
      const cluster = await workspace.up('streams', 3, await freeBlock(3));
      const servers = cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(',');
      const properties = { 'as.servers': servers, out: path.join(workspace.home, 'streams') };
      found = await app.run('StreamsMain', properties);
      transformed = await app.run('TransformationMain', properties);
    });
    afterAll(() => workspace.dispose());

    it('PS-1 to PS-5, PS-9 segments are shared, handed over and acknowledged; every event is handled once', () => {
      expect(found).toEqual({ connector, first: 40, once: true, both: true });
    });

    it('TR-1 to TR-4, TR-6 events are deleted and replaced through another node than the leader', () => {
      const shown = 'T:old 0,empty:,T:old 2,T:new 3,T:old 4';
      expect(transformed).toEqual({ connector, shown, state: 'APPLIED', lastSequence: 1 });
    });
  },
);
