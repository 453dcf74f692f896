// Data on disk with Clean, and the page Diagnostics (ux.md §13).
import { expect, it } from 'vitest';
import { installCare } from './care-scene.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { scenes } from './scenes.ts';
import { openScreen } from './screens.ts';

describeWindow('care', (harness) => {
  it('UX-13: a clean shows what dies first; events go only after the name of their cluster was typed', async () => {
    installCare(harness.fake);
    const page = await harness.open();
    await openScreen(page, 'Settings');
    const data = page.getByRole('region', { name: 'Data on disk' });
    await pressWhenReady(data.getByRole('button', { name: 'Clean logs of dev' }));
    const plain = page.getByRole('dialog', { name: 'Clean logs of dev' });
    await plain.getByText('/home/ada/.local/share/muster/clusters/dev/logs').waitFor();
    expect(harness.fake.callsOf('cleanData')).toHaveLength(0);
    await pressWhenReady(plain.getByRole('button', { name: 'Delete' }));
    await data.getByText(/Freed 1\.9 MB/).waitFor();
    await pressWhenReady(data.getByRole('button', { name: 'Clean events of dev' }));
    const asking = page.getByRole('dialog', { name: 'Clean events of dev' });
    const last = asking.getByRole('button', { name: 'Delete' });
    expect(await last.isDisabled()).toBe(true);
    await asking.getByRole('textbox').fill('dev');
    harness.fake.fail('cleanData', { code: 'CLEAN_REFUSED', what: 'They stay.', why: 'It runs.', next: [] });
    await pressWhenReady(last);
    await asking.getByText('CLEAN_REFUSED').waitFor();
    expect(harness.fake.callsOf('cleanData').map((call) => call.args)).toEqual([
      ['dev', ['logs'], null],
      ['dev', ['events'], 'dev'],
    ]);
    await page.keyboard.press('Escape');
    await asking.waitFor({ state: 'detached' });
    expect(await data.getByRole('button', { name: 'Clean timeline of dev' }).getAttribute('title')).toMatch(/stop it/);
  });

  it('UX-13: diagnostics tell ports with their holders, the log, and each failed check with code and step', async () => {
    installCare(harness.fake);
    const page = await harness.open();
    await openScreen(page, 'Diagnostics');
    const wrong = page.getByRole('row', { name: /8125/ });
    expect(await wrong.textContent()).toContain('✕ java (pid 99)');
    await expect.poll(() => page.getByRole('log').textContent()).toContain('it goes on');
    await pressWhenReady(page.getByRole('button', { name: 'Run the self-test' }));
    await page.getByText('1 of 2 checks failed.').waitFor();
    const failed = page.locator('[data-check=DISK_LOW]');
    await failed.getByRole('button', { name: 'Copy details' }).click();
    const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(copied).toBe('DISK_LOW: 1 KB are free. Too little.\n- See: muster data');
  });

  it('UX-13: a bundle shows what is in it before it is saved, of the app alone or with a cluster', async () => {
    installCare(harness.fake);
    const page = await harness.open();
    await openScreen(page, 'Diagnostics');
    const bundle = page.getByRole('region', { name: 'Bundle for a report' });
    await bundle.getByText('What is in it (1 files)').click();
    await bundle.getByText('muster/about.json').waitFor();
    await bundle.getByRole('combobox', { name: 'Of' }).selectOption('dev');
    await expect.poll(() => harness.fake.callsOf('bundleContents').map((call) => call.args)).toEqual([[null], ['dev']]);
    await pressWhenReady(bundle.getByRole('button', { name: 'Save bundle' }));
    await bundle.getByText('/bundles/a.tar.gz').waitFor();
    expect(harness.fake.callsOf('saveBundle').map((call) => call.args)).toEqual([['dev']]);
  });

  it('UX-17: an empty place says one sentence, offers the one action, and leads to what there is to learn', async () => {
    harness.fake.show({ ...scenes.healthy(), state: 'stopped', contexts: [], apps: [] });
    const page = await harness.open();
    await page.getByRole('link', { name: 'dev', exact: true }).click();
    for (const [label, topic] of [
      ['Contexts', 'contexts'],
      ['Apps', 'apps'],
      ['Timeline', 'timeline'],
    ] as const) {
      await openScreen(page, label);
      const shown = page.locator(`[data-page=${label.toLowerCase()}] .empty`).first();
      await shown.getByRole('button', { name: 'Start the cluster' }).waitFor();
      await shown.getByRole('button', { name: `About ${topic}` }).click();
      const learned = page.locator('details[open]');
      await learned.getByText('muster').first().waitFor();
      expect(await learned.count(), 'only that topic is open').toBe(1);
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(label);
      await page.goBack();
    }
    await openScreen(page, 'Apps');
    await pressWhenReady(page.locator('[data-page=apps] .empty').getByRole('button', { name: 'Start the cluster' }));
    await expect.poll(() => harness.fake.callsOf('startCluster').map((call) => call.args)).toEqual([['dev']]);
  });
});
