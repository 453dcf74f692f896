// Installs the locked dependencies when they are missing or older than the lock file. Never fails for Electron's sake: its
// package brings no binary and downloads none during an installation.
import { spawnSync } from 'node:child_process';
import { installed, root } from './sources.mjs';

/** Throws when npm cannot install. Its output goes to standard error, so that `--json` output stays clean. */
export function installIfNeeded() {
  if (installed()) return;
  console.error('Installing dependencies (npm ci) …');
  const windows = process.platform === 'win32';
  const run = spawnSync(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
    env: { ...process.env, NODE_ENV: 'development', npm_config_omit: '', npm_config_include: 'optional' },
  });
  if (run.status !== 0) throw new Error(`npm ci ended with ${run.status ?? run.signal ?? run.error}`);
}
