// Spoilt files of a data folder: opened as they are, refused by name, or told as damage; never another error. What a bit too many or
// too few does to confirmed entries is the business of test/engine/storage.
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDamage } from '../../engine/storage/damage.ts';
import { StorageError } from '../../engine/storage/errors.ts';
import { HardStates } from '../../engine/storage/hard-states.ts';
import { readManifest } from '../../engine/storage/manifest.ts';
import { SyncedMark } from '../../engine/storage/synced-mark.ts';
import { settings } from '../engine/storage/crash-fixtures.ts';
import { appendEvent, openStore } from '../engine/storage/fixtures.ts';
import { MemoryDisk } from '../engine/storage/memory-disk.ts';
import { encodeDocument } from '../../engine/storage/document.ts';
import { fuzz, type Target } from './fuzz.ts';

const DIR = '/data/groups/default';
const ENTRIES = 14;
const FILE_RUNS = 300;

/** A folder with some closed segments and all files that belong to them. */
async function grown(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { store } = await openStore(disk, '/data', settings);
  for (let entry = 0; entry < ENTRIES; entry += 1) {
    appendEvent(store, 1, 10);
    await store.flush();
  }
  await store.close();
  return disk;
}

const grownDisk = await grown();
const names = grownDisk.paths().filter((name) => !name.endsWith('.lock'));

function onDisk(path: string, bytes: Buffer): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIR);
  disk.put(path, bytes);
  return disk;
}

/** What a document may say although its checksum is right. */
const ODD = [
  null,
  0,
  'text',
  [],
  {},
  { version: 1 },
  { version: 1, group: 1, nextId: 2, segments: [{}] },
  { segments: 'x' },
];

const single: readonly Target[] = [
  {
    name: 'records of damage',
    corpus: [encodeDocument({ from: 3, path: 'x', offset: 1, reason: 'why' })],
    parse: (bytes) => readDamage(onDisk(`${DIR}/SUSPECT`, bytes), DIR),
    refusals: [StorageError],
  },
  {
    name: 'manifests',
    corpus: [grownDisk.content(`${DIR}/MANIFEST`)],
    parse: (bytes) => readManifest(onDisk(`${DIR}/MANIFEST`, bytes), DIR, 1),
    refusals: [StorageError],
  },
  {
    name: 'marks of what is synced',
    corpus: [Buffer.alloc(3 * 4096)],
    parse: (bytes) => new SyncedMark(onDisk(`${DIR}/synced`, bytes), DIR, () => {}).load(),
    refusals: [],
  },
];

describe('spoilt files of a data folder', () => {
  it.each(single)('raft-tests S6 $name: taken or refused, never another error', async (target) => {
    await fuzz(target);
    expect(target.corpus.length).toBeGreaterThan(0);
  });

  it('raft-tests S6 hard states: the other copy is taken, both spoilt are refused', async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(DIR);
    await HardStates.create(disk, DIR);
    const [a, b] = HardStates.paths(DIR);
    const slots = [disk.content(a), disk.content(b)];
    const parse = (bytes: Buffer): void => {
      const copy = onDisk(a, bytes);
      copy.put(b, bytes);
      HardStates.open(copy, DIR);
    };
    expect(await fuzz({ name: 'hard states', corpus: slots, parse, refusals: [StorageError] })).toBeGreaterThan(0);
  });

  it.each(ODD.map((value) => [JSON.stringify(value), value] as const))(
    'raft-tests S6 documents that say %s under a right checksum are refused by name',
    async (_text, value) => {
      const bytes = encodeDocument(value);
      for (const name of [`${DIR}/MANIFEST`, `${DIR}/SUSPECT`]) {
        const disk = grownDisk.copy();
        disk.put(name, bytes);
        const thrown = await openStore(disk, '/data', settings).then(
          () => null,
          (error: unknown) => error,
        );
        expect(thrown).toBeInstanceOf(StorageError);
        expect(thrown).toMatchObject({ code: 'DATA_DAMAGED' });
      }
    },
  );

  it('raft-tests S6 a document that is no JSON under a right checksum is damage', () => {
    const body = Buffer.from('{"version":');
    const header = `MUSTER-DOC ${crc32(body).toString(16).padStart(8, '0')} ${body.length}\n`;
    const disk = onDisk(`${DIR}/MANIFEST`, Buffer.concat([Buffer.from(header), body]));
    expect(() => readManifest(disk, DIR, 1)).toThrow(StorageError);
  });

  it.each(names)('raft-tests S6 a whole folder in which %s is spoilt opens, is suspect or is refused', async (name) => {
    const parse = async (bytes: Buffer): Promise<void> => {
      const disk = grownDisk.copy();
      disk.put(name, bytes);
      const { store } = await openStore(disk, '/data', settings);
      await store.close();
    };
    const corpus = [grownDisk.content(name)];
    await fuzz({ name, corpus, parse, refusals: [StorageError] }, FILE_RUNS / names.length + 20);
    expect(names.length).toBeGreaterThan(3);
  });
});
