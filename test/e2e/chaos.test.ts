// Chaos scripts (ux.md §11): editor, problems, recording, runs and their states on scripted views; then record and replay for real.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { failedRun, run } from './chaos-scene.ts';
import { card, describeWindow } from './harness.ts';
import { installPast } from './past-scene.ts';
import { describeRealWindow } from './real-window.ts';

const CHANGE_MS_MAX = 60_000;
const toChaos = (page: Page) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Chaos' }).press('Enter');
const script = (page: Page) => page.getByRole('textbox', { name: 'Script' });
const runButton = (page: Page) => page.getByRole('main').getByRole('button', { name: 'Run', exact: true });

describeWindow('chaos page', (harness) => {
  it('UX-17 empty: nothing to run, an example to begin with; a refusal stands in place', async () => {
    const page = await harness.openCluster();
    await toChaos(page);
    await page.getByText('No saved script yet.').waitFor();
    expect(await runButton(page).getAttribute('title')).toBe('The script is empty');
    await page.getByRole('button', { name: 'Use the example' }).press('Enter');
    expect(await script(page).inputValue()).toContain('kill leader(default)');
    harness.fake.fail('runScript', { code: 'CLUSTER_BUSY', what: 'Not started.', why: 'On purpose.', next: [] });
    await runButton(page).press('Enter');
    await page.getByText('CLUSTER_BUSY').waitFor();
  });

  it('UX-11 problems are told per line by the parser that runs it; one leads to its place', async () => {
    const page = await harness.openCluster();
    await toChaos(page);
    await script(page).fill('heal all\nexplode\nheal all; kill');
    expect(await runButton(page).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Line 2, column 1' }).waitFor();
    await page.getByRole('button', { name: 'Line 3, column 11' }).press('Enter');
    const at = await script(page).evaluate((area: HTMLTextAreaElement) => area.selectionStart);
    expect(at).toBe('heal all\nexplode\nheal all; '.length);
    expect(await script(page).getAttribute('aria-invalid')).toBe('true');
    await script(page).fill('heal all');
    expect(await runButton(page).isDisabled()).toBe(false);
  });

  it('UX-11 a run is seen step by step, can be stopped, and leads to the timeline and to JUnit', async () => {
    installPast(harness.fake);
    harness.fake.on('scriptRuns', () => [run()]);
    const page = await harness.openCluster();
    await toChaos(page);
    const shown = page.getByRole('region', { name: 'Run of failover' });
    await shown.getByRole('row', { name: /under way 4 wait leader/ }).waitFor();
    await shown.getByRole('button', { name: 'Stop the run' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('stopScript').map((call) => call.args)).toEqual([['run-1']]);
    harness.fake.push('runs', [failedRun()]);
    await shown.getByText('212 acknowledged, 1 lost (3 copies read)').waitFor();
    const download = page.waitForEvent('download');
    await shown.getByRole('button', { name: 'Save as JUnit' }).press('Enter');
    expect((await download).suggestedFilename()).toBe('failover.xml');
    await shown.getByRole('button', { name: 'Open the timeline there' }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Timeline' }).waitFor();
  });

  it('UX-1.5 a saved script is deleted only after its name was typed', async () => {
    harness.fake.on('scripts', () => [{ name: 'failover', savedAt: new Date().toISOString(), bytes: 40 }]);
    const page = await harness.openCluster();
    await toChaos(page);
    await page.getByRole('button', { name: 'Delete script failover' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Delete script failover?' });
    expect(await dialog.getByRole('button', { name: 'Delete script' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('failover');
    await dialog.getByRole('button', { name: 'Delete script' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('removeScript').map((call) => call.args)).toEqual([['failover']]);
  });
});

describeRealWindow('chaos scripts on real engines', { waitMsMax: CHANGE_MS_MAX, started: true }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
  });

  it('UX-11 what is done by hand is recorded, saved, run again and passes', async () => {
    await toChaos(page);
    await page.getByRole('button', { name: '● Record' }).click();
    await page.getByText('Go on with any page or command.').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-3').getByRole('button', { name: 'Kill' }).click();
    await card(page, 'node-3')
      .getByRole('button', { name: /^Start/ })
      .click();
    await card(page, 'node-3').getByText('Ready', { exact: true }).waitFor();
    await toChaos(page);
    await page.getByText(/2 lines\. Go on/).waitFor();
    await page.getByRole('button', { name: 'End recording' }).click();
    await expect.poll(() => script(page).inputValue()).toMatch(/kill node-3\nat \+[\d.]+s start node-3\n$/);
    await page.getByRole('textbox', { name: 'Name' }).fill('third');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('navigation', { name: 'Saved scripts' }).getByText('third').waitFor();
    await runButton(page).click();
    await page.locator('[data-run-state="passed"]').waitFor();
  });
});
