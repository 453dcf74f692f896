// The real launcher for window tests: `muster serve` in a workspace of its own, and proof that nothing of it is left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './browser.ts';

export interface RealLauncher {
  /** Address with its token. */
  readonly page: string;
  readonly workspace: string;
  readonly isAlive: () => boolean;
  /** Ctrl-C, wait for the end, delete the workspace; answers the process ids of engines that were left over. */
  readonly end: () => Promise<readonly number[]>;
}

export const newWorkspace = (): string => mkdtempSync(path.join(os.tmpdir(), 'muster-e2e-'));

/** Processes whose command line names this folder: engines are started with the path of their properties file. */
export function processesOf(workspace: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(workspace);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const exited = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

/** `firstPort`: of its first cluster, where others use the standard ones. */
export async function serve({ firstPort }: { readonly firstPort?: number } = {}): Promise<RealLauncher> {
  const workspace = newWorkspace();
  if (firstPort !== undefined) writeFileSync(path.join(workspace, 'settings.json'), JSON.stringify({ firstPort }));
  const child = spawn(process.execPath, ['scripts/muster.mjs', 'serve', '--port', '0', '--json'], {
    cwd: root,
    env: { ...process.env, MUSTER_HOME: workspace },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const page = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (line.startsWith('{')) resolve((JSON.parse(line) as { readonly page: string }).page);
    });
    child.once('exit', (code) => reject(new Error(`muster serve ended with ${code} before it told its address`)));
  });
  return {
    page,
    workspace,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    end: async () => {
      child.kill('SIGINT');
      await exited(child);
      const left = processesOf(workspace);
      for (const pid of left) process.kill(pid, 'SIGKILL');
      rmSync(workspace, { recursive: true, force: true });
      return left;
    },
  };
}
