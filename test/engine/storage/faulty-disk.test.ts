import { describe, expect, it } from 'vitest';
import { FaultyDisk, NO_DISK_FAULTS } from '../../../engine/storage/faulty-disk.ts';
import { MemoryDisk } from './memory-disk.ts';

describe('faults of a disk, set by the launcher (decision 15)', () => {
  it('passes everything through until a fault is set', async () => {
    const disk = new FaultyDisk(new MemoryDisk());
    const file = disk.open('/a', 'create');
    await file.write([Buffer.from('abc')], 0);
    await file.sync();
    expect(disk.readFile('/a')?.toString()).toBe('abc');
  });

  it('failing: every flush ends with EIO, of files and of folders, and nothing became durable', async () => {
    const memory = new MemoryDisk();
    const disk = new FaultyDisk(memory);
    const file = disk.open('/d/a', 'create');
    await disk.syncDirectory('/d');
    disk.faults = { ...NO_DISK_FAULTS, failing: true };
    await file.write([Buffer.from('abc')], 0);
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await expect(disk.syncDirectory('/d')).rejects.toMatchObject({ code: 'EIO' });
    expect(memory.crash(() => []).readFile('/d/a')?.length).toBe(0);
  });

  it('full: new files and growth fail with ENOSPC, what is allocated can be overwritten and read', async () => {
    const disk = new FaultyDisk(new MemoryDisk());
    const file = disk.open('/a', 'create');
    await file.write([Buffer.alloc(8)], 0);
    disk.faults = { ...NO_DISK_FAULTS, full: true };
    await file.write([Buffer.from('12345678')], 0);
    await file.sync();
    await expect(file.write([Buffer.alloc(2)], 7)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => disk.open('/b', 'create-new')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(() => disk.open('/b', 'create')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(disk.open('/a', 'create').size()).toBe(8);
    disk.faults = NO_DISK_FAULTS;
    await file.write([Buffer.alloc(2)], 7);
  });

  it('slow: a flush takes at least as much longer as set', async () => {
    const disk = new FaultyDisk(new MemoryDisk());
    const file = disk.open('/a', 'create');
    disk.faults = { ...NO_DISK_FAULTS, slowMs: 30 };
    const start = performance.now();
    await file.sync();
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
  });
});
