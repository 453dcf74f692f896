// What transformations replaced leaves the disk, and nothing else changes: at every crash, in every copy (client-behaviour TR-7).
import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { encodeTransformation, type TransformationCommand } from '../../../engine/storage/transformations.ts';
import { WireWriter } from '../../../engine/util/wire.ts';
import { eventsEntry, logOf, openStore, plainEntry } from './fixtures.ts';
import { keepAll, keepNothing, MemoryDisk, systemError } from './memory-disk.ts';

const SMALL = { segmentBytes: 1500 };
const FIRST = 'first-version';
const SECOND = 'second-version';
const LAST = 'last-version';
const CANCELLED = 'cancelled-version';
const CHANGED = [0, 1, 5, 9, 17];

function event(sequence: number, text: string): Uint8Array {
  const payload = new WireWriter().text(1, 'Type').bytes(3, Buffer.from(text)).finish();
  const event = new WireWriter().text(1, `m${sequence}`).text(2, 'a').int(3, sequence).text(4, 'Type').int(5, 1000);
  return event.bytes(6, payload).finish();
}

function command(store: GroupStore, value: TransformationCommand): void {
  store.append([plainEntry(store, 1, FrameType.TRANSFORMATION, encodeTransformation(value))]);
}

/** Two events in each of ten entries; a transformation to SECOND, one to LAST with token 9 deleted, a cancelled one. */
async function filled(disk: MemoryDisk): Promise<GroupStore> {
  const { store } = await openStore(disk, '/data', SMALL);
  for (let at = 0; at < 20; at += 2) {
    store.append([eventsEntry(store, 1, [event(at, `${FIRST} ${at}`), event(at + 1, `${FIRST} ${at + 1}`)])]);
    await store.flush();
  }
  for (const [number, text] of [SECOND, LAST, CANCELLED].entries()) {
    const id = `t${number}`;
    command(store, { op: 'start', id, description: '' });
    const events = CHANGED.map((token) => {
      return { token, event: text === LAST && token === 9 ? null : event(token, `${text} ${token}`) };
    });
    command(store, { op: 'events', id, sequence: 0, events });
    if (text === CANCELLED) command(store, { op: 'cancel', id });
    else command(store, { op: 'apply', id, sequence: events.length - 1, at: 1, by: 'me' });
  }
  await store.flush();
  store.setCommitted(store.lastIndex());
  return store;
}

function compact(store: GroupStore): Promise<void> {
  command(store, { op: 'compact', id: '' });
  return store.flush();
}

async function settled(logged: readonly { readonly code: string }[], code = 'COMPACTED'): Promise<void> {
  for (let turn = 0; turn < 5000; turn += 1) {
    if (logged.some((line) => line.code === code)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`no ${code}: ${JSON.stringify(logged)}`);
}

/** How often each version is in any file. */
function onDisk(disk: MemoryDisk): Record<string, number> {
  const bytes = disk.paths().map((name) => disk.content(name).toString('latin1'));
  const count = (text: string): number => bytes.reduce((sum, content) => sum + content.split(text).length - 1, 0);
  return { first: count(FIRST), second: count(SECOND), cancelled: count(CANCELLED) };
}

const seen = (store: GroupStore): string[] =>
  store.readEvents(0, 1000, 1e9).map(({ token, bytes }) => `${token} ${Buffer.from(bytes).toString('base64')}`);

async function facts(store: GroupStore): Promise<unknown> {
  const aggregate = [...store.readAggregate('a', 0, 100)].flat().map(({ token }) => token);
  const digest = await Promise.all(Array.from({ length: 16 }, (_, index) => store.digest(index)));
  // What `verify` compares, whether a member has compacted or not.
  const forms = store.entries(1, 16, 1e9).map((entry) => {
    return Buffer.from(store.transformations.compacted(entry) ?? entry.data).toString('base64');
  });
  return { events: seen(store), aggregate, forms, digest, listed: store.transformations.list(), next: store.nextToken };
}

describe('compaction of transformed events', () => {
  it('TR-7: former versions leave every file, what is shown and the chain stay, also after a restart', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    let { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    const before = await facts(store);
    expect(onDisk(disk)).toEqual({ first: 20, second: CHANGED.length, cancelled: CHANGED.length });
    await compact(store);
    store.setCommitted(store.lastIndex());
    await settled(logged);
    expect(onDisk(disk)).toEqual({ first: 20 - CHANGED.length, second: 0, cancelled: 0 });
    expect(await facts(store)).toEqual(before);
    // The log goes on behind it.
    store.append([eventsEntry(store, 1, [event(20, 'more')])]);
    await store.flush();
    await store.close();
    ({ store, logged } = await openStore(disk, '/data', SMALL));
    store.setCommitted(store.lastIndex() - 1);
    expect(await facts(store)).toMatchObject({ digest: (before as { digest: unknown }).digest });
    await settled(logged);
    // Done before: no file is written again.
    expect(logged.find(({ code }) => code === 'COMPACTED')?.text).toContain('0 entries in 0 segments');
    expect(seen(store).slice(0, 20)).toEqual((before as { events: string[] }).events);
    await store.close();
  });

  it('TR-7: a pass of the scrubber goes on while segments are replaced, and takes the new ones for whole', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    const { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    const during = store.scrub();
    during.steps.next();
    await compact(store);
    store.setCommitted(store.lastIndex());
    await settled(logged);
    expect([...during.steps].length).toBeLessThan(during.segments);
    const after = store.scrub();
    expect([...after.steps].reduce((sum, bytes) => sum + bytes, 0)).toBe(after.totalBytes);
    expect(store.foundDamage).toBeNull();
    await store.close();
  });

  it('TR-7: a segment that is not committed as a whole waits for the commit of its end', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    const { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    await compact(store);
    const asked = store.lastIndex();
    store.append([eventsEntry(store, 1, [event(20, 'not yet committed')])]);
    await store.flush();
    store.setCommitted(asked);
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(logged.map(({ code }) => code)).not.toContain('COMPACTED');
    // The uncommitted end may still be cut away.
    store.truncateFrom(asked + 1);
    store.append([eventsEntry(store, 2, [event(20, 'another leader')])]);
    await store.flush();
    store.setCommitted(store.lastIndex());
    await settled(logged);
    expect(onDisk(disk)).toEqual({ first: 20 - CHANGED.length, second: 0, cancelled: 0 });
    const shown = seen(store);
    await store.close();
    const again = await openStore(disk, '/data', SMALL);
    again.store.setCommitted(again.store.lastIndex());
    expect(seen(again.store)).toEqual(shown);
    await again.store.close();
  });

  it('TR-7: what is transformed and compacted while a compaction runs is done too, without another commit', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    const { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    await compact(store);
    store.setCommitted(store.lastIndex());
    command(store, { op: 'start', id: 'late', description: '' });
    command(store, { op: 'events', id: 'late', sequence: 0, events: [{ token: 3, event: null }] });
    command(store, { op: 'apply', id: 'late', sequence: 0, at: 2, by: 'me' });
    command(store, { op: 'compact', id: '' });
    await store.flush();
    expect(logged.map(({ code }) => code)).not.toContain('COMPACTED');
    store.setCommitted(store.lastIndex());
    const times = (): number => logged.filter(({ code }) => code === 'COMPACTED').length;
    for (let turn = 0; turn < 5000 && times() < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(times()).toBe(2);
    expect(onDisk(disk)).toEqual({ first: 20 - CHANGED.length - 1, second: 0, cancelled: 0 });
    await store.close();
  });

  it('storage §8 a crash at any write, flush or change of names: the log is whole, and the compaction is finished', async () => {
    const source = new MemoryDisk();
    await (await filled(source)).close();
    const { store } = await openStore(source, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    const expected = await facts(store);
    await compact(store);
    const log = logOf(store).length;
    await store.close();
    let points = 0;
    for (let stop = 1; ; stop += 1) {
      const disk = source.copy();
      let operations = 0;
      const count = (): void => {
        operations += 1;
        if (operations === stop) disk.halt();
      };
      const victim = await openStore(disk, '/data', SMALL);
      disk.faults.onWrite = count;
      disk.faults.onSync = count;
      victim.store.setCommitted(victim.store.lastIndex());
      for (let turn = 0; turn < 400 && operations < stop; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      if (operations < stop) {
        await victim.store.close();
        break;
      }
      points += 1;
      for (const keep of [keepAll, keepNothing]) {
        const after = disk.crash(keep, keep === keepAll);
        const { store: again, logged, fatal } = await openStore(after, '/data', SMALL);
        expect([again.damage, again.lastIndex()]).toEqual([null, log]);
        again.setCommitted(again.lastIndex());
        await settled(logged);
        expect(await facts(again), `stop ${stop}`).toEqual(expected);
        expect(onDisk(after)).toEqual({ first: 20 - CHANGED.length, second: 0, cancelled: 0 });
        expect(fatal).toEqual([]);
        await again.close();
      }
    }
    expect(points).toBeGreaterThan(10);
  });

  it('raft §8 frames of a compacted log continue another log: the chain is the same, and a second copy too', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    const { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    await compact(store);
    store.setCommitted(store.lastIndex());
    await settled(logged);
    const copyDisk = new MemoryDisk();
    const copy = await openStore(copyDisk, '/data', SMALL);
    while (copy.store.lastIndex() < store.lastIndex()) {
      const last = copy.store.lastIndex();
      const bytes = store.readFrames(last + 1, store.lastIndex(), 700);
      copy.store.append(copy.store.parseFrames(bytes, last, copy.store.chainAt(last)).entries);
      await copy.store.flush();
    }
    copy.store.setCommitted(store.lastIndex());
    await settled(copy.logged);
    expect(await facts(copy.store)).toEqual(await facts(store));
    expect(onDisk(copyDisk)).toEqual({ first: 20 - CHANGED.length, second: 0, cancelled: 0 });
    await copy.store.close();
    const again = await openStore(copyDisk, '/data', SMALL);
    again.store.setCommitted(store.lastIndex());
    expect(await facts(again.store)).toEqual(await facts(store));
    await again.store.close();
    await store.close();
  });

  it('storage §4 no room for the new file: says so, nothing is lost, the next Compact does it', async () => {
    const disk = new MemoryDisk();
    await (await filled(disk)).close();
    const { store, logged } = await openStore(disk, '/data', SMALL);
    store.setCommitted(store.lastIndex());
    await compact(store);
    await compact(store);
    const before = await facts(store);
    disk.faults.onWrite = (_count, name) => {
      // The one that takes the place of the first segment.
      if (/\/0+1-[0-9a-f]+\.seg$/.test(name)) throw systemError('ENOSPC');
    };
    store.setCommitted(store.lastIndex());
    await settled(logged, 'COMPACTION_FAILED');
    disk.faults.onWrite = () => {};
    expect(await facts(store)).toEqual(before);
    await compact(store);
    store.setCommitted(store.lastIndex());
    await settled(logged);
    expect(onDisk(disk)).toEqual({ first: 20 - CHANGED.length, second: 0, cancelled: 0 });
    await store.close();
  });
});
