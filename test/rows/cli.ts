// The `muster` command as a user runs it, in a workspace of its own.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './harness.ts';
import { root } from './test-node.ts';

export const COMMAND_MS_MAX = 60_000;
const muster = path.join(root, 'scripts', 'muster.mjs');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `up --json` and `status --json` print, as far as tests look at it. */
export interface ClusterJson {
  readonly cluster: string;
  readonly state: string;
  readonly dir: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly pid: number | null;
    readonly state: string;
    readonly host: string;
    readonly http: number;
    readonly grpc: number;
    readonly internal: number;
    readonly dir: string;
    readonly propertiesFile: string;
    readonly logFile: string;
  }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly leader: string | null;
    readonly term: number | null;
    readonly members: readonly { readonly node: string; readonly role: string; readonly lastToken: number | null }[];
  }[];
  readonly control: { readonly url: string; readonly tokenFile: string };
}

export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? COMMAND_MS_MAX);
    child.on('error', reject);
    // Not 'close': a detached grandchild may hold the pipes.
    child.on('exit', (code) => {
      clearTimeout(timer);
      setImmediate(() => resolve({ code, stdout, stderr }));
    });
  });
}

export class Workspace {
  readonly home = temporaryFolder('home');
  #started = new Set<string>();

  muster(...args: string[]): Promise<CommandResult> {
    return run(process.execPath, [muster, ...args], { env: { ...process.env, MUSTER_HOME: this.home, NO_COLOR: '1' } });
  }

  /** Fails with what the command printed unless it exits with 0. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.muster(...args);
    if (result.code !== 0)
      throw new Error(`muster ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  async json<T>(...args: string[]): Promise<T> {
    const text = await this.ok(...args, '--json');
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new Error(`muster ${args.join(' ')} --json printed no JSON: ${text}`);
    }
  }

  async up(name: string, nodes: number, firstPort: number, ...more: string[]): Promise<ClusterJson> {
    this.#started.add(name);
    const args = [
      '--nodes',
      String(nodes),
      '--contexts',
      'default',
      '--first-port',
      String(firstPort),
      '--throw-away',
      '--detach',
      '--wait',
      '40s',
    ];
    return this.json<ClusterJson>('up', name, ...args, ...more);
  }

  status(name: string): Promise<ClusterJson> {
    return this.json<ClusterJson>('status', name);
  }

  /** Stops every cluster that was started here and deletes the workspace. */
  async dispose(): Promise<void> {
    for (const name of this.#started) await this.muster('down', name);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
