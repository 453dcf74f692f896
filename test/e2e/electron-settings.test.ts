// What is chosen on the settings page of the desktop window takes effect in the app around it, and menu and tray act (ux.md §13, §14).
import { type ChildProcess, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './browser.ts';
import {
  appEnded,
  DESKTOP_READY_MS_MAX,
  type Desktop,
  desktopMissing,
  fromSources,
  launchDesktop,
  openDisplay,
} from './desktop.ts';
import { newWorkspace, processesOf } from './real-launcher.ts';

const missing = desktopMissing();
if (missing !== null) console.warn(`tests of the desktop settings are left out: ${missing}`);

/** What the main process keeps for the test: the menu that the tray shows now. */
interface Kept {
  trayMenu?: { readonly items: readonly { readonly label: string; click(): void }[] };
}

describe.skipIf(missing !== null)(
  missing === null ? 'settings, menu and tray of the desktop app' : `settings, menu and tray (left out: ${missing})`,
  () => {
    let desktop: Desktop;
    let page: Page;
    let server: ChildProcess | null = null;
    const workspace = newWorkspace();
    const engines = (): readonly number[] => processesOf(`${workspace}/clusters`);
    const token = (): string => readFileSync(path.join(workspace, 'control.token'), 'utf8').trim();

    /** The status of a call over the control port, or `closed`. */
    const called = (url: string, key: string): Promise<number | 'closed'> =>
      fetch(`${url}/api/about`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '[]' }).then(
        (response) => response.status,
        () => 'closed' as const,
      );
    const command = (...words: readonly string[]): { readonly status: number | null; readonly stdout: string } =>
      spawnSync(process.execPath, ['scripts/muster.mjs', ...words], {
        cwd: root,
        env: { ...process.env, MUSTER_HOME: workspace },
        encoding: 'utf8',
      });
    const visible = (): Promise<boolean | undefined> =>
      desktop.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());
    const group = (name: string): Locator => page.getByRole('region', { name });
    const closeWindow = (): Promise<void> =>
      desktop.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());

    /** Chooses an entry of the application menu, as Electron does for a click or an accelerator of its own. */
    const choose = (label: string): Promise<void> =>
      desktop.application.evaluate(({ Menu }, wanted) => {
        const items = Menu.getApplicationMenu()?.items.flatMap((one) => one.submenu?.items ?? []) ?? [];
        const item = items.find((one) => one.label === wanted);
        if (item === undefined) throw new Error(`no entry ${wanted}: ${items.map((one) => one.label).join(', ')}`);
        item.click();
      }, label);
    const trayLabels = (): Promise<readonly string[]> =>
      desktop.application.evaluate(() => (globalThis as Kept).trayMenu?.items.map((one) => one.label) ?? []);
    const chooseInTray = (label: string): Promise<void> =>
      desktop.application.evaluate((_electron, wanted) => {
        const item = (globalThis as Kept).trayMenu?.items.find((one) => one.label.startsWith(wanted));
        if (item === undefined) throw new Error(`the tray has no ${wanted}`);
        item.click();
      }, label);

    beforeAll(async () => {
      const opened = await openDisplay();
      server = opened.server;
      writeFileSync(path.join(workspace, 'settings.json'), JSON.stringify({ firstPort: 18930 }));
      desktop = await launchDesktop(fromSources, workspace, opened.display);
      ({ page } = desktop);
      // A menu entry is a message to the page, which must listen by then.
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).waitFor();
      await desktop.application.evaluate(({ Tray }) => {
        const show = Tray.prototype.setContextMenu;
        Tray.prototype.setContextMenu = function (menu) {
          (globalThis as Kept).trayMenu = menu as never;
          show.call(this, menu);
        };
      });
    });
    afterAll(async () => {
      await desktop?.application.close();
      server?.kill();
      rmSync(workspace, { recursive: true, force: true });
    });

    it('UX-13 the control port chosen in the window is off, on, moved and has a new token, while the window goes on', async () => {
      await choose('Settings');
      const control = group('Control port');
      const address = control.locator('dt:text-is("Listens at") + dd code');
      const first = (await address.textContent()) ?? '';
      expect(await called(first, token())).toBe(200);

      await control.getByText('Off', { exact: true }).click();
      await control.getByText('Nothing listens now.').waitFor();
      expect(await called(first, token())).toBe('closed');

      await control.getByText('On', { exact: true }).click();
      const second = (await address.textContent()) ?? '';
      expect(await called(second, token())).toBe(200);

      const before = token();
      await control.getByRole('button', { name: 'New token' }).click();
      await expect.poll(token).not.toBe(before);
      expect(await called(second, before)).toBe(401);
      expect(await called(second, token())).toBe(200);

      const port = 18_990;
      await control.getByRole('spinbutton', { name: 'Port' }).fill(String(port));
      await control.getByRole('button', { name: 'Save' }).click();
      await expect.poll(() => address.textContent()).toBe(`http://127.0.0.1:${port}`);
      expect(await called(`http://127.0.0.1:${port}`, token())).toBe(200);
      if (second !== `http://127.0.0.1:${port}`) expect(await called(second, token())).toBe('closed');
      expect(JSON.parse(command('control-port', '--json').stdout)).toMatchObject({ wish: port });
      expect(desktop.faults).toEqual([]);
    });

    it('UX-14 each entry of the menu acts in the page, and shows the key that the page takes', async () => {
      await choose('All clusters');
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      await page.locator('[data-headline="healthy"]').waitFor();
      const dialogs = [
        ['New cluster…', 'Control+n', /New cluster/],
        ['Import a cluster…', null, /Import/],
        ['Links and partitions…', null, /Links/],
        ['Files: export, diagnostics bundle…', null, /Files of dev/],
        ['Command palette', 'Control+k', /Commands/],
        ['Keyboard help', 'F1', /Keyboard/],
      ] as const;
      for (const [label, key, name] of dialogs) {
        for (const open of [() => choose(label), ...(key === null ? [] : [() => page.keyboard.press(key)])]) {
          await open();
          const dialog = page.getByRole('dialog', { name });
          await dialog.waitFor();
          await page.keyboard.press('Escape');
          await dialog.waitFor({ state: 'detached' });
        }
      }
      await choose('Show or hide the dock');
      await page.getByRole('button', { name: 'Show the dock' }).waitFor();
      await page.keyboard.press('Control+j');
      await page.getByRole('button', { name: 'Hide the dock' }).waitFor();
      for (const [label, tab] of [
        ['Timeline', 'Timeline'],
        ['Connect an app', 'Connect'],
      ] as const) {
        await choose(label);
        await expect.poll(() => page.getByRole('tab', { name: tab }).getAttribute('aria-selected')).toBe('true');
      }
      await choose('Diagnostics');
      await page.getByRole('heading', { level: 1, name: 'Diagnostics' }).waitFor();
      await choose('All clusters');
      await page.getByRole('button', { name: 'Open dev' }).click();
      await choose('Stop the cluster');
      await page.locator('[data-cluster-state="stopped"]').waitFor();
      await choose('Start the cluster');
      await page.locator('[data-headline="healthy"]').waitFor();
      expect(desktop.faults).toEqual([]);
    });

    it('UX-13 the close button does what the settings page says: into the tray, whose menu lists the clusters and acts', async () => {
      await choose('Settings');
      await group('Closing the desktop window').getByText('Leave them running in the tray').click();
      await expect.poll(() => JSON.parse(command('settings', '--json').stdout)).toMatchObject({ closeWindow: 'tray' });
      await closeWindow();
      await expect.poll(visible, { timeout: DESKTOP_READY_MS_MAX }).toBe(false);
      expect(engines()).toHaveLength(3);
      // A change of the cluster makes the tray's menu anew.
      expect(command('kill', 'node-3').status).toBe(0);
      await expect
        .poll(async () => (await trayLabels()).join('\n'), { timeout: DESKTOP_READY_MS_MAX })
        .toMatch(/^dev: .*, 2 of 3 nodes ready$/m);
      await chooseInTray('dev:');
      await expect.poll(visible, { timeout: DESKTOP_READY_MS_MAX }).toBe(true);
      await chooseInTray('Stop all clusters');
      await expect.poll(trayLabels, { timeout: DESKTOP_READY_MS_MAX }).toContain('No cluster runs');
      expect(engines()).toEqual([]);
    });

    it('UX-13 with "quit" chosen on the settings page, closing ends the app; nothing is left', async () => {
      await choose('All clusters');
      await page.getByRole('button', { name: 'Start dev' }).click();
      await page.locator('[data-headline="healthy"]').waitFor();
      await choose('Settings');
      await group('Closing the desktop window').getByText('Stop the clusters and quit').click();
      await expect.poll(() => JSON.parse(command('settings', '--json').stdout)).toMatchObject({ closeWindow: 'quit' });
      const ended = appEnded(desktop.application);
      await closeWindow();
      await ended;
      expect(processesOf(workspace)).toEqual([]);
    });
  },
);
