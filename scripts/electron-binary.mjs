// The Electron binary that npm does not bring: where it is on this machine, and how it gets there. Never imports 'electron': that would
// start a download. Entry points: `electronBinary`, `fetchElectron`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './sources.mjs';

const DOWNLOAD_MS_MAX = 300_000;
const NAMES = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' };
const folder = path.join(root, 'node_modules', 'electron');

/** Path of an Electron binary that is on this machine, or null. */
export function electronBinary() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override !== undefined) {
    const chosen = path.join(override, NAMES[process.platform] ?? 'electron');
    return existsSync(chosen) ? chosen : null;
  }
  const pathFile = path.join(folder, 'path.txt');
  if (!existsSync(pathFile)) return null;
  const binary = path.join(folder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}

/** Fetches the binary of the pinned Electron into node_modules. Answers why it could not, or null. */
export function fetchElectron() {
  const installer = path.join(folder, 'install.js');
  if (!existsSync(installer)) return 'node_modules/electron is missing: npm ci';
  const run = spawnSync(process.execPath, [installer], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: DOWNLOAD_MS_MAX,
    encoding: 'utf8',
  });
  if (run.status === 0) return null;
  const line = (run.stderr ?? '').split('\n').find((text) => text.includes('rror'));
  return line?.trim() ?? 'no answer in time';
}
