// The desktop window on a real Electron (33.2.1, tests only: decision 21) under Xvfb: it opens, hosts a real cluster, and takes
// every engine with it when it closes. Prepare once with `node scripts/prepare-test-electron.mjs`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './browser.ts';
import { newWorkspace, processesOf } from './real-launcher.ts';

const binary = path.join(
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? path.join(root, '.cache/electron-test'),
  'electron',
);
const READY_MS_MAX = 40_000;
const DISPLAY_WAIT_MS_MAX = 10_000;
const pictures = path.join(root, 'test-results', 'electron');

function whyNot(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'runs on Linux x64 only';
  if (process.env['DISPLAY'] === undefined && !existsSync('/usr/bin/Xvfb'))
    return 'no display and no Xvfb (install xvfb)';
  const run = spawnSync(process.execPath, ['scripts/prepare-test-electron.mjs'], { cwd: root, encoding: 'utf8' });
  return run.status === 0 ? null : `no Electron for tests: ${run.stderr.trim()}`;
}

/** A virtual screen of its own; `-displayfd` lets Xvfb choose a free number. */
async function openDisplay(): Promise<{ readonly display: string; readonly server: ChildProcess | null }> {
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

const missing = whyNot();
if (missing !== null) console.warn(`electron tests are left out: ${missing}`);

describe.skipIf(missing !== null)(
  missing === null ? 'the desktop window' : `the desktop window (left out: ${missing})`,
  () => {
    let application: ElectronApplication;
    let server: ChildProcess | null = null;
    let page: Page;
    let display = '';
    const workspace = newWorkspace();
    const faults: string[] = [];

    const launch = async (): Promise<void> => {
      application = await _electron.launch({
        executablePath: binary,
        args: ['--no-sandbox', '--disable-gpu', root],
        cwd: root,
        env: {
          ...(process.env as Record<string, string>),
          DISPLAY: display,
          MUSTER_HOME: workspace,
          XDG_CONFIG_HOME: path.join(workspace, 'config'),
        },
      });
      page = await application.firstWindow();
      page.setDefaultTimeout(READY_MS_MAX);
      page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
    };

    beforeAll(async () => {
      mkdirSync(pictures, { recursive: true });
      ({ display, server } = await openDisplay());
      await launch();
    });
    afterAll(async () => {
      await application?.close();
      server?.kill();
      rmSync(workspace, { recursive: true, force: true });
    });

    it('says which Electron it is, and opens with isolated, sandboxed settings and our page only', async () => {
      const versions = await application.evaluate(() => ({
        electron: process.versions.electron,
        node: process.versions.node,
      }));
      console.log(`electron ${versions.electron} with Node ${versions.node}`);
      expect(page.url()).toBe('app://muster/index.html');
      expect(await page.title()).toBe('Muster');
      const inPage = await page.evaluate(() => ({
        require: typeof (globalThis as Record<string, unknown>)['require'],
        process: typeof (globalThis as Record<string, unknown>)['process'],
        bridge: Object.keys((globalThis as unknown as { muster: object }).muster).sort(),
      }));
      expect(inPage).toEqual({ require: 'undefined', process: 'undefined', bridge: ['call', 'on'] });
      const preferences = await application.evaluate(({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
          getLastWebPreferences(): Record<string, unknown>;
        };
        const { contextIsolation, sandbox, nodeIntegration, webSecurity } = contents.getLastWebPreferences();
        return { contextIsolation, sandbox, nodeIntegration, webSecurity };
      });
      expect(preferences).toEqual({ contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true });
    });

    it('refuses what the page has no business with: popups, network, other files, unknown calls, bad arguments', async () => {
      const outcome = await page.evaluate(async () => {
        const { muster } = globalThis as unknown as {
          muster: { call(method: string, args: unknown): Promise<{ error?: { code: string } }> };
        };
        const popup = window.open('https://example.org/');
        const network = await fetch('http://127.0.0.1:1/').then(
          () => 'reached',
          () => 'refused',
        );
        const file = await fetch('app://muster/../../package.json').then(
          (response) => response.status,
          () => 'refused',
        );
        const unknown = await muster.call('shutdown', []);
        const bad = await muster.call('getCluster', ['../../etc']);
        return { popup, network, file, unknown: unknown.error?.code, bad: bad.error?.code };
      });
      expect(outcome).toEqual({
        popup: null,
        network: 'refused',
        file: 404,
        unknown: 'UNKNOWN_METHOD',
        bad: 'BAD_ARGUMENT',
      });
      faults.length = 0;
    });

    it('starts a real cluster, elects a new leader after a kill, and copies an address', async () => {
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      for (const name of ['node-1', 'node-2', 'node-3'])
        await page.locator(`.node-card[data-node="${name}"][data-state="ready"]`).waitFor();
      await page.locator('[data-headline="healthy"]').waitFor();
      const leader = await page.locator('dt:text-is("Leader") + dd').textContent();
      await page.getByRole('button', { name: `Kill ${leader}` }).click();
      await page.locator(`.node-card[data-node="${leader}"][data-state="stopped"]`).waitFor();
      await expect
        .poll(() => page.locator('dt:text-is("Leader") + dd').textContent(), { timeout: READY_MS_MAX })
        .not.toMatch(new RegExp(`none|${leader}`));
      await page.getByRole('button', { name: 'Copy gRPC address of node-1' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      await page.screenshot({ path: path.join(pictures, 'window.png') });
      expect(faults).toEqual([]);
      expect(processesOf(`${workspace}/clusters`).length).toBe(2);
    });

    it('never leaves its own page; closing the window stops the cluster first and leaves no process; the next start finds cluster and data', async () => {
      // Last in this process: Playwright would wait for ever for a navigation that was refused.
      const url = await application.evaluate(async ({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents;
        const refused = new Promise<void>((resolve) => contents?.once('will-navigate', () => resolve()));
        void contents?.executeJavaScript("location.href = 'https://example.org/'");
        await refused;
        return contents?.getURL();
      });
      expect(url).toMatch(/^app:\/\/muster\//);

      const closed = new Promise<void>((resolve) => application.once('close', () => resolve()));
      await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
      await closed;
      expect(processesOf(workspace)).toEqual([]);

      await launch();
      await page.getByRole('link', { name: 'dev', exact: true }).waitFor();
      await page.getByText('Stopped, 3 nodes').waitFor();
      await page.getByRole('button', { name: 'Start dev' }).click();
      for (const name of ['node-1', 'node-2', 'node-3'])
        await page.locator(`.node-card[data-node="${name}"][data-state="ready"]`).waitFor();
    });

    it('a SIGKILL of the app takes every engine with it', async () => {
      const pid = await application.evaluate(() => process.pid);
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => processesOf(`${workspace}/clusters`), { timeout: READY_MS_MAX }).toEqual([]);
    });
  },
);
