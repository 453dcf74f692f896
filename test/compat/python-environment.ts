// The virtual environment of the Python suites.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';

const INSTALL_MS_MAX = 300_000;
const environment = path.join(root, '.cache', 'python-compat');
const requirements = path.join(root, 'test', 'compat', 'python', 'requirements.txt');
export const python = path.join(environment, 'bin', 'python');

async function step(command: string, args: readonly string[]): Promise<void> {
  const result = await run(command, args, { timeoutMs: INSTALL_MS_MAX });
  if (result.code !== 0)
    throw new Error(`${command} ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
}

/** With the pinned clients; made again when the pins change. */
export async function installClients(): Promise<void> {
  const pins = readFileSync(requirements, 'utf8');
  const stamp = path.join(environment, 'installed.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === pins) return;
  await step('python3', ['-m', 'venv', '--clear', environment]);
  await step(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(stamp, pins);
}
