// Each kind of bad input gets a clear error with a stable code, and what can stay alive does.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode } from '../../engine/control/protocol.ts';
import { encodeFrameHeader, FRAME_HEADER_BYTES, FrameType } from '../../engine/peer/frame.ts';
import { decodeDocument, encodeDocument } from '../../engine/storage/document.ts';
import { event } from './client.ts';
import { Workspace } from './cli.ts';
import { ELECTION_MS_MAX, TestCluster } from './harness.ts';
import { freeBlock } from './ports.ts';
import { HOST, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const GARBAGE = Buffer.from('this is neither a frame nor HTTP/2 nor a request\r\n\r\n'.repeat(64));
/** Moments within the first boot at which the process is killed. */
const KILL_AFTER_MS = [20, 60, 120, 200, 300, 450];

/** Sends bytes and resolves when the other side closed the connection, or after `timeoutMs` when it stays open. */
function sendBytes(port: number, bytes: Uint8Array, timeoutMs = 5000): Promise<'closed' | 'open'> {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST, () => socket.write(bytes));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('open');
    }, timeoutMs);
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve('closed');
    });
  });
}

async function refused(
  node: TestNode,
): Promise<{ readonly exitCode: number | null; readonly code: string; readonly message: string }> {
  const exit = await until(`${node.name} to refuse`, START_MS_MAX, () => node.exit);
  return { exitCode: exit.code, code: node.fatal?.code ?? '', message: node.fatal?.message ?? node.consoleTail() };
}

function dataFiles(node: TestNode): string[] {
  const folder = path.join(node.dir, 'data');
  return readdirSync(folder, { recursive: true }).map((name) => path.join(folder, String(name)));
}

const unreadable: readonly (readonly [string, (node: TestNode) => void])[] = [
  ['a missing file', () => undefined],
  ['a folder', (node) => void mkdirSync(node.propertiesFile)],
  ['a huge file', (node) => writeFileSync(node.propertiesFile, Buffer.alloc(2 * 1024 * 1024, 97))],
];

describe('bad input at the start of an engine', () => {
  let cluster: TestCluster | null = null;
  afterEach(async () => {
    await cluster?.dispose();
    cluster = null;
  });
  const single = async (): Promise<TestNode> => {
    cluster = await TestCluster.create({ nodes: 1, contexts: '_admin,default' });
    return cluster.at(1);
  };

  it('PORT_IN_USE a taken port is named and nothing else is left running', async () => {
    const node = await single();
    const holder = net.createServer();
    await new Promise<void>((resolve) => holder.listen(node.ports.grpc, '127.0.0.1', resolve));
    try {
      node.start();
      const answer = await refused(node);
      expect(answer).toMatchObject({ exitCode: ExitCode.PORT_IN_USE, code: 'PORT_IN_USE' });
      expect(answer.message).toContain(String(node.ports.grpc));
    } finally {
      holder.close();
    }
  });

  it.each(unreadable)('PROPERTIES_UNREADABLE %s instead of a properties file', async (_what, prepare) => {
    const node = await single();
    mkdirSync(node.dir, { recursive: true });
    prepare(node);
    node.spawn();
    expect(await refused(node)).toMatchObject({ exitCode: ExitCode.BAD_CONFIGURATION, code: 'PROPERTIES_UNREADABLE' });
  });

  it('SETTING_INVALID a value that cannot be meant is refused with its key', async () => {
    const node = await single();
    node.properties = { ...node.properties, port: 'eighty' };
    node.start();
    const answer = await refused(node);
    expect(answer).toMatchObject({ exitCode: ExitCode.BAD_CONFIGURATION, code: 'SETTING_INVALID' });
    expect(answer.message).toContain('axoniq.axonserver.port');
  });

  it('SETTING_UNKNOWN an unknown key is reported, kept and otherwise without effect', async () => {
    const node = await single();
    node.properties = { ...node.properties, 'no-such-key': 'kept' };
    node.start();
    await cluster?.usable(['_admin', 'default']);
    const log = readFileSync(path.join(node.dir, 'console.log'), 'utf8');
    expect(log).toMatch(/SETTING_UNKNOWN/);
    expect(log).toContain('no-such-key');
    expect(readFileSync(node.propertiesFile, 'utf8')).toContain('no-such-key=kept');
  });

  it('DATA_FOLDER_OF_OTHER_NODE a data folder of another node is refused', async () => {
    const node = await single();
    node.start();
    await cluster?.usable(['_admin', 'default']);
    await node.stop();
    node.properties = { ...node.properties, name: 'somebody-else' };
    node.start();
    expect(await refused(node)).toMatchObject({ exitCode: ExitCode.DATA_REFUSED, code: 'DATA_FOLDER_OF_OTHER_NODE' });
  });

  it('DATA_FROM_NEWER_VERSION a data folder of another version is refused', async () => {
    const node = await single();
    node.start();
    await cluster?.usable(['_admin', 'default']);
    await node.stop();
    let changed = 0;
    for (const file of dataFiles(node)) {
      if (!statSync(file).isFile() || statSync(file).size > 1024 * 1024) continue;
      const bytes = readFileSync(file);
      if (!bytes.toString('latin1', 0, 10).startsWith('MUSTER-DOC')) continue;
      const document = decodeDocument(bytes, file) as Record<string, unknown>;
      if (typeof document['version'] !== 'number') continue;
      writeFileSync(file, encodeDocument({ ...document, version: 999 }));
      changed += 1;
    }
    expect(changed).toBeGreaterThan(0);
    node.start();
    expect(await refused(node)).toMatchObject({ exitCode: ExitCode.DATA_REFUSED, code: 'DATA_FROM_NEWER_VERSION' });
  });

  it('DISK_FULL a full disk at the start is said, with the folder', async (context) => {
    const node = await single();
    const folder = path.join(node.dir, 'data');
    mkdirSync(folder, { recursive: true });
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { encoding: 'utf8' });
    if (mount.status !== 0) return context.skip(`needs the right to mount: ${mount.stderr}`);
    try {
      writeFileSync(path.join(folder, 'filler'), Buffer.alloc(60 * 1024));
      node.start();
      const answer = await refused(node);
      expect(answer.code).toBe('DISK_FULL');
      expect([ExitCode.DATA_REFUSED, ExitCode.DISK_FAILED]).toContain(answer.exitCode);
      expect(answer.message).toContain('data');
    } finally {
      await node.kill();
      spawnSync('umount', [folder]);
    }
  });

  it('a first boot that is killed at any moment leaves a node that starts and forms its cluster', async () => {
    for (const delay of KILL_AFTER_MS) {
      const node = await single();
      node.start();
      await new Promise((resolve) => setTimeout(resolve, delay));
      await node.kill();
      node.start();
      await cluster?.usable(['_admin', 'default']);
      await node.client().append([event(`after-${delay}`, 0)]);
      await cluster?.dispose();
    }
  });
});

describe('garbage on the ports of a running node', () => {
  let cluster: TestCluster;
  let term = 0;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 2, contexts: '_admin,default' });
    term = cluster.term('default');
  });
  afterAll(() => cluster?.dispose());

  async function servesOn(aggregate: string): Promise<void> {
    const node = cluster.at(1);
    expect(node.running).toBe(true);
    await node.client().append([event(aggregate, 0)]);
    expect((await node.me()).name).toBe('node-1');
    expect(cluster.term('default')).toBe(term);
  }
  const log = (): string => readFileSync(path.join(cluster.at(1).dir, 'console.log'), 'utf8');

  it('PEER_NOT_A_PEER garbage on the internal port closes that connection only', async () => {
    expect(await sendBytes(cluster.at(1).ports.internal, GARBAGE)).toBe('closed');
    await until('the log line', ELECTION_MS_MAX, () => log().includes('PEER_NOT_A_PEER'));
    await servesOn('after-garbage');
  });

  it('PEER_FRAME_BAD_CRC a frame with a wrong checksum closes that connection only', async () => {
    const body = Buffer.from('hello');
    const broken = Buffer.concat([encodeFrameHeader(FrameType.HELLO, body), Buffer.from('jello')]);
    expect(await sendBytes(cluster.at(1).ports.internal, broken)).toBe('closed');
    const header = encodeFrameHeader(FrameType.HELLO, body);
    header.writeUInt8((header.at(FRAME_HEADER_BYTES - 1) ?? 0) ^ 0xff, FRAME_HEADER_BYTES - 1);
    expect(await sendBytes(cluster.at(1).ports.internal, header)).toBe('closed');
    await until('the log line', ELECTION_MS_MAX, () => log().includes('PEER_FRAME_BAD_CRC'));
    await servesOn('after-bad-crc');
  });

  it('PEER_FRAME_TOO_LARGE a frame that announces more than the limit closes that connection only', async () => {
    // 64 MiB of zeros as a body would be above the limit of a stranger by far: the header alone must end the connection.
    const header = encodeFrameHeader(FrameType.HELLO, Buffer.alloc(64 * 1024 * 1024));
    expect(await sendBytes(cluster.at(1).ports.internal, header)).toBe('closed');
    await until('the log line', ELECTION_MS_MAX, () => log().includes('PEER_FRAME_TOO_LARGE'));
    await servesOn('after-large');
  });

  it('garbage on the gRPC port closes that connection only', async () => {
    expect(await sendBytes(cluster.at(1).ports.grpc, GARBAGE)).toBe('closed');
    await servesOn('after-grpc-garbage');
  });

  it('garbage on the HTTP port closes that connection only', async () => {
    expect(await sendBytes(cluster.at(1).ports.http, GARBAGE)).toBe('closed');
    const broken = await fetch(`http://${HOST}:${cluster.at(1).ports.http}/v1/context`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"context":',
    });
    expect(broken.status).toBe(400);
    await servesOn('after-http-garbage');
  });
});

describe('bad input to the launcher', () => {
  const workspace = new Workspace();
  afterAll(() => workspace.dispose());

  it('PORT_IN_USE a taken port is refused before anything starts, naming its holder', async () => {
    const firstPort = await freeBlock(3);
    const holder = net.createServer();
    await new Promise<void>((resolve) => holder.listen(firstPort + 1, '127.0.0.1', resolve));
    try {
      const result = await workspace.muster(
        'up',
        'taken',
        '--nodes',
        '3',
        '--first-port',
        String(firstPort),
        '--throw-away',
        '--detach',
      );
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('PORT_IN_USE');
      expect(result.stderr).toContain(String(firstPort + 1));
      expect(result.stderr).toContain(`pid ${process.pid}`);
    } finally {
      holder.close();
    }
  });

  it('PROPERTIES_FOREIGN a properties file that Muster did not write is not overwritten', async () => {
    const firstPort = await freeBlock(3);
    const args = ['--nodes', '1', '--first-port', String(firstPort), '--detach', '--wait', '30s'];
    const cluster = await workspace.json<{ nodes: { propertiesFile: string }[] }>('up', 'foreign', ...args);
    const file = cluster.nodes[0]?.propertiesFile ?? '';
    await workspace.ok('down', 'foreign');
    writeFileSync(file, 'axoniq.axonserver.name=mine\n');
    const result = await workspace.muster('up', 'foreign', '--detach');
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('PROPERTIES_FOREIGN');
    expect(readFileSync(file, 'utf8')).toBe('axoniq.axonserver.name=mine\n');
  });

  it('exits with 2 and the reason for arguments that make no sense', async () => {
    for (const args of [
      ['up', 'x', '--nodes', 'many'],
      ['no-such-command'],
      ['wait', 'leader:default', '--timeout', 'soon'],
    ]) {
      const result = await workspace.muster(...args);
      expect(result.code, args.join(' ')).toBe(2);
      expect(result.stderr).not.toBe('');
    }
  });
});
