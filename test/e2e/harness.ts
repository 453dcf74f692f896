// One browser per test file, a fresh fake launcher and page per test; a test fails on any uncaught page error or refused resource.
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { ClusterView } from '../../electron/contract/model.ts';
import { chromiumMissing, openBrowser, openPage, type PageOptions } from './browser.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { scenes } from './scenes.ts';

export interface Harness {
  readonly fake: FakeLauncher;
  readonly open: (options?: PageOptions, url?: string) => Promise<Page>;
  /** Opens the cluster screen of `dev` showing this view. */
  readonly openCluster: (view?: ClusterView, options?: PageOptions) => Promise<Page>;
}

export const card = (page: Page, name: string): Locator => page.getByRole('article', { name });
export const row = (page: Page, name: string): Locator => page.getByRole('row', { name: new RegExp(`^${name}`) });
export const why = (page: Page): Locator => page.getByRole('region', { name: /^Why:/ });

/** Enter on a button that may still wait for the answer to the action before: until then it takes no key. */
export async function pressWhenReady(button: Locator): Promise<void> {
  await button.click({ trial: true });
  await button.press('Enter');
}

/** Declares a suite about the window; left out, with the reason, where no Chromium is. */
export function describeWindow(name: string, define: (harness: Harness) => void): void {
  const title = chromiumMissing === null ? name : `${name} (left out: ${chromiumMissing})`;
  describe.skipIf(chromiumMissing !== null)(title, () => {
    let browser: Browser;
    let fake: FakeLauncher;
    let faults: string[] = [];
    const pages: Page[] = [];
    beforeAll(async () => {
      browser = await openBrowser();
    });
    afterAll(() => browser.close());
    beforeEach(async () => {
      fake = await FakeLauncher.start();
    });
    afterEach(async () => {
      for (const page of pages.splice(0)) await page.context().close();
      await fake.close();
      expect(faults, 'no uncaught error and no refused resource').toEqual([]);
    });
    const open = async (options: PageOptions = {}, url = fake.url): Promise<Page> => {
      const opened = await openPage(browser, url, options);
      faults = opened.faults;
      pages.push(opened.page);
      return opened.page;
    };
    const openCluster = async (view = scenes.healthy(), options: PageOptions = {}): Promise<Page> => {
      fake.show(view);
      const page = await open(options);
      await page.getByRole('link', { name: 'dev', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'dev' }).waitFor();
      await card(page, 'node-1').waitFor();
      return page;
    };
    define({
      get fake() {
        return fake;
      },
      open,
      openCluster,
    });
  });
}
