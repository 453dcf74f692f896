// One engine process: the only file of the launcher that spawns engines. May not know clusters or contexts.
// Entry point: `EngineProcess.start`. The engine leaves by itself when the channel to this process closes (decision 16).
import { execa } from 'execa';
import type {
  DiskFault,
  EngineAsk,
  EngineToLauncher,
  LauncherToEngine,
  LinkFault,
} from '../../engine/control/protocol.ts';
import type { NodePlan } from '../contract/model.ts';
import { launcherError, messageOf } from './errors.ts';

export const ENGINE_REPLY_TIMEOUT_MS = 5000;
/** A question may read a whole log. */
export const ENGINE_ASK_TIMEOUT_MS = 60_000;
/** How long output that is still in the pipe may delay the news of an exit. */
const OUTPUT_DRAIN_MS = 500;
const REQUESTS_PENDING_MAX = 100;
/** The hot path uses libuv's pool for fdatasync of several contexts at once. */
const UV_THREADPOOL_SIZE = '16';
/** glibc gives busy threads memory arenas of their own: two serve a node as well and save 3 MB (other systems ignore it). */
const MALLOC_ARENA_MAX = '2';

export interface EngineLaunch {
  readonly enginePath: string;
  readonly node: NodePlan;
  readonly nodeArguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

export interface EngineExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface EngineHandlers {
  message(message: EngineToLauncher): void;
  output(chunk: string): void;
  /** Called once, after the last output. */
  exit(exit: EngineExit): void;
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Drops what could change every engine alike (properties.md) or inject code into it. */
export function scrubbedEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^(AXONIQ[_.]|DYLD_|NODE_OPTIONS$|LD_PRELOAD$|NODE_CHANNEL_)/i.test(name),
  );
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1', UV_THREADPOOL_SIZE, MALLOC_ARENA_MAX };
}

function spawnEngine(launch: EngineLaunch) {
  return execa(process.execPath, [...launch.nodeArguments, launch.enginePath, launch.node.propertiesFile], {
    cwd: launch.node.dir,
    env: scrubbedEnvironment(launch.environment),
    extendEnv: false,
    // Its own process group: Ctrl-C in the terminal reaches the launcher alone, which then stops the engines in order.
    detached: process.platform !== 'win32',
    ipc: true,
    serialization: 'json',
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    windowsHide: true,
    cleanup: true,
  });
}

export class EngineProcess {
  readonly pid: number;
  readonly exited: Promise<EngineExit>;
  readonly #child: ReturnType<typeof spawnEngine>;
  readonly #waiters = new Map<number, Waiter>();
  #nextId = 1;
  #gone = false;

  private constructor(child: ReturnType<typeof spawnEngine>, pid: number, handlers: EngineHandlers) {
    this.#child = child;
    this.pid = pid;
    child.on('message', (message: unknown) => this.#receive(message, handlers));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => handlers.output(chunk));
    }
    this.exited = new Promise((resolve) => {
      let told = false;
      const tell = (code: number | null, signal: string | null): void => {
        if (!told) {
          told = true;
          this.#giveUpWaiting();
          handlers.exit({ code, signal });
          resolve({ code, signal });
        }
      };
      child.once('exit', (code, signal) => {
        this.#gone = true;
        setTimeout(() => tell(code, signal), OUTPUT_DRAIN_MS).unref();
      });
      child.once('close', (code, signal) => tell(code, signal));
    });
  }

  /** Fails with ENGINE_START_FAILED. */
  static async start(launch: EngineLaunch, handlers: EngineHandlers): Promise<EngineProcess> {
    const child = spawnEngine(launch);
    // With `reject: false` this never rejects; without a listener a failed spawn would still be reported as unhandled.
    void child.catch(() => undefined);
    if (child.pid === undefined) {
      const result = await child;
      throw launcherError(
        'ENGINE_START_FAILED',
        `The process of ${launch.node.name} could not be started.`,
        messageOf(result.cause ?? result.shortMessage ?? 'unknown reason'),
        ['Check that the folder exists and that there is memory and a free process slot, then start again.'],
        { node: launch.node.name },
      );
    }
    return new EngineProcess(child, child.pid, handlers);
  }

  get running(): boolean {
    return !this.#gone;
  }

  /** Replaces every link fault of this node. Fails with ENGINE_REFUSED. */
  async setLinkFaults(faults: readonly LinkFault[]): Promise<void> {
    await this.#request((id) => ({ type: 'set-link-faults', id, faults }));
  }

  /** Replaces the disk fault of this node. Fails with ENGINE_REFUSED. */
  async setDiskFault(fault: DiskFault): Promise<void> {
    await this.#request((id) => ({ type: 'set-disk-fault', id, fault }));
  }

  /** Fails with ENGINE_REFUSED. */
  async setClockSkew(skewMs: number): Promise<void> {
    await this.#request((id) => ({ type: 'set-clock-skew', id, skewMs }));
  }

  /** The answer of the engine to a question. Fails with ENGINE_REFUSED. */
  ask(ask: EngineAsk): Promise<unknown> {
    return this.#request((id) => ({ type: 'ask', id, ask }), ENGINE_ASK_TIMEOUT_MS);
  }

  /** Graceful stop, then SIGKILL after the grace. Answers when the process is gone. */
  async stop(graceMs: number): Promise<EngineExit> {
    if (this.running) {
      this.#request((id) => ({ type: 'stop', id })).catch(() => this.#signal('SIGTERM'));
    }
    const timer = setTimeout(() => this.#signal('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): Promise<EngineExit> {
    this.#signal('SIGKILL');
    return this.exited;
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.running) {
      return;
    }
    try {
      if (process.platform === 'win32') {
        this.#child.kill(signal === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL');
      } else {
        process.kill(-this.pid, signal);
      }
    } catch {
      // Gone between the check and the call: the exit event follows.
    }
  }

  #request(build: (id: number) => LauncherToEngine, timeoutMs = ENGINE_REPLY_TIMEOUT_MS): Promise<unknown> {
    if (!this.running || !this.#child.connected) {
      return Promise.reject(this.#refused('It no longer listens.'));
    }
    if (this.#waiters.size >= REQUESTS_PENDING_MAX) {
      return Promise.reject(this.#refused(`${REQUESTS_PENDING_MAX} requests are already waiting for it.`));
    }
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(id);
        reject(this.#refused(`It did not answer within ${timeoutMs} ms.`));
      }, timeoutMs);
      timer.unref();
      this.#waiters.set(id, { resolve, reject, timer });
      this.#child.send(build(id), (error) => {
        if (error !== null) {
          this.#settle(id, this.#refused(error.message));
        }
      });
    });
  }

  #receive(message: unknown, handlers: EngineHandlers): void {
    if (typeof message !== 'object' || message === null || !('type' in message)) {
      return;
    }
    const typed = message as EngineToLauncher;
    if (typed.type === 'reply') {
      const why = `${typed.code ?? ''} ${typed.message ?? ''}`.trim();
      this.#settle(typed.id, typed.ok ? null : this.#refused(why), typed.value);
    } else if (typed.type === 'status' || typed.type === 'fatal') {
      handlers.message(typed);
    }
  }

  #settle(id: number, error: Error | null, value?: unknown): void {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) {
      return;
    }
    this.#waiters.delete(id);
    clearTimeout(waiter.timer);
    if (error === null) {
      waiter.resolve(value);
    } else {
      waiter.reject(error);
    }
  }

  #giveUpWaiting(): void {
    for (const id of [...this.#waiters.keys()]) {
      this.#settle(id, this.#refused('It ended first.'));
    }
  }

  #refused(why: string): Error {
    return launcherError('ENGINE_REFUSED', `The engine process ${this.pid} did not do what it was asked.`, why, [
      'Look at its log: muster logs',
    ]);
  }
}
