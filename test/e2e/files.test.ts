// Clusters as files, by keyboard: export, diagnostics bundle, import (ux.md §13, §18; row S21), with their empty, busy and error states.
import { expect, it } from 'vitest';
import type { ClusterFile, ExportedFile } from '../../electron/contract/manage.ts';
import { describeWindow } from './harness.ts';

const exported = (kind: string): ExportedFile => ({
  fileName: `${kind}.txt`,
  text: `text of ${kind}`,
  notes: [`note of ${kind}`],
});
const imported: ClusterFile = {
  spec: {
    name: 'dev',
    nodes: 2,
    contexts: ['orders'],
    data: 'keep',
    timing: 'dev',
    firstPort: null,
    layout: [
      {
        name: 'orders',
        roles: [
          { node: 'node-1', role: 'PRIMARY' },
          { node: 'node-2', role: 'PASSIVE_BACKUP' },
        ],
      },
    ],
  },
  notes: ['2 users of the template are left out.'],
};

describeWindow('files', (harness) => {
  it('UX-18 the cluster is exported for a chosen target, with what is not in the file said below', async () => {
    harness.fake.on('exportCluster', (_cluster: string, kind: string) => exported(kind));
    harness.fake.on('bundleContents', () => [{ name: 'dev/about.json', what: 'versions', bytes: 2048 }]);
    const page = await harness.openCluster();
    await page.getByRole('button', { name: 'Files…' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Files of dev' });
    await dialog.getByText('text of template').waitFor();
    await dialog.getByRole('radio', { name: 'Cluster template' }).focus();
    for (const _ of [1, 2]) await page.keyboard.press('ArrowRight');
    await dialog.getByText('text of compose').waitFor();
    await dialog.getByText('note of compose').waitFor();
    const saved = page.waitForEvent('download');
    await dialog.getByRole('link', { name: 'Save compose.txt' }).press('Enter');
    expect((await saved).suggestedFilename()).toBe('compose.txt');
    harness.fake.fail('exportCluster', { code: 'INTERNAL', what: 'No export.', why: '', next: [] });
    await dialog.getByRole('radio', { name: 'Kubernetes' }).press('Space');
    await dialog.getByText('No export.').waitFor();
  });

  it('UX-13 the bundle shows what is in it before it is saved, then where it is', async () => {
    harness.fake.on('exportCluster', (_cluster: string, kind: string) => exported(kind));
    harness.fake.fail('bundleContents', { code: 'INTERNAL', what: 'Not readable.', why: '', next: [] });
    const page = await harness.openCluster();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('diagnostics bundle');
    await page.keyboard.press('Enter');
    const bundle = page.getByRole('region', { name: 'Diagnostics bundle' });
    await bundle.getByText('Not readable.').waitFor();
    const parts = [{ name: 'dev/about.json', what: 'versions and platform', bytes: 2048 }];
    harness.fake.on('bundleContents', () => parts);
    await bundle.getByRole('button', { name: 'Try again' }).press('Enter');
    await bundle.getByText('What is in it (1 files)').click();
    await bundle.getByRole('row', { name: /about\.json versions and platform/ }).waitFor();
    harness.fake.on('saveBundle', () => ({ file: '/w/bundles/dev.tar.gz', bytes: 999, entries: parts }));
    await bundle.getByRole('button', { name: 'Save bundle' }).press('Enter');
    await bundle.getByText('/w/bundles/dev.tar.gz').waitFor();
  });

  it('S21 a template pasted or chosen is shown as contexts and roles, then created and started as one', async () => {
    harness.fake.fail('readClusterFile', {
      code: 'TEMPLATE_INVALID',
      what: 'This is no cluster template that can be used.',
      why: 'line 3: expected "key: value".',
      next: ['Correct the file and try again.'],
    });
    const page = await harness.open();
    // The list of clusters is known: before that nothing can be made.
    await page.locator('button.primary:enabled', { hasText: 'Start a 3-node cluster' }).waitFor();
    await page.getByRole('button', { name: 'Import…' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Import a cluster' });
    await dialog.getByText('No file yet.').waitFor();
    const create = dialog.getByRole('button', { name: 'Create and start' });
    expect(await create.isDisabled()).toBe(true);
    await dialog.getByLabel('Or its text').fill('axoniq:');
    await page.keyboard.press('Tab');
    await dialog.getByText('line 3: expected').waitFor();

    harness.fake.on('readClusterFile', () => imported);
    await dialog.getByLabel(/^File/).setInputFiles({
      name: 'cluster-template.yml',
      mimeType: 'text/yaml',
      buffer: Buffer.from('axoniq:\n'),
    });
    await dialog.getByRole('row', { name: 'orders Primary Passive backup' }).waitFor();
    await dialog.getByText('2 users of the template are left out.').waitFor();
    await create.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'dev' }).waitFor();
    expect(harness.fake.callsOf('createCluster').map((call) => call.args)).toEqual([[imported.spec]]);
  });
});
