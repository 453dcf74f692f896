// Saved chaos scripts: one text file each in the workspace. Entry point: `ScriptFiles`.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ScriptView } from '../contract/chaos.ts';
import { SCRIPT_NAME_RULE } from '../contract/check-scripts.ts';
import { errnoOf, launcherError } from './errors.ts';

export const SCRIPTS_MAX = 200;
const ENDING = '.chaos';

export class ScriptFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async list(): Promise<readonly ScriptView[]> {
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

  async save(name: string, text: string): Promise<ScriptView> {
    const known = await this.list();
    if (known.length >= SCRIPTS_MAX && !known.some((one) => one.name === name)) {
      throw launcherError('SCRIPTS_FULL', `The script ${name} was not saved.`, `There are ${SCRIPTS_MAX} already.`, [
        'Delete one that you no longer need.',
      ]);
    }
    await mkdir(this.#dir, { recursive: true });
    await writeFile(this.#file(name), text);
    return this.#view(name);
  }

  async remove(name: string): Promise<void> {
    try {
      await rm(this.#file(name));
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? missing(name) : error;
    }
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
