// The desktop window on a real Electron (33.2.1, tests only: decision 21) under Xvfb: it opens, hosts a real cluster, and takes
// every engine with it when it closes. Prepare once with `node scripts/prepare-test-electron.mjs`.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { ElectronApplication, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './browser.ts';
import {
  appEnded,
  DESKTOP_READY_MS_MAX,
  desktopMissing,
  fromSources,
  launchDesktop,
  openDisplay,
  startAndLoseLeader,
} from './desktop.ts';
import { newWorkspace, processesOf } from './real-launcher.ts';

const pictures = path.join(root, 'test-results', 'electron');

const missing = desktopMissing();
if (missing !== null) console.warn(`electron tests are left out: ${missing}`);

describe.skipIf(missing !== null)(
  missing === null ? 'the desktop window' : `the desktop window (left out: ${missing})`,
  () => {
    let application: ElectronApplication;
    let server: ChildProcess | null = null;
    let page: Page;
    let display = '';
    const workspace = newWorkspace();
    let faults: string[] = [];

    const launch = async (): Promise<void> => {
      ({ application, page, faults } = await launchDesktop(fromSources, workspace, display));
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
      const bridge = ['call', 'on', 'openFolder', 'openLog'];
      expect(inPage).toEqual({ require: 'undefined', process: 'undefined', bridge });
      const preferences = await application.evaluate(({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
          getLastWebPreferences(): Record<string, unknown>;
        };
        const { contextIsolation, sandbox, nodeIntegration, webSecurity } = contents.getLastWebPreferences();
        return { contextIsolation, sandbox, nodeIntegration, webSecurity };
      });
      expect(preferences).toEqual({ contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true });
    });

    it('UX-13 the page comes in the look that is set, before it asks for anything', async () => {
      const html = await page.evaluate(async () => {
        const { muster } = globalThis as unknown as {
          muster: { call(method: string, args: unknown): Promise<unknown> };
        };
        const read = async (): Promise<string> => (await (await fetch('index.html')).text()).slice(0, 300);
        await muster.call('changeSettings', [{ theme: 'dark', density: 'comfortable' }]);
        const dark = await read();
        await muster.call('changeSettings', [{ theme: 'system', density: 'compact' }]);
        return [dark, await read()];
      });
      expect(html[0]).toContain('data-theme="dark" data-density="comfortable"');
      expect(html[1]).toContain('data-theme="system" data-density="compact"');
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
      await startAndLoseLeader(page);
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

      const closed = appEnded(application);
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
      await expect.poll(() => processesOf(`${workspace}/clusters`), { timeout: DESKTOP_READY_MS_MAX }).toEqual([]);
    });
  },
);
