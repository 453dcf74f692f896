// The loopback server of a host while it runs: which port, whether at all, and the token that opens it (ux.md §13).
// May not know calls: remote-server.ts does. Entry point: `ControlPort`.
import { readFile } from 'node:fs/promises';
import type { LauncherClient } from '../contract/api.ts';
import type { ControlPortView } from '../contract/control-port.ts';
import type { LauncherErrorData } from '../contract/model.ts';
import type { AppSettings } from '../contract/settings.ts';
import { errorData } from './errors.ts';
import { type RemoteServer, startRemoteServer } from './remote-server.ts';
import type { ControlInfo, Workspace } from './workspace.ts';

export interface ControlPortOptions {
  readonly workspace: Workspace;
  readonly uiDir: string | null;
  readonly background: boolean;
  /** The window reaches its launcher without the port, so it may be closed and moved; for every other host it is the only way in. */
  readonly closable: boolean;
}

const FIXED = 'The process that hosts the clusters is reached only there: the setting holds from its next start.';

/** What the calls of settings need; in a process that only looks there is none. */
export type ControlDoor = Pick<ControlPort, 'view' | 'change' | 'newToken'>;

export class ControlPort {
  readonly #options: ControlPortOptions;
  #client: LauncherClient | null = null;
  #token = '';
  #server: RemoteServer | null = null;
  #problem: LauncherErrorData | null = null;

  constructor(options: ControlPortOptions) {
    this.#options = options;
  }

  get token(): string {
    return this.#token;
  }

  /** Null: nothing listens. */
  get info(): ControlInfo | null {
    const { workspace, background } = this.#options;
    const url = this.#server?.url;
    return url === undefined ? null : { url, tokenFile: workspace.tokenFile, pid: process.pid, background };
  }

  /** A closable port that is taken leaves the app without one, and says so; else fails with PORT_IN_USE. */
  async open(client: LauncherClient, wish: AppSettings['controlPort']): Promise<void> {
    this.#client = client;
    this.#token = await this.#options.workspace.writeToken();
    try {
      await this.#listen(wish);
    } catch (error) {
      if (!this.#options.closable) throw error;
      this.#problem = errorData(error);
    }
    await this.#tell();
  }

  view(wish: AppSettings['controlPort']): ControlPortView {
    const url = this.#server?.url ?? null;
    return {
      wish,
      url,
      page: url === null ? null : `${url}/#token=${this.#token}`,
      token: url === null ? null : this.#token,
      tokenFile: this.#options.workspace.tokenFile,
      ...(this.#options.closable ? {} : { fixed: FIXED }),
      ...(this.#problem === null ? {} : { problem: this.#problem }),
    };
  }

  /** Any free port is the one that listens already. A new port listens before the old one closes, which answers what is under way first. Fails with PORT_IN_USE. */
  async change(wish: AppSettings['controlPort']): Promise<void> {
    const before = this.#server;
    if (!this.#options.closable || (wish === 0 && before !== null)) return;
    if (before?.url.endsWith(`:${wish}`) === true) return;
    await this.#listen(wish);
    this.#problem = null;
    await this.#tell();
    void before?.close();
  }

  /** The former token opens nothing from now on; who listens to pushes with it is cut off. Fails with WORKSPACE_UNUSABLE. */
  async newToken(): Promise<void> {
    this.#token = await this.#options.workspace.writeToken();
    this.#server?.dropSubscribers();
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#options.workspace.removeControl();
  }

  async #listen(wish: AppSettings['controlPort']): Promise<void> {
    const client = this.#client;
    if (client === null) throw new Error('open was not called');
    const port = wish === 'off' ? 0 : wish;
    const isClosed = wish === 'off' && this.#options.closable;
    const token = (): string => this.#token;
    this.#server = isClosed
      ? null
      : await startRemoteServer({
          client,
          port,
          uiDir: this.#options.uiDir,
          get token() {
            return token();
          },
        });
  }

  #tell(): Promise<void> {
    const { workspace } = this.#options;
    const { info } = this;
    return info === null ? workspace.writeControlClosed() : workspace.writeControl(info);
  }
}

/** What another process can know: the port as its host wrote it down. */
export async function controlPortOnDisk(
  workspace: Workspace,
  wish: AppSettings['controlPort'],
): Promise<ControlPortView> {
  const { tokenFile } = workspace;
  const info = await workspace.readControl();
  const token = info === null ? null : await readFile(tokenFile, 'utf8').catch(() => null);
  if (info === null || token === null) return { wish, url: null, page: null, token: null, tokenFile };
  return { wish, url: info.url, page: `${info.url}/#token=${token.trim()}`, token: token.trim(), tokenFile };
}
