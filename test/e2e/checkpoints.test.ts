// Checkpoints on real engines (row B9), and the page's empty, error and busy states on scripted views.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { TaskView } from '../../electron/contract/model.ts';
import { saved } from './checkpoint-scene.ts';
import { describeWindow } from './harness.ts';
import { describeRealWindow } from './real-window.ts';
import { scenes } from './scenes.ts';

const CHANGE_MS_MAX = 60_000;

const running = (state: TaskView['state']): TaskView => ({
  id: 'task-1',
  cluster: 'dev',
  title: 'Save checkpoint first',
  state,
  cancellable: false,
  startedAt: Date.now(),
  endedAt: state === 'running' ? null : Date.now(),
  steps: [
    { label: 'Stop the cluster', state: 'done' },
    { label: 'Copy the data of 3 nodes', state: state === 'running' ? 'running' : 'done' },
  ],
  error: null,
});

describeWindow('checkpoints page', (harness) => {
  it('UX-17 empty, a refused name, an error in place, busy while a checkpoint is under way', async () => {
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByText('No checkpoint yet.').waitFor();
    const name = page.getByRole('textbox', { name: 'Name' });
    const save = page.getByRole('button', { name: 'Save checkpoint' });
    expect(await save.isDisabled()).toBe(true);
    await name.fill('Not Good');
    await page.getByText('1 to 40 lower-case letters').waitFor();
    harness.fake.fail('saveCheckpoint', { code: 'CHECKPOINTS_FULL', what: 'Full.', why: 'On purpose.', next: [] });
    await name.fill('first');
    await save.click();
    await page.getByText('CHECKPOINTS_FULL').waitFor();
    expect(await name.inputValue(), 'a refusal keeps what was typed').toBe('first');
    harness.fake.on('checkpoints', () => [
      saved('first'),
      saved('broken', { problem: 'Its list of files is damaged.' }),
    ]);
    harness.fake.push('tasks', [running('running')]);
    await page.getByRole('button', { name: 'Restore first' }).waitFor();
    expect(await page.getByRole('button', { name: 'Restore first' }).getAttribute('title')).toContain('under way');
    harness.fake.push('tasks', [running('done')]);
    await expect.poll(() => page.getByRole('button', { name: 'Restore first' }).isDisabled()).toBe(false);
    expect(await page.getByRole('button', { name: 'Restore broken' }).isDisabled()).toBe(true);
  });

  it('UX-18 one that a command removed is gone from the page at once', async () => {
    harness.fake.on('checkpoints', () => [saved('first'), saved('second')]);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByRole('button', { name: 'Restore first' }).waitFor();
    harness.fake.on('checkpoints', () => [saved('second')]);
    harness.fake.push('checkpoints', { cluster: 'other' });
    harness.fake.push('checkpoints', { cluster: 'dev' });
    await page.getByRole('button', { name: 'Restore first' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Restore second' }).waitFor();
    expect(harness.fake.callsOf('checkpoints')).toHaveLength(2);
  });

  it('UX-1.5 a restore says what is deleted and what takes its place before it begins; Esc keeps the data', async () => {
    harness.fake.on('checkpoints', () => [saved('first')]);
    const page = await harness.openCluster(scenes.healthy());
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByRole('button', { name: 'Restore first' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Restore first?' });
    await dialog.getByText('default (18,378 events)').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(harness.fake.callsOf('restoreCheckpoint')).toEqual([]);
  });
});

describeRealWindow('checkpoints on real engines', { waitMsMax: CHANGE_MS_MAX, started: true }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
  });

  it('B9 saved, restored and deleted from the page, by keyboard', async () => {
    await page.getByRole('link', { name: 'Checkpoints' }).press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).fill('first');
    await page.keyboard.press('Enter');
    await page.locator('[data-task-state="done"]').waitFor();
    await page.getByRole('button', { name: 'Restore first' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Restore', exact: true }).press('Enter');
    await page.getByRole('region', { name: 'Restore checkpoint first' }).waitFor();
    await page.locator('[data-task-state="done"]').waitFor();
    await page.getByText('Usable.').waitFor();
    await page.getByRole('button', { name: 'Delete first' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Delete checkpoint first?' });
    await dialog.getByRole('textbox').fill('first');
    await dialog.getByRole('button', { name: 'Delete checkpoint' }).press('Enter');
    await page.getByText('No checkpoint yet.').waitFor();
  });
});
