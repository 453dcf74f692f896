// WCAG 2.2 AA by axe on every screen and dialog, in both themes and high contrast (ux.md §15). Views are scripted.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import { violations } from './axe.ts';
import { installCare } from './care-scene.ts';
import { describeWindow } from './harness.ts';
import { failedRun } from './chaos-scene.ts';
import { saved } from './checkpoint-scene.ts';
import { installPast } from './past-scene.ts';
import { scenes } from './scenes.ts';
import { logOf } from './view-parts.ts';

const pagesOfCluster = [
  'Overview',
  'Apps',
  'Contexts',
  'Timeline',
  'Logs',
  'Configuration',
  'Checkpoints',
  'Chaos',
  'Events',
];
const dialogs: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  ['palette', (page) => page.keyboard.press('Control+k')],
  ['keys', (page) => page.keyboard.press('F1')],
  ['new cluster', (page) => page.keyboard.press('Control+n')],
  ['links', (page) => page.getByRole('button', { name: 'Links…' }).click()],
  ['remove a node', (page) => page.getByRole('button', { name: 'Remove a node…' }).click()],
  [
    'skew a clock',
    async (page) => {
      await page.getByText('Break ▾').click();
      await page.getByRole('button', { name: 'Skew clock…' }).click();
    },
  ],
  ['files', (page) => page.getByRole('button', { name: 'Files…' }).click()],
  [
    'import',
    async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.type('Import a cluster');
      await page.getByRole('option', { name: /Import a cluster/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: 'Import a cluster' }).waitFor();
    },
  ],
];

describeWindow('axe', (harness) => {
  it.each(['light', 'dark', 'contrast'] as const)(
    'UX-15 %s: no violation on any screen or dialog',
    async (theme) => {
      for (const i of [1, 2, 3]) harness.fake.setLog(`node-${i}`, logOf(i));
      harness.fake.on('configDocs', () => []);
      harness.fake.on('getConfig', () => ({
        differences: [{ key: 'a', generated: null, yours: '1', inForce: null, waits: true, sentence: 'Waits.' }],
        node: 'node-1',
        file: '/tmp/axonserver.properties',
        generated: [{ key: 'axoniq.axonserver.name', value: 'node-1', why: 'clients find the node by it' }],
        yours: '',
        unknownKeys: ['a'],
        problems: [],
        changedAt: 1,
        needsRestart: true,
      }));
      installCare(harness.fake);
      installPast(harness.fake);
      harness.fake.on('scripts', () => [{ name: 'failover', savedAt: new Date().toISOString(), bytes: 40 }]);
      harness.fake.on('scriptRuns', () => [failedRun()]);
      harness.fake.on('checkpoints', () => [
        saved('first'),
        saved('broken', { problem: 'Its list of files is damaged.' }),
      ]);
      harness.fake.on('exportCluster', () => ({ fileName: 'a.yml', text: 'a: b\n', notes: ['A note.'] }));
      harness.fake.on('bundleContents', () => [{ name: 'dev/about.json', what: 'versions', bytes: 1 }]);
      harness.fake.changeSettings({ theme });
      const page = await harness.openCluster({
        ...scenes['stale-leader'](),
        pace: { slowdown: 1, held: true, since: Date.now(), nodes: 3 },
      });
      // A colour on its way from busy to ready is none of ours.
      await page.emulateMedia({ reducedMotion: 'reduce' });
      const found: string[] = [];
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Timeline' }).click();
      await page.getByRole('button', { name: 'Previous event' }).click();
      await page.locator('.playhead').waitFor();
      const note = {
        at: Date.now() - 20_000,
        cluster: 'dev',
        kind: 'note',
        subject: 'dev',
        text: 'here',
        mark: 'note',
      };
      harness.fake.push('timeline', note as TimelineEvent);
      await page.locator('.lane .mark-note').waitFor();
      await page.getByRole('button', { name: 'Select a range' }).click();
      found.push(...(await violations(page, 'Timeline, past, range')));
      await page.getByRole('button', { name: 'Save as chaos script…' }).click();
      await page.getByRole('dialog').waitFor();
      found.push(...(await violations(page, 'Save as chaos script')));
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Deselect' }).click();
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).click();
      found.push(...(await violations(page, 'Overview, past')));
      await page.getByRole('button', { name: 'Back to now' }).click();
      for (const label of pagesOfCluster) {
        await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: label }).click();
        await page.locator(`[data-page="${label.toLowerCase()}"]`).waitFor();
        found.push(...(await violations(page, label)));
      }
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).click();
      await page.locator('[data-page="overview"]').waitFor();
      for (const [name, open] of dialogs) {
        await open(page);
        await page
          .getByRole('dialog')
          .waitFor()
          .catch((cause: unknown) => {
            throw new Error(`the dialog "${name}" does not open`, { cause });
          });
        found.push(...(await violations(page, name)));
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      for (const label of ['Settings', 'Diagnostics', 'Help', 'Clusters']) {
        await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: label }).click();
        await page.getByRole('heading', { level: 1 }).waitFor();
        if (label === 'Settings') {
          await page.getByRole('button', { name: 'Clean events of dev' }).click();
          await page.getByRole('dialog').waitFor();
          found.push(...(await violations(page, 'Clean')));
          await page.keyboard.press('Escape');
          await page.getByRole('dialog').waitFor({ state: 'detached' });
        }
        if (label === 'Diagnostics') {
          await page.getByRole('button', { name: 'Run the self-test' }).click();
          await page.getByText('1 of 2 checks failed.').waitFor();
        }
        found.push(...(await violations(page, label)));
      }
      expect([...new Set(found)]).toEqual([]);
    },
    120_000,
  );
});
