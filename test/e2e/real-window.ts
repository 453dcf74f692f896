// One window of the real launcher for a whole suite, on engines that are real; at its end nothing of it is left and nothing went wrong in it.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { chromiumMissing, openBrowser, openPage, type PageOptions } from './browser.ts';
import { type RealLauncher, serve } from './real-launcher.ts';

export interface RealWindowOptions extends PageOptions {
  /** Limit of every wait of the page, ms. */
  readonly waitMsMax: number;
  /** Begins with three nodes that are ready, started by the button of the start screen. */
  readonly started?: boolean;
  /** Of the first cluster, for suites that make several and need none of the standard ports. */
  readonly firstPort?: number;
}

/** Declares a suite on real engines; left out where no Chromium is. `page` may be called in hooks and tests. */
export function describeRealWindow(
  name: string,
  { waitMsMax, started = false, firstPort, ...options }: RealWindowOptions,
  define: (page: () => Page) => void,
): void {
  describe.skipIf(chromiumMissing !== null)(name, () => {
    let browser: Browser;
    let launcher: RealLauncher;
    let page: Page;
    let faults: string[];

    beforeAll(async () => {
      browser = await openBrowser();
      launcher = await serve(firstPort === undefined ? {} : { firstPort });
      ({ page, faults } = await openPage(browser, launcher.page, options));
      page.setDefaultTimeout(waitMsMax);
      if (!started) return;
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      await page.getByText(/^Ready in [\d.]+ m?s\.$/).waitFor();
    });
    afterAll(async () => {
      await browser?.close();
      expect(await launcher?.end(), 'engine processes left behind').toEqual([]);
      expect(faults).toEqual([]);
    });

    define(() => page);
  });
}
