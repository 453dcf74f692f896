// The desktop app for tests: a virtual screen, Electron 33.2.1 (tests only: decision 21), and the app as sources or as a package.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { root } from './browser.ts';

export const DESKTOP_READY_MS_MAX = 40_000;
const DISPLAY_WAIT_MS_MAX = 10_000;

/** Electron with our sources: the way of `npm start`. */
export const fromSources = {
  executable: path.join(
    process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? path.join(root, '.cache/electron-test'),
    'electron',
  ),
  args: [root],
};

/** Why the desktop app cannot run here, or null. */
export function desktopMissing(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'runs on Linux x64 only';
  if (process.env['DISPLAY'] === undefined && !existsSync('/usr/bin/Xvfb'))
    return 'no display and no Xvfb (install xvfb)';
  const run = spawnSync(process.execPath, ['scripts/prepare-test-electron.mjs'], { cwd: root, encoding: 'utf8' });
  return run.status === 0 ? null : `no Electron for tests: ${run.stderr.trim()}`;
}

/** A virtual screen of its own; `-displayfd` lets Xvfb choose a free number. */
export async function openDisplay(): Promise<{ readonly display: string; readonly server: ChildProcess | null }> {
  const present = process.env['DISPLAY'];
  if (present !== undefined) return { display: present, server: null };
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x900x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Xvfb gave no display')), DISPLAY_WAIT_MS_MAX);
    server.stdio[3]?.once('data', (data: Buffer) => {
      clearTimeout(timer);
      resolve(data.toString().trim());
    });
    server.once('error', reject);
  });
  return { display: `:${number}`, server };
}

export interface Desktop {
  readonly application: ElectronApplication;
  readonly page: Page;
  /** Uncaught errors and refused resources of the page. */
  readonly faults: string[];
}

interface Program {
  readonly executable: string;
  readonly args: readonly string[];
}

/** The app's process, with or without a window. */
export const launchApplication = (
  { executable, args }: Program,
  workspace: string,
  display: string,
): Promise<ElectronApplication> =>
  _electron.launch({
    executablePath: executable,
    args: ['--no-sandbox', '--disable-gpu', ...args],
    cwd: root,
    env: {
      ...(process.env as Record<string, string>),
      DISPLAY: display,
      MUSTER_HOME: workspace,
      XDG_CONFIG_HOME: path.join(workspace, 'config'),
    },
  });

export async function desktopOf(application: ElectronApplication): Promise<Desktop> {
  const page = await application.firstWindow();
  page.setDefaultTimeout(DESKTOP_READY_MS_MAX);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { application, page, faults };
}

export const launchDesktop = async (program: Program, workspace: string, display: string): Promise<Desktop> =>
  desktopOf(await launchApplication(program, workspace, display));

/** Resolves when the app's own process has ended. */
export const appEnded = (application: ElectronApplication): Promise<void> =>
  new Promise((resolve) => application.once('close', () => resolve()));

/** Three nodes from the start screen, then the leader killed; another one leads at the end. */
export async function startAndLoseLeader(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
  for (const name of ['node-1', 'node-2', 'node-3'])
    await page.locator(`.node-card[data-node="${name}"][data-state="ready"]`).waitFor();
  await page.locator('[data-headline="healthy"]').waitFor();
  const leader = await page.locator('dt:text-is("Leader") + dd').textContent();
  await page.getByRole('button', { name: `Kill ${leader}` }).click();
  await page.locator(`.node-card[data-node="${leader}"][data-state="stopped"]`).waitFor();
  await expect
    .poll(() => page.locator('dt:text-is("Leader") + dd').textContent(), { timeout: DESKTOP_READY_MS_MAX })
    .not.toMatch(new RegExp(`none|${leader}`));
}
