// What the desktop shell does around the page: closing the window as set, the tray, one instance, and a page that crashes.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeHostLock, Workspace } from '../../electron/launcher/workspace.ts';
import { root } from './browser.ts';
import {
  appEnded,
  DESKTOP_READY_MS_MAX,
  type Desktop,
  desktopMissing,
  desktopOf,
  fromSources,
  launchApplication,
  openDisplay,
} from './desktop.ts';
import { newWorkspace, processesOf } from './real-launcher.ts';

const missing = desktopMissing();
if (missing !== null) console.warn(`tests of the desktop shell are left out: ${missing}`);

describe.skipIf(missing !== null)(
  missing === null ? 'the desktop shell' : `the desktop shell (left out: ${missing})`,
  () => {
    let desktop: Desktop;
    let server: ChildProcess | null = null;
    let display = '';
    const workspace = newWorkspace();
    const config = path.join(workspace, 'config');
    const engines = (): readonly number[] => processesOf(`${workspace}/clusters`);
    const visible = (): Promise<boolean | undefined> =>
      desktop.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());
    /** In the page, through the main process: the driver's own page object does not outlive a crash. */
    const inPage = (script: string): Promise<unknown> =>
      desktop.application.evaluate(
        ({ BrowserWindow }, code) => BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(code),
        script,
      );

    /** Answers the exit code of a second start. */
    const startAgain = (): Promise<number | null> => {
      const second = spawn(fromSources.executable, ['--no-sandbox', '--disable-gpu', ...fromSources.args], {
        cwd: root,
        env: { ...process.env, DISPLAY: display, MUSTER_HOME: workspace, XDG_CONFIG_HOME: config },
        stdio: 'ignore',
      });
      return new Promise((resolve) => second.once('exit', resolve));
    };

    beforeAll(async () => {
      ({ display, server } = await openDisplay());
    });
    afterAll(async () => {
      await desktop?.application.close();
      server?.kill();
      rmSync(workspace, { recursive: true, force: true });
    });

    it('a second start while the first still waits for the workspace opens nothing; then one window comes up and works', async () => {
      const lock = await takeHostLock(new Workspace(workspace));
      const application = await launchApplication(fromSources, workspace, display);
      expect(await startAgain(), 'the second start leaves the work to the first').toBe(0);
      const windows = (): Promise<number> =>
        application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
      expect(await windows()).toBe(0);
      await lock.release();
      desktop = await desktopOf(application);
      const { page, faults } = desktop;
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      await page.locator('[data-headline="healthy"]').waitFor();
      expect(await windows()).toBe(1);
      expect(faults).toEqual([]);
    });

    it('UX-4.1 Open folder of a node card opens the folder that the launcher knows; a page cannot name a path', async () => {
      const { application, page } = desktop;
      await application.evaluate(({ shell }) => {
        const opened: string[] = [];
        Object.assign(globalThis, { opened });
        shell.openPath = (path) => {
          opened.push(path);
          return Promise.resolve('');
        };
      });
      await page.getByRole('button', { name: 'More for node-2' }).click();
      await page.getByRole('button', { name: 'Open folder' }).click();
      const opened = (): Promise<unknown> =>
        application.evaluate(() => (globalThis as { readonly opened?: readonly string[] }).opened);
      await expect.poll(opened).toEqual([path.join(workspace, 'clusters', 'dev', 'node-2')]);
      for (const wrong of ['/etc', '../node-2', 'node-9']) {
        expect(await inPage(`window.muster.openFolder('dev', '${wrong}')`)).toHaveProperty('error');
        expect(await inPage(`window.muster.openLog('dev', '${wrong}')`)).toHaveProperty('error');
      }
      expect(await opened()).toHaveLength(1);
      await page.getByRole('tab', { name: 'Logs' }).click();
      await page.getByRole('radio', { name: 'node-2' }).check({ force: true });
      await page.getByRole('button', { name: 'Open file' }).click();
      const log = path.join(workspace, 'clusters', 'dev', 'node-2', 'logs', 'node-2.log');
      await expect.poll(async () => ((await opened()) as readonly string[])[1]).toBe(log);
    });

    it('ux §7 logs are plain text while the system tells of a screen reader, unless chosen otherwise', async () => {
      const { application, page } = desktop;
      const tell = (used: boolean): Promise<boolean> =>
        application.evaluate(({ app }, told) => app.emit('accessibility-support-changed', {}, told), used);
      const plain = page.getByRole('checkbox', { name: 'Plain text' });
      expect(await plain.isChecked()).toBe(false);
      await tell(true);
      await page.getByRole('log').waitFor();
      expect(await plain.isChecked()).toBe(true);
      await plain.uncheck();
      await page.locator('.xterm').waitFor();
      await tell(false);
      await tell(true);
      expect(await plain.isChecked()).toBe(false);
    });

    it('a page that crashes is loaded again where it was, and the clusters have not noticed', async () => {
      const { application, page } = desktop;
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Contexts' }).click();
      await page.locator('[data-page="contexts"]').waitFor();
      const before = engines();
      expect(before.length).toBe(3);
      await application.evaluate(async ({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents;
        const loaded = new Promise<void>((resolve) => contents?.once('did-finish-load', () => resolve()));
        contents?.forcefullyCrashRenderer();
        await loaded;
      });
      const look = `document.querySelector('[data-page="contexts"]') !== null && document.body.innerText.includes('node-3')`;
      await expect.poll(() => inPage(look), { timeout: DESKTOP_READY_MS_MAX }).toBe(true);
      expect(engines()).toEqual(before);
    });

    it('closed with "tray" set, the window hides, the clusters run on, and a second start brings the window back', async () => {
      const { application } = desktop;
      await inPage(`window.muster.call('changeSettings', [{ closeWindow: 'tray' }])`);
      await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
      await expect.poll(visible, { timeout: DESKTOP_READY_MS_MAX }).toBe(false);
      expect(engines().length).toBe(3);
      expect(await startAgain(), 'the second start leaves the work to the first').toBe(0);
      await expect.poll(visible, { timeout: DESKTOP_READY_MS_MAX }).toBe(true);
    });

    it('closed with "quit" set, the clusters stop first and no process is left', async () => {
      const { application } = desktop;
      expect(await inPage(`window.muster.call('changeSettings', [{ closeWindow: 'quit' }])`)).toMatchObject({
        ok: { closeWindow: 'quit' },
      });
      const ended = appEnded(application);
      await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
      await ended;
      expect(processesOf(workspace)).toEqual([]);
    });
  },
);
