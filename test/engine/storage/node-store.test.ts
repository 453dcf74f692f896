import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeStore } from '../../../engine/storage/api.ts';
import { nodeDisk } from '../../../engine/storage/disk.ts';
import type { Disk } from '../../../engine/storage/disk.ts';
import { decodeDocument, encodeDocument } from '../../../engine/storage/document.ts';
import { holderLives } from '../../../engine/storage/lock.ts';
import type { LockHolder } from '../../../engine/storage/lock.ts';
import { openNodeStore } from '../../../engine/storage/node-store.ts';
import { openStore, temporaryDirectory } from './fixtures.ts';
import { keepNothing, keepSectors, MemoryDisk, systemError } from './memory-disk.ts';

const quiet = () => undefined;
const open = (dir: string, disk: Disk = nodeDisk, nodeName = 'node-1') =>
  openNodeStore({ dir, nodeName, log: quiet, disk });
const refusal = (dir: string, disk: Disk = nodeDisk, nodeName = 'node-1') =>
  open(dir, disk, nodeName).then(
    () => 'opened',
    (error) => error,
  );

const hasProc = existsSync('/proc/self/stat');

describe('the data folder of a node on the real disk', () => {
  let dir: string;
  let remove: () => void;
  let store: NodeStore | null;
  beforeEach(() => {
    ({ dir, remove } = temporaryDirectory());
    dir = path.join(dir, 'data');
    store = null;
  });
  afterEach(async () => {
    await store?.close();
    remove();
  });

  it('raft-design D8 a new folder gets a random store id, which stays', async () => {
    store = await open(dir);
    const { storeId } = store;
    expect(storeId).toMatch(/^[0-9a-f]{16}$/);
    expect([store.groupDirectories(), store.hardState(1), store.readDocument('cluster')]).toEqual([
      [],
      undefined,
      undefined,
    ]);
    await store.close();
    store = await open(dir);
    expect(store.storeId).toBe(storeId);
    const { dir: otherDir, remove: removeOther } = temporaryDirectory();
    const other = await open(otherDir);
    expect(other.storeId).not.toBe(storeId);
    await other.close();
    removeOther();
  });

  it('raft-design §9 hard states and documents survive a restart, per group', async () => {
    store = await open(dir);
    await Promise.all([
      store.saveHardState(1, { term: 3, vote: 'node-2@0123456789abcdef', commit: 17 }),
      store.saveHardState(2, { term: 1, vote: null, commit: 0 }),
      store.saveHardState(1, { term: 4, vote: 'größe@0123456789abcdef', commit: 2 ** 40 }),
    ]);
    await store.writeDocument('cluster', { version: 2, nodes: ['ä'] });
    await store.close();
    store = await open(dir);
    expect(store.hardState(1)).toEqual({ term: 4, vote: 'größe@0123456789abcdef', commit: 2 ** 40 });
    expect(store.hardState(2)).toEqual({ term: 1, vote: null, commit: 0 });
    expect(store.readDocument('cluster')).toEqual({ version: 2, nodes: ['ä'] });
    await store.dropHardState(1);
    await store.close();
    store = await open(dir);
    expect([store.hardState(1), store.hardState(2)?.term]).toEqual([undefined, 1]);
  });

  it('many groups outgrow one page and come back', async () => {
    store = await open(dir);
    const groups = Array.from({ length: 500 }, (_, i) => i + 1);
    await Promise.all(
      groups.map((group) =>
        store!.saveHardState(group, { term: group, vote: `node-${group}@0011223344556677`, commit: 1 }),
      ),
    );
    await store.close();
    store = await open(dir);
    expect(groups.every((group) => store!.hardState(group)?.vote === `node-${group}@0011223344556677`)).toBe(true);
  });

  it('LC-2 the groups on disk are listed by folder name', async () => {
    store = await open(dir);
    const { store: group } = await openStore(nodeDisk, dir);
    await group.close();
    expect(store.groupDirectories()).toEqual(['default']);
  });

  it('DATA_FOLDER_OF_OTHER_NODE and DATA_FROM_NEWER_VERSION name the folder and release the lock', async () => {
    await (await open(dir)).close();
    expect(await refusal(dir, nodeDisk, 'node-2')).toMatchObject({
      code: 'DATA_FOLDER_OF_OTHER_NODE',
      path: path.join(dir, 'node.id'),
    });
    const file = path.join(dir, 'node.id');
    const before = readFileSync(file);
    writeFileSync(file, encodeDocument({ version: 2, somethingElse: true }));
    expect(await refusal(dir)).toMatchObject({ code: 'DATA_FROM_NEWER_VERSION', path: file });
    writeFileSync(file, before.subarray(0, before.length - 3));
    expect(await refusal(dir)).toMatchObject({ code: 'DATA_DAMAGED', path: file });
    writeFileSync(file, before);
    store = await open(dir);
  });

  it('DATA_DAMAGED when node.id is gone but data is there', async () => {
    await (await open(dir)).close();
    mkdirSync(path.join(dir, 'groups', 'default'));
    nodeDisk.unlink(path.join(dir, 'node.id'));
    expect(await refusal(dir)).toMatchObject({ code: 'DATA_DAMAGED', path: path.join(dir, 'node.id') });
  });

  it('DATA_FOLDER_UNWRITABLE when the folder is a file or cannot be written', async () => {
    writeFileSync(dir, 'a file');
    expect(await refusal(dir)).toMatchObject({ code: 'DATA_FOLDER_UNWRITABLE' });
    if (process.getuid?.() === 0) return;
    const locked = path.join(path.dirname(dir), 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    expect(await refusal(locked)).toMatchObject({ code: 'DATA_FOLDER_UNWRITABLE' });
  });

  it('DATA_FOLDER_IN_USE names the process; after close the folder is free', async () => {
    store = await open(dir);
    expect(await refusal(dir)).toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      message: expect.stringContaining(String(process.pid)),
    });
    await store.close();
    expect(existsSync(path.join(dir, 'node.lock'))).toBe(false);
    store = await open(dir);
  });

  it.skipIf(!hasProc)('a lock of a zombie is taken over', async () => {
    await (await open(dir)).close();
    // The shell becomes a sleep that never waits for its child.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const fields = () => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    };
    await vi.waitUntil(() => fields()[0] === 'Z', { interval: 5 });
    const lockFile = path.join(dir, 'node.lock');
    const mine = decodeLockOf(await open(dir), lockFile);
    writeFileSync(lockFile, encodeDocument({ ...mine, pid, startTicks: fields()[19]! }));
    store = await open(dir);
    parent.kill('SIGKILL');
  });

  it.skipIf(!hasProc)(
    'a lock of a killed process or of a reused pid is taken over; that of a stopped one is not',
    async () => {
      await (await open(dir)).close();
      const lockFile = path.join(dir, 'node.lock');
      const child = spawn('sleep', ['60'], { stdio: 'ignore' });
      await once(child, 'spawn');
      const mine = decodeLockOf(await open(dir), lockFile);
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
      const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
      const held: LockHolder = { ...mine, pid: child.pid!, startTicks };
      writeFileSync(lockFile, encodeDocument(held));
      child.kill('SIGSTOP');
      expect(await refusal(dir)).toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
      // Same pid, other start time: the pid was reused.
      expect(holderLives({ ...held, startTicks: '1' })).toBe(false);
      expect(holderLives({ ...held, bootId: 'another boot' })).toBe(false);
      expect(holderLives({ ...held, startTicks: null })).toBe(true);
      expect(holderLives({ ...held, startTicks: null, bootId: null, takenAt: 0 })).toBe(false);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      store = await open(dir);
      expect(store.nodeName).toBe('node-1');
    },
  );

  it('an unreadable lock file is taken over, several starters at once end with one winner', async () => {
    await (await open(dir)).close();
    writeFileSync(path.join(dir, 'node.lock'), 'half');
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => open(dir)));
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(winners).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    store = winners[0]!;
    expect(nodeDisk.list(dir).filter((name) => name.startsWith('node.lock'))).toEqual(['node.lock']);
  });

  it('document names cannot leave the folder', async () => {
    store = await open(dir);
    for (const name of ['../x', 'a/b', '', '.hidden', 'x'.repeat(65)]) {
      expect(() => store!.readDocument(name)).toThrow(RangeError);
      await expect(store.writeDocument(name, 1)).rejects.toThrow(RangeError);
    }
    await Promise.all([1, 2, 3].map((value) => store!.writeDocument('view', { value })));
    expect(store.readDocument('view')).toEqual({ value: 3 });
    const file = path.join(dir, 'documents', 'view');
    const bytes = readFileSync(file);
    bytes[bytes.length - 2]! ^= 1;
    writeFileSync(file, bytes);
    expect(() => store!.readDocument('view')).toThrow(expect.objectContaining({ code: 'DATA_DAMAGED', path: file }));
    expect(statSync(file).size).toBeLessThan(100);
  });
});

function decodeLockOf(store: NodeStore, file: string): LockHolder {
  const holder = decodeDocument(readFileSync(file), file) as LockHolder;
  void store.close();
  return holder;
}

describe('the data folder of a node after a crash', () => {
  it('raft-design §9 saves of all groups in one turn share one fdatasync', async () => {
    const disk = new MemoryDisk();
    const store = await open('/node', disk);
    const before = disk.syncs;
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.saveHardState(i + 1, { term: 1, vote: null, commit: 0 })),
    );
    expect(disk.syncs - before).toBe(1);
  });

  it('raft-design §9 a torn hard state leaves the one before; a resolved save is never lost', async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      let state = seed;
      const next = () => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      const disk = new MemoryDisk();
      const store = await open('/node', disk);
      let saved = 0;
      const saves = 1 + Math.floor(next() * 6);
      for (let term = 1; term <= saves; term += 1) {
        await store.saveHardState(7, { term, vote: `node-${term}@0123456789abcdef`, commit: term });
        saved = term;
      }
      disk.faults.onSync = () => disk.halt();
      void store.saveHardState(7, { term: saved + 1, vote: `node-${saved + 1}@0123456789abcdef`, commit: saved + 1 });
      for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const image = disk.crash(seed % 2 === 0 ? keepNothing : keepSectors(next));
      image.unlink('/node/node.lock');
      const after = await open('/node', image);
      const { term, vote } = after.hardState(7)!;
      expect([saved, saved + 1]).toContain(term);
      expect(vote).toBe(`node-${term}@0123456789abcdef`);
    }
  });

  it('DATA_DAMAGED when both copies of the hard states are unreadable', async () => {
    const disk = new MemoryDisk();
    await (await open('/node', disk)).close();
    const files = disk.paths().filter((name) => name.includes('hardstate'));
    expect(files).toHaveLength(2);
    disk.put(files[0]!, Buffer.alloc(10));
    await (await open('/node', disk)).close();
    for (const file of files) disk.put(file, Buffer.alloc(4096, 7));
    expect(await refusal('/node', disk)).toMatchObject({
      code: 'DATA_DAMAGED',
      path: expect.stringContaining('hardstate'),
    });
  });

  it('storage §8 a first start interrupted at any write or flush is repeated without traces', async () => {
    for (let limit = 1; limit <= 12; limit += 1) {
      const disk = new MemoryDisk();
      const stop = () => {
        if (disk.writes + disk.syncs >= limit) disk.halt();
      };
      disk.faults.onWrite = stop;
      disk.faults.onSync = stop;
      void open('/node', disk);
      for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      for (const keepNames of [true, false]) {
        const after = disk.crash(keepNothing, keepNames);
        // The lock in the image names this very process: a killed one would be recognised by its pid.
        after.unlink('/node/node.lock');
        const store = await open('/node', after);
        await store.saveHardState(1, { term: 1, vote: null, commit: 0 });
        await store.close();
      }
    }
  });

  it('DISK_FULL and DATA_FOLDER_UNWRITABLE at each write of a first start', async () => {
    for (const [system, code] of [
      ['ENOSPC', 'DISK_FULL'],
      ['EROFS', 'DATA_FOLDER_UNWRITABLE'],
      ['EIO', 'DISK_FAILED'],
    ] as const) {
      for (let nth = 1; nth <= 4; nth += 1) {
        const disk = new MemoryDisk();
        disk.faults.onWrite = (count) => {
          if (count === nth) throw systemError(system);
        };
        expect(await refusal('/node', disk), `${system} at write ${nth}`).toMatchObject({ code });
        delete disk.faults.onWrite;
        await (await open('/node', disk)).close();
      }
    }
  });

  it('raft-design §9 after a failed save every later one is refused', async () => {
    const disk = new MemoryDisk();
    const store = await open('/node', disk);
    disk.faults.onSync = () => {
      throw systemError('EIO');
    };
    await expect(store.saveHardState(1, { term: 1, vote: null, commit: 0 })).rejects.toMatchObject({
      code: 'DISK_FAILED',
    });
    delete disk.faults.onSync;
    await expect(store.saveHardState(1, { term: 2, vote: null, commit: 0 })).rejects.toMatchObject({
      code: 'DISK_FAILED',
    });
  });
});
