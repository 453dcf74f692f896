// Saved searches on disk: kept, renamed, deleted, bounded, told to every window; a damaged file is not written over (ux.md §9).
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkArguments } from '../../electron/contract/check.ts';
import { SEARCHES_MAX } from '../../electron/contract/records.ts';
import type { SavedSearch } from '../../electron/contract/records.ts';
import { Searches } from '../../electron/launcher/searches.ts';
import { removeDir, temporaryDir } from './support.ts';

let dir = '';
let told: (readonly SavedSearch[])[] = [];
const open = (): Searches => new Searches('dev', dir, (all) => told.push(all));
beforeEach(async () => {
  dir = await temporaryDir();
  told = [];
});
afterEach(() => removeDir(dir));

it('UX-9 searches are found again by another launcher, by name, and every change is told', async () => {
  const searches = open();
  await Promise.all([searches.save('of ada', 'meta.user:ada'), searches.save('cards', 'type:Card*')]);
  await searches.save('cards', 'type:Card* from:10m');
  await searches.rename('of ada', 'ada');
  expect(told.at(-1)).toEqual([
    { name: 'ada', words: 'meta.user:ada' },
    { name: 'cards', words: 'type:Card* from:10m' },
  ]);
  expect(await open().list()).toEqual(told.at(-1));
  await searches.remove('cards');
  expect((await open().list()).map((one) => one.name)).toEqual(['ada']);
});

it('UX-9 what cannot be done is refused with its code: unknown, taken, too many', async () => {
  const searches = open();
  await expect(searches.remove('cards')).rejects.toMatchObject({ data: { code: 'SEARCH_NOT_FOUND' } });
  await searches.save('a', 'x');
  await searches.save('b', 'y');
  await expect(searches.rename('a', 'b')).rejects.toMatchObject({ data: { code: 'SEARCH_EXISTS' } });
  const many = Array.from({ length: SEARCHES_MAX }, (_, i) => ({ name: `n${i}`, words: 'x' }));
  await writeFile(path.join(dir, 'searches.json'), JSON.stringify(many));
  await expect(searches.save('one more', 'x')).rejects.toMatchObject({ data: { code: 'SEARCHES_FULL' } });
  await searches.save('n0', 'type:Card*');
});

it.each(['{', '{}', '[{"name":"a"}]', '[{"name":"a","words":"type:"}]', '[null]'])(
  'UX-9 a damaged file (%s) is an error and stays as it is',
  async (text) => {
    const file = path.join(dir, 'searches.json');
    await writeFile(file, text);
    await expect(open().list()).rejects.toMatchObject({ data: { code: 'SEARCHES_UNREADABLE' } });
    await expect(open().save('b', 'x')).rejects.toMatchObject({ data: { code: 'SEARCHES_UNREADABLE' } });
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

it('UX-9 names and words that could not be used later are refused at the door', () => {
  const save = (name: unknown, words: unknown) => () => checkArguments('saveSearch', ['dev', name, words]);
  for (const name of ['', ' x', 'x ', 'a\nb', 'x'.repeat(61)])
    expect(save(name, 'x')).toThrow("The argument 'name' cannot be used");
  for (const words of ['', ' ', 'type:', 'from:soon', 'a\u001bb', 'x'.repeat(501)]) {
    expect(save('ok', words)).toThrow();
  }
  expect(save('cards of ada', ' type:Card* ')()).toEqual(['dev', 'cards of ada', 'type:Card*']);
});
