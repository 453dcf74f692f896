// The frame of the window (ux.md §3): rail, pages, history, settings. Views are scripted.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeWindow } from './harness.ts';
import { scenes } from './scenes.ts';
import { openScreen } from './screens.ts';

describeWindow('navigation', (harness) => {
  it('UX-3 the rail leads to every page of the open cluster, marks the present one, and back and reload keep it', async () => {
    const page = await harness.openCluster(scenes.healthy());
    const rail = page.getByRole('navigation', { name: 'Main' });
    expect(await rail.getByRole('link', { name: 'Overview' }).getAttribute('aria-current')).toBe('page');

    await rail.getByRole('link', { name: 'Logs' }).click();
    await page.getByRole('heading', { level: 2, name: 'Logs' }).waitFor();
    expect(await rail.getByRole('link', { name: 'Logs' }).getAttribute('aria-current')).toBe('page');
    expect(await rail.getByRole('link', { name: 'Overview' }).getAttribute('aria-current')).toBeNull();
    expect(new URL(page.url()).hash, 'the address says nothing of the place').toBe('');

    await page.reload();
    await page.getByRole('heading', { level: 2, name: 'Logs' }).waitFor();
    await page.goBack();
    await page.getByRole('article', { name: 'node-1' }).waitFor();
    await rail.getByRole('link', { name: 'Clusters' }).click();
    await page.getByRole('button', { name: 'Start a 3-node cluster' }).waitFor();
    expect(await rail.getByRole('link', { name: 'Overview' }).count(), 'no cluster is open').toBe(0);
  });

  it('UX-3 the cluster stays open behind the settings, and the rail folds to icons that keep their names', async () => {
    const page = await harness.openCluster(scenes.healthy());
    const rail = page.getByRole('navigation', { name: 'Main' });
    await rail.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    await rail.getByRole('button', { name: 'Words beside the icons' }).click();
    expect((await rail.boundingBox())?.width).toBeLessThan(60);
    await rail.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('article', { name: 'node-1' }).waitFor();
    expect(harness.fake.callsOf('getCluster'), 'the view was kept').toHaveLength(1);
  });

  it('UX-13 theme, density and motion are the same in every window at once, and a page comes with them', async () => {
    const page = await harness.open({ scheme: 'light' });
    const other = await harness.open({ scheme: 'light' });
    const ground = (window: Page): Promise<string> =>
      window.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground(page);
    await openScreen(page, 'Settings');
    await page.getByRole('group', { name: 'Theme' }).getByText('Dark').click();
    for (const window of [page, other]) await expect.poll(() => ground(window)).not.toBe(light);
    await page.getByRole('group', { name: 'Theme' }).getByText('High contrast').click();
    for (const window of [page, other]) await expect.poll(() => ground(window)).toBe('rgb(255, 255, 255)');
    harness.fake.changeSettings({ density: 'comfortable', motion: 'reduced' });
    await expect.poll(() => page.evaluate(() => getComputedStyle(document.body).fontSize)).toBe('15px');
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset['motion'])).toBe('reduced');
    // Nothing is asked for and answered before the first paint.
    harness.fake.on('settings', () => new Promise(() => undefined));
    const third = await harness.open({ scheme: 'light' });
    expect(await ground(third)).toBe('rgb(255, 255, 255)');
    expect(await third.evaluate(() => getComputedStyle(document.body).fontSize)).toBe('15px');
  });
});
