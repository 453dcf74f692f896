// A damaged log: the readable part is kept, what is missing is named until it came back, and no crash in between hides it.
import { describe, expect, it } from 'vitest';
import { segments, settings } from './crash-fixtures.ts';
import { appendEvent, logOf, openStore } from './fixtures.ts';
import { keepAll, MemoryDisk } from './memory-disk.ts';

async function damaged(): Promise<{ disk: MemoryDisk; log: readonly string[]; file: string }> {
  const disk = new MemoryDisk();
  const { store } = await openStore(disk, '/data', settings);
  for (let i = 0; i < 30; i += 1) {
    appendEvent(store, 1);
    await store.flush();
  }
  const log = logOf(store);
  await store.close();
  const file = segments(disk)[1]!;
  const content = disk.content(file);
  content[700]! ^= 1;
  disk.put(file, content);
  return { disk, log, file };
}

describe('a damaged log (raft-design §9: SUSPECT)', () => {
  it('keeps the readable part, names the rest, and stays suspect over restarts until told that it is whole', async () => {
    const { disk, log, file } = await damaged();
    for (let start = 0; start < 3; start += 1) {
      const { store } = await openStore(disk, '/data', settings);
      expect(store.damage).toMatchObject({ from: store.lastIndex() + 1, path: file });
      expect(store.lastIndex()).toBeGreaterThan(3);
      expect(logOf(store)).toEqual(log.slice(0, store.lastIndex()));
      await store.close();
    }
    expect(disk.paths().filter((name) => name.endsWith('.damaged')).length).toBeGreaterThan(0);
  });

  it('takes the missing entries behind the readable part; then it is as it was, on disk as well', async () => {
    const { disk, log } = await damaged();
    const good = await openStore(new MemoryDisk(), '/data', settings);
    for (let i = 0; i < 30; i += 1) appendEvent(good.store, 1);
    const { store } = await openStore(disk, '/data', settings);
    const from = store.lastIndex() + 1;
    // The events differ from run to run in their ids: what counts here is the place, not the text.
    store.append(good.store.entries(from, 30, Number.MAX_SAFE_INTEGER));
    await store.flush();
    await store.clearDamage();
    const whole = logOf(store);
    expect(whole.slice(0, from - 1)).toEqual(log.slice(0, from - 1));
    await store.close();
    const again = await openStore(disk, '/data', settings);
    expect(again.store.damage).toBeNull();
    expect(logOf(again.store)).toEqual(whole);
    await again.store.close();
    expect(disk.paths().filter((name) => /damaged|SUSPECT/.test(name))).toEqual([]);
  });

  it('damage in a running store: the read fails, the store names it, and opened again it is suspect', async () => {
    const disk = new MemoryDisk();
    const first = await openStore(disk, '/data', settings);
    for (let i = 0; i < 30; i += 1) {
      appendEvent(first.store, 1);
      await first.store.flush();
    }
    await first.store.close();
    // Opened again nothing is in memory.
    const { store } = await openStore(disk, '/data', settings);
    expect(store.foundDamage).toBeNull();
    const file = segments(disk)[1]!;
    disk.rot(file, 700);
    expect(() => logOf(store)).toThrow(expect.objectContaining({ code: 'DATA_DAMAGED', path: file }));
    expect(store.foundDamage).toMatchObject({ code: 'DATA_DAMAGED', path: file });
    expect(store.damage).toBeNull();
    await store.close();
    const again = await openStore(disk, '/data', settings);
    expect(again.store.damage).toMatchObject({ path: file });
    expect(again.store.foundDamage).toBeNull();
    await again.store.close();
  });

  it('a crash at any write or flush while it becomes suspect leaves it suspect', async () => {
    const { disk } = await damaged();
    let crashes = 0;
    for (let nth = 1; ; nth += 1) {
      const victim = disk.copy();
      const stop = () => {
        if (victim.writes + victim.syncs >= nth) victim.halt();
      };
      victim.faults.onWrite = stop;
      victim.faults.onSync = stop;
      let opened = false;
      void openStore(victim, '/data', settings).then(() => {
        opened = true;
      });
      for (let turn = 0; turn < 200 && !opened; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      for (const keep of [keepAll, () => []] as const) {
        for (const names of [true, false]) {
          const { store } = await openStore(victim.crash(keep, names), '/data', settings);
          expect(store.damage, `crash ${nth}`).not.toBeNull();
          await store.close();
          crashes += 1;
        }
      }
      if (opened) break;
    }
    expect(crashes).toBeGreaterThan(20);
  });
});
