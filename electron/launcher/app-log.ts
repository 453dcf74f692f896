// The log of the app: what this process hosted, and what went wrong in it. Two files, so that it stays small. Entry points: `AppLog`, `readAppLog`.
import { appendFile, rename, stat } from 'node:fs/promises';
import { apiMethods, type LauncherApi } from '../contract/api.ts';
import { LauncherError } from '../contract/model.ts';
import { readTail } from './logs.ts';
import type { LauncherService } from './service-types.ts';
import type { Workspace } from './workspace.ts';

export const APP_LOG_BYTES_MAX = 2 * 1024 * 1024;
const TAIL_BYTES = 512 * 1024;

export class AppLog {
  readonly #file: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(workspace: Workspace) {
    this.#file = workspace.hostLogFile;
  }

  /** In the background; a disk that refuses costs the line, nothing else. */
  write(text: string): void {
    const line = `${new Date().toISOString()} ${text.replaceAll('\n', '\n  ')}\n`;
    this.#writing = this.#writing.then(() => this.#append(line)).catch(() => undefined);
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  async #append(line: string): Promise<void> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    if (size + line.length > APP_LOG_BYTES_MAX) await rename(this.#file, `${this.#file}.1`);
    await appendFile(this.#file, line);
  }
}

/** Errors that nobody foresaw leave their stack here; the caller only gets INTERNAL. */
export function toldErrors(service: LauncherService, log: AppLog): LauncherService {
  const calls = apiMethods.map((name) => {
    const call = service[name] as (...args: readonly unknown[]) => Promise<unknown>;
    const told = async (...args: readonly unknown[]): Promise<unknown> => {
      try {
        return await call(...args);
      } catch (error) {
        if (!(error instanceof LauncherError)) {
          log.write(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        }
        throw error;
      }
    };
    return [name, told];
  });
  return { ...service, ...(Object.fromEntries(calls) as LauncherApi) };
}

/** The newest lines, oldest first. */
export async function readAppLog(workspace: Workspace, lines: number): Promise<readonly string[]> {
  const text = (await readTail(workspace.hostLogFile, TAIL_BYTES)).trimEnd();
  return text === '' ? [] : text.split('\n').slice(-lines);
}
