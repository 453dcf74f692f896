import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LauncherError } from '../../electron/contract/model.ts';
import { checkSpec } from '../../electron/contract/check.ts';
import { parsePlan } from '../../electron/launcher/plan.ts';
import { generatedProperties } from '../../electron/launcher/properties-file.ts';
import { noSecurity } from '../../electron/launcher/security.ts';
import { listeningInodes, portHolder } from '../../electron/launcher/port-holder.ts';
import { checkPorts, choosePortBlock } from '../../electron/launcher/ports.ts';
import { plan, spec } from './builders.ts';
import { freeFirstPort } from './support.ts';

const allFree = async (): Promise<boolean> => true;
const servers: net.Server[] = [];

async function listen(port: number): Promise<void> {
  const server = net.createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('plan', () => {
  it('decision 11: the first cluster gets 8024, 8124 and 8224 upward, node by node', () => {
    expect(plan().nodes.map((node) => [node.name, node.http, node.grpc, node.internal])).toEqual([
      ['node-1', 8024, 8124, 8224],
      ['node-2', 8025, 8125, 8225],
      ['node-3', 8026, 8126, 8226],
    ]);
  });

  it('survives a round trip through cluster.json', () => {
    expect(parsePlan(JSON.parse(JSON.stringify(plan())), 'cluster.json')).toEqual(plan());
  });

  it.each([null, 7, {}, { version: 2 }, { ...plan(), nodes: [] }, { ...plan(), spec: { ...spec(), nodes: 99 } }])(
    'refuses a damaged cluster.json with CLUSTER_FILE_BROKEN (%#)',
    (value) => {
      expect(() => parsePlan(value, 'cluster.json')).toThrow(LauncherError);
    },
  );
});

describe('choice of ports', () => {
  it('decision 11: skips the blocks of other clusters, whether they run or not', async () => {
    const second = await choosePortBlock(spec({ name: 'two' }), [plan()], allFree);
    expect(second).toEqual({ firstPort: 8034, notes: [] });
  });

  it('launchers 3.1: says who made it leave the default block', async () => {
    const choice = await choosePortBlock(spec(), [], async (port) => port !== 8125);
    expect(choice.firstPort).toBe(8034);
    expect(choice.notes[0]).toContain('Port 8125 was in use');
  });

  it('takes the wanted block as it is, and says when another cluster shares it', async () => {
    const choice = await choosePortBlock(spec({ name: 'two', firstPort: 8025 }), [plan()], allFree);
    expect(choice.firstPort).toBe(8025);
    expect(choice.notes[0]).toContain('only one of the two can run');
  });

  it('fails with NO_FREE_PORTS when every block is taken', async () => {
    const failure = choosePortBlock(spec(), [], async () => false);
    await expect(failure).rejects.toMatchObject({ data: { code: 'NO_FREE_PORTS' } });
  });
});

describe('check of ports before a start', () => {
  const uses = (ownerOf: (pid: number) => string | null = () => null) => ({ ownerOf, freeBlock: async () => 8034 });

  it('launchers 3.1: names port, purpose and holder of a taken port', async () => {
    const firstPort = await freeFirstPort();
    const planned = plan({ firstPort });
    await listen(firstPort + 101);
    const failure = checkPorts(planned, planned.nodes, uses());
    await expect(failure).rejects.toMatchObject({
      data: {
        code: 'PORT_IN_USE',
        port: firstPort + 101,
        node: 'node-2',
        holder: expect.stringContaining(`pid ${process.pid}`),
        free: { firstPort: 8034, port: 8135 },
      },
    });
  });

  it('ux 17: names the own other cluster that holds the port', async () => {
    const firstPort = await freeFirstPort();
    const planned = plan({ firstPort });
    await listen(firstPort);
    const failure = checkPorts(
      planned,
      planned.nodes,
      uses((pid) => (pid === process.pid ? 'billing-dev' : null)),
    );
    await expect(failure).rejects.toMatchObject({
      data: {
        holder: 'your cluster billing-dev',
        holderCluster: 'billing-dev',
        next: ['Stop it: muster down billing-dev', 'Or use other ports: muster ports 8034 -c dev'],
      },
    });
  });

  it('finds the process that listens', async () => {
    const port = await freeFirstPort();
    await listen(port);
    expect((await portHolder(port))?.pid).toBe(process.pid);
    expect(await portHolder(port + 1)).toBeNull();
  });

  it('reads only listening sockets of the port from the table of the kernel', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F58 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1',
      '   1: 0100007F:1F58 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1',
      '   2: 0100007F:1F59 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1',
    ].join('\n');
    expect(listeningInodes(table, 0x1f58)).toEqual(['4711']);
  });
});

describe('complaint 7: addresses that apps can use (launchers.md §3)', () => {
  const properties = (change: object): ReadonlyMap<string, string> => {
    const made = plan(change);
    return new Map(generatedProperties(made, made.nodes[0]!, noSecurity));
  };

  it('apps in Docker are told a name that they can resolve, the nodes go on to find each other, and the ports are open', () => {
    const inDocker = properties({ host: 'host.docker.internal' });
    expect(inDocker.get('axoniq.axonserver.hostname')).toBe('host.docker.internal');
    expect(inDocker.get('axoniq.axonserver.internal-hostname')).toBe('localhost');
    expect(inDocker.get('axoniq.axonserver.autocluster.first')).toBe('localhost:8224');
    expect(inDocker.get('server.address')).toBe('0.0.0.0');
  });

  it('without that choice nobody but this computer gets in; a host that is none is refused', () => {
    expect(properties({}).get('server.address')).toBe('127.0.0.1');
    expect(properties({}).get('axoniq.axonserver.hostname')).toBe('localhost');
    for (const host of ['', 'a b', 'http://x', '-x', 'x'.repeat(300)])
      expect(() => checkSpec(spec({ host }))).toThrow(/host/);
  });
});
