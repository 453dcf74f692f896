// The control port of a running host: closed, moved, with a new token; over the real loopback server.
import net from 'node:net';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectHost, type Host, openHost } from '../../electron/launcher/host.ts';
import { connectRemote } from '../../electron/launcher/remote-client.ts';
import { fakeEngine, freeFirstPort, isFree, removeDir, temporaryDir, until } from './support.ts';

let home = '';
let host: Host | null = null;

const open = async (closable = true, port: number | null = null): Promise<Host> => {
  host = await openHost({
    workspaceDir: home,
    version: '1',
    enginePath: fakeEngine,
    uiDir: null,
    port,
    closable,
    background: false,
  });
  return host;
};

beforeEach(async () => {
  home = await temporaryDir();
});
afterEach(async () => {
  await host?.close();
  await removeDir(home);
});

describe('control port', () => {
  it('UX-13: off closes it for everybody, commands say so at once with a code, and on opens it again', async () => {
    const { service } = await open();
    const before = await service.controlPort();
    expect(await connectRemote(before.url ?? '', before.token ?? '').about()).toMatchObject({ version: '1' });
    expect(await service.changeControlPort('off')).toMatchObject({ wish: 'off', url: null, token: null, page: null });
    await until('nobody listens', () => isFree(Number(new URL(before.url ?? '').port)));
    await expect(connectHost(home)).rejects.toMatchObject({ data: { code: 'CONTROL_PORT_OFF' } });
    const again = await service.changeControlPort(0);
    expect((await connectHost(home))?.control.url).toBe(again.url);
  });

  it('UX-13: a port that was chosen is kept for the next start; the caller over the old one gets its answer', async () => {
    const first = await open();
    const wish = await freeFirstPort();
    const { url, token } = await first.service.controlPort();
    const moved = await connectRemote(url ?? '', token ?? '').changeControlPort(wish);
    expect(moved.url).toBe(`http://127.0.0.1:${wish}`);
    await first.close();
    const { service } = await open();
    expect(await service.controlPort()).toMatchObject({ wish, url: `http://127.0.0.1:${wish}` });
  });

  it('UX-13: a port that is taken is refused and changes nothing; taken at the start, the app starts without and says why', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    try {
      await until('listens', () => taken.listening);
      const { port } = taken.address() as net.AddressInfo;
      const first = await open();
      const before = await first.service.controlPort();
      await expect(first.service.changeControlPort(port)).rejects.toMatchObject({ data: { code: 'PORT_IN_USE' } });
      expect(await first.service.controlPort()).toEqual(before);
      await first.close();
      const { service } = await open(true, port);
      expect(await service.controlPort()).toMatchObject({ url: null, problem: { code: 'PORT_IN_USE' } });
      await expect(open(false, port)).rejects.toMatchObject({ data: { code: 'WORKSPACE_BUSY' } });
    } finally {
      taken.close();
    }
  });

  it('UX-13: after a new token the former one opens nothing, and who listened with it is cut off', async () => {
    const { service } = await open();
    const before = await service.controlPort();
    const old = connectRemote(before.url ?? '', before.token ?? '');
    const { ended } = await old.openEvents();
    const after = await old.newToken();
    expect(after.token).not.toBe(before.token);
    expect(await readFile(after.tokenFile, 'utf8')).toBe(after.token);
    await ended;
    await expect(old.about()).rejects.toMatchObject({ data: { code: 'UNAUTHORISED' } });
    expect(await (await connectHost(home))?.client.about()).toMatchObject({ version: '1' });
  });

  it('UX-13: where it is the only way in, the wish is kept for the next start and said so', async () => {
    const { service } = await open(false, 0);
    const { url } = await service.controlPort();
    expect(await service.changeControlPort('off')).toMatchObject({ wish: 'off', url, fixed: expect.any(String) });
    expect(await connectHost(home)).not.toBeNull();
  });
});
