// Chaos scripts (ux.md §11): editor, problems, recording, runs and their states on scripted views; then record and replay for real.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { failedRun, run } from './chaos-scene.ts';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';
import { describeRealWindow } from './real-window.ts';
import { scenes } from './scenes.ts';

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
    await shown.getByRole('button', { name: 'Open timeline here' }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Timeline' }).waitFor();
  });

  it('UX-11 a failed run on a cluster of its own leads to that cluster as it was when the line failed', async () => {
    installPast(harness.fake);
    const failed = failedRun();
    harness.fake.on('scriptRuns', () => [{ ...failed, cluster: 'failover', started: true }]);
    const page = await harness.openCluster();
    await toChaos(page);
    await script(page).fill('start 3\nheal all');
    await page.getByRole('textbox', { name: 'Name' }).fill('failover');
    const here = page
      .getByRole('region', { name: 'Run of failover' })
      .getByRole('button', { name: 'Open timeline here' });
    await here.waitFor();
    expect(await here.getAttribute('title'), 'a cluster that was not made').toBe('There is no cluster failover');
    harness.fake.show({ ...scenes.healthy(), name: 'failover' });
    harness.fake.on('pastView', (name: string, at: number) => ({
      recordedAt: at,
      view: { ...scenes.electing(), name },
    }));
    await pressWhenReady(here);
    await page.getByRole('heading', { level: 2, name: 'Timeline' }).waitFor();
    const step = failed.steps.find(({ state }) => state === 'failed');
    const moment = Math.round(failed.startedAt + (step?.atMs ?? 0) + (step?.tookMs ?? 0));
    await expect.poll(() => harness.fake.callsOf('pastView').map(({ args }) => args)).toEqual([['failover', moment]]);
    await page.locator('[data-past="true"]').waitFor();
    await page.getByRole('heading', { level: 1, name: 'failover' }).waitFor();
  });

  it('UX-11 a script that another window or a command saves or deletes is there, or gone, at once', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    let kept = [{ name: 'failover', savedAt: at(1), bytes: 8 }];
    const push = (next: typeof kept) => {
      kept = next;
      harness.fake.push('scripts', kept);
    };
    let text = 'heal all';
    harness.fake.on('scripts', () => kept);
    harness.fake.on('readScript', () => text);
    const page = await harness.openCluster();
    await toChaos(page);
    const list = page.getByRole('navigation', { name: 'Saved scripts' });
    await list.getByRole('button', { name: /^failover/ }).press('Enter');
    await expect.poll(() => script(page).inputValue()).toBe('heal all');
    push([{ name: 'again', savedAt: at(2), bytes: 9 }, ...kept]);
    await list.getByRole('button', { name: /^again/ }).waitFor();
    text = 'kill node-1';
    push([{ name: 'failover', savedAt: at(3), bytes: 11 }]);
    await expect
      .poll(() => script(page).inputValue(), { message: 'nothing typed: the newer text' })
      .toBe('kill node-1');
    await script(page).fill('kill node-1\nheal all');
    text = 'kill node-2';
    push([{ name: 'failover', savedAt: at(4), bytes: 11 }]);
    await page.getByText('failover was saved elsewhere meanwhile.').waitFor();
    expect(await script(page).inputValue(), 'what was typed stays').toBe('kill node-1\nheal all');
    await page.getByRole('button', { name: 'Take that one' }).press('Enter');
    await expect.poll(() => script(page).inputValue()).toBe('kill node-2');
    push([]);
    await list.getByText('No saved script yet.').waitFor();
    await page.getByText('Not saved.').waitFor();
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
