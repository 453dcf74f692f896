// Shared by the launcher's tests: temporary workspaces, the bundled CLI, waiting on conditions.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '..', '..');
export const fakeEngine = path.join(here, 'fake-engine.mjs');

export async function temporaryDir(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'muster-test-'));
}

export async function removeDir(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/**
 * Far from the default block, below the range from which the system takes ports of outgoing connections. Each test process has
 * a window of 300 ports of its own: thirty clusters of three nodes, in three kinds 100 apart.
 */
const windowStart = 10_000 + (process.pid % 66) * 300;
let picks = 0;
export async function freeFirstPort(): Promise<number> {
  for (;;) {
    const first = windowStart + (picks % 30) * 3;
    picks += 1;
    const ports = [0, 100, 200].flatMap((kind) => [0, 1, 2].map((node) => first + kind + node));
    const free = await Promise.all(ports.map(isFree));
    if (free.every((yes) => yes)) {
      return first;
    }
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Polls until the condition holds; the limit only bounds a failing test. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  limitMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`gave up waiting: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Running (not zombie) processes whose command line names this text. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry)) {
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(text) && Number(entry) !== process.pid) {
        found.push(Number(entry));
      }
    }
  }
  return found;
}

let bundled: Promise<string> | null = null;

/** The CLI as it ships: one bundle in a folder two levels below the repository. */
export function bundleCli(): Promise<string> {
  bundled ??= (async () => {
    const outfile = path.join(root, '.cache', `launcher-test-${process.pid}`, 'muster.js');
    await build({
      entryPoints: [path.join(root, 'electron', 'cli', 'main.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      // As scripts/build.mjs: CommonJS packages inside an ESM bundle still call require for Node's own modules.
      banner: {
        js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
      },
      logLevel: 'error',
    });
    return outfile;
  })();
  return bundled;
}

export async function removeCliBundle(): Promise<void> {
  await removeDir(path.join(root, '.cache', `launcher-test-${process.pid}`));
}

export interface CliJson {
  readonly cluster: string;
  readonly state: string;
  readonly length?: number;
  readonly nodes: readonly { readonly dir: string; readonly state: string }[];
  readonly contexts: readonly { readonly term: number; readonly members: readonly object[] }[];
  readonly control: { readonly url: string; readonly tokenFile: string };
  readonly faults: readonly object[];
  readonly diskFaults?: readonly object[];
  readonly clockFaults?: readonly object[];
  readonly roles: readonly object[];
  readonly error: { readonly code: string };
}

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON; null when it is not. Only as deep as the tests look. */
  readonly json: CliJson;
}

export function cliEnvironment(workspace: string): NodeJS.ProcessEnv {
  return { ...process.env, MUSTER_HOME: workspace, MUSTER_ENGINE: fakeEngine };
}

export async function cli(workspace: string, ...args: readonly string[]): Promise<CliResult> {
  const file = await bundleCli();
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [file, ...args],
      { env: cliEnvironment(workspace), timeout: 30_000, encoding: 'utf8' },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out, err, json: parsed(out) });
      },
    );
  });
}

function parsed(text: string): CliJson {
  try {
    return JSON.parse(text);
  } catch {
    return null as unknown as CliJson;
  }
}

/** A CLI process that stays: its output so far, and the process. */
export async function cliInForeground(
  workspace: string,
  ...args: readonly string[]
): Promise<{ readonly child: ChildProcess; readonly output: () => string; readonly exit: Promise<number | null> }> {
  const child = spawn(process.execPath, [await bundleCli(), ...args], {
    env: cliEnvironment(workspace),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  return { child, output: () => output, exit: new Promise((resolve) => child.once('close', (code) => resolve(code))) };
}
