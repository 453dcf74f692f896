// Saved chaos scripts: one text file each in the workspace. Entry point: `ScriptFiles`.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ScriptView } from '../contract/chaos.ts';
import { SCRIPT_NAME_RULE } from '../contract/check-scripts.ts';
import { errnoOf, launcherError } from './errors.ts';
import { Turns } from './turns.ts';

export const SCRIPTS_MAX = 200;
const ENDING = '.chaos';
const KEY = 'scripts';

export class ScriptFiles {
  readonly #dir: string;
  readonly #changed: (scripts: readonly ScriptView[]) => void;
  readonly #turns = new Turns();

  /** `changed` is told the whole list after every change made here. */
  constructor(dir: string, changed: (scripts: readonly ScriptView[]) => void = () => undefined) {
    this.#dir = dir;
    this.#changed = changed;
  }

  list(): Promise<readonly ScriptView[]> {
    return this.#turns.take(KEY, () => this.#list());
  }

  async #list(): Promise<readonly ScriptView[]> {
    const names = (await readdir(this.#dir).catch(() => []))
      .filter((file) => file.endsWith(ENDING))
      .map((file) => file.slice(0, -ENDING.length))
      .filter((name) => SCRIPT_NAME_RULE.test(name))
      .sort();
    return Promise.all(names.map((name) => this.#view(name)));
  }

  async read(name: string): Promise<string> {
    try {
      return await readFile(this.#file(name), 'utf8');
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? missing(name) : error;
    }
  }

  save(name: string, text: string): Promise<ScriptView> {
    return this.#change(async () => {
      const known = await this.#list();
      if (known.length >= SCRIPTS_MAX && !known.some((one) => one.name === name)) {
        throw launcherError('SCRIPTS_FULL', `The script ${name} was not saved.`, `There are ${SCRIPTS_MAX} already.`, [
          'Delete one that you no longer need.',
        ]);
      }
      await mkdir(this.#dir, { recursive: true });
      await writeFile(this.#file(name), text);
      return this.#view(name);
    });
  }

  remove(name: string): Promise<void> {
    return this.#change(async () => {
      try {
        await rm(this.#file(name));
      } catch (error) {
        throw errnoOf(error) === 'ENOENT' ? missing(name) : error;
      }
    });
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(KEY, async () => {
      const done = await work();
      this.#changed(await this.#list());
      return done;
    });
  }

  async #view(name: string): Promise<ScriptView> {
    const { size, mtime } = await stat(this.#file(name));
    return { name, savedAt: mtime.toISOString(), bytes: size };
  }

  #file(name: string): string {
    return path.join(this.#dir, `${name}${ENDING}`);
  }
}

function missing(name: string) {
  return launcherError('SCRIPT_NOT_FOUND', `There is no script ${name}.`, 'It was never saved, or deleted.', [
    'List them: muster script ls',
  ]);
}
