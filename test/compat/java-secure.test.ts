// The unmodified Java connector on a cluster made with `muster up --tls --access-control`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { CONNECTORS, JavaApp } from './java-app.ts';

describe.each(CONNECTORS)('the Java connector %s with a token, over TLS', (connector) => {
  const app = new JavaApp(connector);
  const workspace = new Workspace();
  beforeAll(async () => {
    build();
    await app.build();
  });
  afterAll(() => workspace.dispose());

  it('HD-1, HD-3, HD-5: appends and reads with the token and the certificate, and appends nothing with another token', async () => {
    const cluster = await workspace.up('secure', 1, await freeBlock(1), '--tls', '--access-control');
    const folder = path.join(cluster.dir, 'security');
    const { application } = JSON.parse(readFileSync(path.join(folder, 'tokens.json'), 'utf8')) as {
      readonly application: string;
    };
    const found = await app.run('SecureMain', {
      'as.servers': cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(','),
      'as.token': application,
      'as.trust': path.join(folder, 'ca.pem'),
      out: path.join(workspace.home, 'secure'),
    });
    expect(found).toEqual({ connector, last: 0, refused: 'yes', still: 0 });
  });
});
