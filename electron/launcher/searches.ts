// Saved searches of one cluster, a file in its folder. Entry point: `Searches`.
import path from 'node:path';
import { checkArguments } from '../contract/check.ts';
import { SEARCHES_MAX } from '../contract/records.ts';
import type { SavedSearch } from '../contract/records.ts';
import { launcherError, messageOf } from './errors.ts';
import { Turns } from './turns.ts';
import { readJson, writeJsonAtomic } from './workspace.ts';

const FILE = 'searches.json';
const KEY = 'searches';

export class Searches {
  readonly #cluster: string;
  readonly #file: string;
  readonly #changed: (searches: readonly SavedSearch[]) => void;
  readonly #turns = new Turns();

  constructor(cluster: string, dir: string, changed: (searches: readonly SavedSearch[]) => void) {
    this.#cluster = cluster;
    this.#file = path.join(dir, FILE);
    this.#changed = changed;
  }

  /** Fails with SEARCHES_UNREADABLE: what somebody wrote down is not taken for nothing, and never overwritten. */
  async list(): Promise<readonly SavedSearch[]> {
    try {
      const kept = (await readJson(this.#file)) ?? [];
      if (!Array.isArray(kept)) throw new Error('It holds no list.');
      return kept.map((one: Partial<SavedSearch> | null) => {
        const [, name, words] = checkArguments('saveSearch', [this.#cluster, one?.name, one?.words]);
        return { name, words };
      });
    } catch (error) {
      throw launcherError(
        'SEARCHES_UNREADABLE',
        `The saved searches of ${this.#cluster} cannot be read.`,
        messageOf(error),
        [`Correct or delete ${this.#file}.`],
      );
    }
  }

  save(name: string, words: string): Promise<SavedSearch> {
    const saved = { name, words };
    return this.#change((known) => {
      const others = known.filter((one) => one.name !== name);
      if (others.length >= SEARCHES_MAX) {
        throw launcherError(
          'SEARCHES_FULL',
          `The search ${name} was not saved.`,
          `There are ${SEARCHES_MAX} already.`,
          ['Delete one that you no longer need.'],
        );
      }
      return [...others, saved];
    }).then(() => saved);
  }

  async rename(name: string, to: string): Promise<SavedSearch> {
    let renamed: SavedSearch = { name: to, words: '' };
    await this.#change((known) => {
      const { words } = this.#found(known, name);
      if (to !== name && known.some((one) => one.name === to)) {
        throw launcherError('SEARCH_EXISTS', `${name} was not renamed.`, `There is a search ${to} already.`, [
          'Choose another name, or delete that one.',
        ]);
      }
      renamed = { name: to, words };
      return [...known.filter((one) => one.name !== name), renamed];
    });
    return renamed;
  }

  async remove(name: string): Promise<void> {
    await this.#change((known) => {
      this.#found(known, name);
      return known.filter((one) => one.name !== name);
    });
  }

  #found(known: readonly SavedSearch[], name: string): SavedSearch {
    const found = known.find((one) => one.name === name);
    if (found === undefined) {
      const names = known.map((one) => one.name).join(', ');
      throw searchNotFound(this.#cluster, name, names);
    }
    return found;
  }

  #change(by: (known: readonly SavedSearch[]) => readonly SavedSearch[]): Promise<void> {
    return this.#turns.take(KEY, async () => {
      const next = [...by(await this.list())].sort((left, right) => left.name.localeCompare(right.name, 'en'));
      await writeJsonAtomic(this.#file, next);
      this.#changed(next);
    });
  }
}

/** `names`: those there are. */
export function searchNotFound(cluster: string, name: string, names: string) {
  return launcherError(
    'SEARCH_NOT_FOUND',
    `${cluster} has no saved search ${name}.`,
    names === '' ? 'None is saved.' : `There are: ${names}.`,
    ['List them: muster search ls'],
  );
}
