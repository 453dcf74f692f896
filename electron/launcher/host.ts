// Who hosts the workspace: this process, another one, or a background process that is started for it.
// Entry points: `openHost`, `connectHost`, `ensureBackgroundHost`, `openReader`.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { scrubbedEnvironment } from './engine-process.ts';
import { AppLog, toldErrors } from './app-log.ts';
import { ControlPort } from './control-port.ts';
import { launcherError, messageOf } from './errors.ts';
import { readTail } from './logs.ts';
import { isSameProcess, readIdentity } from './process-identity.ts';
import { connectRemote } from './remote-client.ts';
import type { RemoteClient } from './remote-client.ts';
import { openService } from './service.ts';
import type { LauncherService } from './service-types.ts';
import { lockHolder, takeHostLock, Workspace } from './workspace.ts';
import type { ControlInfo } from './workspace.ts';

/** A background host leaves this long after the last cluster stopped … */
export const IDLE_EXIT_MS = 400;
/** … or when nobody asked it for anything after its start. */
export const IDLE_FIRST_MS = 15_000;
export const HOST_START_TIMEOUT_MS = 15_000;
const POLL_MS = 25;
const IDLE_POLL_MS = 100;
const WORKSPACE_LOST_MS = 1000;

export interface HostOptions {
  readonly workspaceDir: string;
  readonly version: string;
  readonly enginePath: string;
  readonly nodeArguments?: readonly string[];
  /** Folder of the built UI, or null. */
  readonly uiDir: string | null;
  /** 0 = any free port; null = as set (`AppSettings.controlPort`). */
  readonly port: number | null;
  /** The window reaches its launcher without the port, which may then be closed. Absent: the port always listens. */
  readonly closable?: boolean;
  readonly background: boolean;
}

export interface Host {
  readonly service: LauncherService;
  /** As it is now; null where the port is closed. */
  readonly control: ControlInfo | null;
  readonly token: string;
  /** Stops every cluster, then the server, then frees the workspace. Safe to call twice. */
  close(): Promise<void>;
  /** Ends every engine at once; follow with `close`. */
  killAll(): Promise<void>;
  /** Resolves when nothing has run for a while; for a background host. */
  untilIdle(): Promise<void>;
}

/** Makes this process the host. Fails with WORKSPACE_BUSY (see `connectHost`), WORKSPACE_UNUSABLE, PORT_IN_USE. */
export async function openHost(options: HostOptions): Promise<Host> {
  const workspace = new Workspace(options.workspaceDir);
  const lock = await takeHostLock(workspace);
  const { uiDir, background, closable = false } = options;
  const controlPort = new ControlPort({ workspace, uiDir, background, closable });
  const log = new AppLog(workspace);
  try {
    const opened = await openService({
      workspace,
      version: options.version,
      enginePath: options.enginePath,
      nodeArguments: options.nodeArguments ?? [],
      owner: true,
      controlPort,
    });
    const service = toldErrors(opened, log);
    await controlPort.open(service, options.port ?? (await service.settings()).controlPort);
    const place = controlPort.info?.url ?? 'nowhere';
    log.write(`hosts the workspace: version ${options.version}, pid ${process.pid}, control port at ${place}`);
    for (const { name, why } of service.broken) log.write(`cluster ${name} is skipped: ${why}`);
    const { problem } = await service.settings();
    if (problem !== undefined) log.write(`${problem.code}: ${problem.what} ${problem.why}`);
    let closing: Promise<void> | null = null;
    const close = async (): Promise<void> => {
      await service.shutdown();
      await controlPort.close();
      log.write('ends');
      await log.settled();
      await lock.release();
    };
    return {
      service,
      get control() {
        return controlPort.info;
      },
      get token() {
        return controlPort.token;
      },
      close: () => {
        closing ??= close();
        return closing;
      },
      killAll: () => service.killAll(),
      untilIdle: () => untilIdle(service, workspace),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Nothing has run for a while, or the workspace is gone: somebody deleted the folder without stopping its clusters. */
async function untilIdle(service: LauncherService, workspace: Workspace): Promise<void> {
  let quietMs = 0;
  let lostMs = 0;
  let wasActive = false;
  while (quietMs < (wasActive ? IDLE_EXIT_MS : IDLE_FIRST_MS) && lostMs < WORKSPACE_LOST_MS) {
    await delay(IDLE_POLL_MS);
    const active = service.activeClusters() > 0;
    wasActive ||= active;
    quietMs = active ? 0 : quietMs + IDLE_POLL_MS;
    lostMs = (await workspace.readControl())?.pid === process.pid ? 0 : lostMs + IDLE_POLL_MS;
  }
}

export interface Connection {
  readonly client: RemoteClient;
  readonly control: ControlInfo;
}

/** The running host of the workspace, or null when nobody hosts it. Waits while a host is still starting. Fails with HOST_GONE, CONTROL_PORT_OFF. */
export async function connectHost(workspaceDir: string): Promise<Connection | null> {
  const workspace = new Workspace(workspaceDir);
  const deadline = performance.now() + HOST_START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const holder = await lockHolder(workspace);
    if (holder === null) {
      return null;
    }
    const connection = await tryConnect(workspace, holder);
    if (connection !== null) {
      return connection;
    }
    if (await workspace.isClosedBy(holder)) {
      throw launcherError(
        'CONTROL_PORT_OFF',
        'The window of Muster takes no commands.',
        `Its control port is closed (process ${holder}).`,
        [
          'Switch it on in the window: Settings, Control port.',
          'Or quit the app; then commands host the clusters themselves.',
        ],
      );
    }
    await delay(POLL_MS);
  }
  throw launcherError(
    'HOST_GONE',
    'The process that hosts the clusters does not answer.',
    `Process ${await lockHolder(workspace)} holds the workspace.`,
    ['End that process; its engines end with it, their data stays.'],
  );
}

async function tryConnect(workspace: Workspace, holder: number): Promise<Connection | null> {
  const control = await workspace.readControl();
  if (control === null || control.pid !== holder) {
    return null;
  }
  try {
    const token = (await readFile(control.tokenFile, 'utf8')).trim();
    const client = connectRemote(control.url, token);
    await client.about();
    return { client, control };
  } catch {
    return null;
  }
}

/** How a background host is started: the CLI itself with `serve --background`. */
export interface BackgroundCommand {
  readonly cliPath: string;
  readonly workspaceDir: string;
}

/** Connects to the host, starting one in the background when there is none. Fails with HOST_START_FAILED. */
export async function ensureBackgroundHost(command: BackgroundCommand): Promise<Connection> {
  const existing = await connectHost(command.workspaceDir);
  if (existing !== null) {
    return existing;
  }
  const workspace = new Workspace(command.workspaceDir);
  await workspace.prepare();
  // Without room for this line the process could not even say why it ends.
  await workspace.usable(() => appendFile(workspace.hostLogFile, `${new Date().toISOString()} starting\n`));
  const output = await workspace.usable(async () => openSync(workspace.hostLogFile, 'a'));
  const child = spawn(process.execPath, [...process.execArgv, command.cliPath, 'serve', '--background'], {
    cwd: command.workspaceDir,
    env: { ...scrubbedEnvironment(process.env), MUSTER_HOME: command.workspaceDir },
    detached: true,
    stdio: ['ignore', output, output],
    windowsHide: true,
  });
  closeSync(output);
  child.unref();
  let ended: string | null = null;
  child.once('error', (error) => {
    ended = messageOf(error);
  });
  child.once('exit', (code, signal) => {
    ended = `It ended with ${signal ?? `exit code ${code}`}.`;
  });
  const deadline = performance.now() + HOST_START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const holder = await lockHolder(workspace);
    const connection = holder === null ? null : await tryConnect(workspace, holder);
    if (connection !== null) {
      return connection;
    }
    // Another command may have started a host at the same time: then ours leaves, and theirs answers.
    if (ended !== null && holder === null) {
      break;
    }
    await delay(POLL_MS);
  }
  const tail = (await readTail(workspace.hostLogFile, 2000)).trim().split('\n').slice(-3).join('\n  ');
  throw launcherError(
    'HOST_START_FAILED',
    'The background process did not start.',
    `${ended ?? 'It does not answer.'}\n  ${tail}`.trim(),
    [`Read ${path.join(workspace.dir, 'host.log')}`, 'Or run in the foreground: muster serve'],
  );
}

/** Answers when the process that hosted is gone, or after the timeout. */
export async function untilHostGone(pid: number, timeoutMs: number): Promise<void> {
  const identity = await readIdentity(pid);
  const deadline = performance.now() + timeoutMs;
  while (identity !== null && performance.now() < deadline && (await isSameProcess(identity))) {
    await delay(POLL_MS);
  }
}

/** Looks at the workspace without hosting it: clusters, plans and logs as they are on disk. Fails with WORKSPACE_UNUSABLE. */
export async function openReader(
  options: Pick<HostOptions, 'workspaceDir' | 'version' | 'enginePath'>,
): Promise<LauncherService> {
  const workspace = new Workspace(options.workspaceDir);
  await workspace.look();
  return openService({
    workspace,
    version: options.version,
    enginePath: options.enginePath,
    owner: false,
  });
}
