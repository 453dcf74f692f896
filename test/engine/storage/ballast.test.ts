import { describe, expect, it, vi } from 'vitest';
import { BALLAST_BYTES, BALLAST_FREE_BYTES_MIN, keepBallast } from '../../../engine/storage/ballast.ts';
import { appendEvent, openStore } from './fixtures.ts';
import { MemoryDisk, systemError } from './memory-disk.ts';

const FILE = '/data/ballast';

function withLog() {
  const codes: string[] = [];
  return { codes, log: (_level: string, code: string) => void codes.push(code) };
}

describe('the ballast of a node (storage §3, raft-design §9)', () => {
  it('is made at the end of a segment once a context stores more than it takes', async () => {
    const disk = new MemoryDisk();
    const change = { segmentBytes: 20 * 1024 * 1024 };
    const { store, logged } = await openStore(disk, '/data', change);
    const made = () => logged.some(({ code }) => code === 'BALLAST_MADE');
    const fill = async () => {
      for (let i = 0; i < 6; i += 1) appendEvent(store, 1, 2 * 1024 * 1024);
      await store.flush();
    };
    await fill();
    expect(logged.filter(({ code }) => code === 'SEGMENT_ROLLED').length).toBe(1);
    expect(disk.paths()).not.toContain(FILE);
    await fill();
    await vi.waitFor(() => expect(made()).toBe(true), { timeout: 20_000 });
    expect(disk.crash(() => []).content(FILE).length).toBe(BALLAST_BYTES);
    await store.close();
  }, 60_000);

  it('is not made where little is free, so that it does not take the room that its deletion gave', async () => {
    const disk = new MemoryDisk();
    const { codes, log } = withLog();
    disk.free = BALLAST_FREE_BYTES_MIN - 1;
    await keepBallast(disk, '/data', BALLAST_BYTES, log);
    expect(disk.paths()).toEqual([]);
    disk.free = BALLAST_FREE_BYTES_MIN;
    await Promise.all([1, 2].map(() => keepBallast(disk, '/data', BALLAST_BYTES, log)));
    expect(disk.paths()).toEqual([FILE]);
    expect(codes).toEqual(['BALLAST_MADE']);
  });

  it('ENOSPC on the way leaves nothing behind and is told', async () => {
    const disk = new MemoryDisk();
    const { codes, log } = withLog();
    disk.faults.onWrite = (count) => {
      if (count === 5) throw systemError('ENOSPC');
    };
    await keepBallast(disk, '/data', BALLAST_BYTES, log);
    expect(disk.paths()).toEqual([]);
    expect(codes).toEqual(['BALLAST_FAILED']);
  });
});
