import { spawn } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSameProcess, readIdentity } from '../../electron/launcher/process-identity.ts';
import { lockHolder, readJson, takeHostLock, Workspace, writeJsonAtomic } from '../../electron/launcher/workspace.ts';
import { removeDir, temporaryDir, until } from './support.ts';

let dir = '';
beforeEach(async () => {
  dir = await temporaryDir();
});
afterEach(() => removeDir(dir));

describe('workspace', () => {
  it('one process hosts: of ten contenders exactly one gets the lock, the others learn who holds it', async () => {
    const workspace = new Workspace(dir);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => takeHostLock(workspace)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const failure = results.find((result) => result.status === 'rejected');
    expect(failure?.reason).toMatchObject({
      data: { code: 'WORKSPACE_BUSY', why: expect.stringContaining(String(process.pid)) },
    });
  });

  it('a released lock can be taken again', async () => {
    const workspace = new Workspace(dir);
    const lock = await takeHostLock(workspace);
    expect(await lockHolder(workspace)).toBe(process.pid);
    await lock.release();
    expect(await lockHolder(workspace)).toBeNull();
    await (await takeHostLock(workspace)).release();
  });

  it('a lock of a dead process, or of another process with the same pid, holds nothing', async () => {
    const workspace = new Workspace(dir);
    await workspace.prepare();
    await writeFile(
      path.join(dir, 'host-1.lock'),
      JSON.stringify({ pid: process.pid, startMark: 'of an earlier boot' }),
    );
    expect(await lockHolder(workspace)).toBeNull();
    await takeHostLock(workspace);
    expect((await readdir(dir)).filter((name) => name.endsWith('.lock'))).toEqual(['host-2.lock']);
  });

  it('keeps the token in a file that only the user can read', async () => {
    const workspace = new Workspace(dir);
    const first = await workspace.writeToken();
    expect(first.length).toBeGreaterThanOrEqual(32);
    expect((await stat(workspace.tokenFile)).mode & 0o777).toBe(0o600);
    expect(await workspace.writeToken()).not.toBe(first);
  });

  it('writes JSON atomically and leaves no temporary file', async () => {
    const file = path.join(dir, 'x.json');
    await Promise.all([1, 2, 3].map((value) => writeJsonAtomic(file, { value })));
    expect(await readJson(file)).toHaveProperty('value');
    expect(await readdir(dir)).toEqual(['x.json']);
  });

  it('says WORKSPACE_UNUSABLE when the folder is a file', async () => {
    await writeFile(path.join(dir, 'file'), '');
    await expect(new Workspace(path.join(dir, 'file')).prepare()).rejects.toMatchObject({
      data: { code: 'WORKSPACE_UNUSABLE' },
    });
  });
});

describe('identity of a process', () => {
  it('decision 16: a zombie or a dead process is not the one we knew', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const identity = await until('identity', () => readIdentity(child.pid ?? 0));
    expect(await isSameProcess(identity)).toBe(true);
    expect(await isSameProcess({ ...identity, startMark: 'other' })).toBe(false);
    child.kill('SIGKILL');
    await until('gone', async () => !(await isSameProcess(identity)));
    expect(await readIdentity(-1)).toBeNull();
  });
});
