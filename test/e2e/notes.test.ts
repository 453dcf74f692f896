// Notes pinned to the timeline: written, written anew and taken off, in this window and others (ux.md §10).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';

const toTimeline = (page: Page) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Timeline' }).click();

describeWindow('notes', (harness) => {
  it('UX-10 a note is pinned at the shown moment; a note of another window appears at its place', async () => {
    const scene = installPast(harness.fake);
    harness.fake.on('addNote', (cluster: string, at: number, text: string) => {
      const note = { at, cluster, kind: 'note', subject: cluster, text, mark: 'note' } as const;
      harness.fake.push('timeline', note);
      return note;
    });
    const page = await harness.openCluster();
    await toTimeline(page);
    const rows = page.getByRole('region', { name: 'What happened' }).getByRole('row');
    await rows.filter({ hasText: 'node-2 leads (term 8)' }).getByRole('button').click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await page.getByRole('textbox', { name: /^Note at \d/ }).fill('here the app lost its handler');
    await page.keyboard.press('Enter');
    await rows.filter({ hasText: 'here the app lost its handler' }).getByText('note', { exact: true }).waitFor();
    expect(harness.fake.callsOf('addNote')[0]?.args).toEqual(['dev', scene.electedAt, 'here the app lost its handler']);
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('combobox', { name: 'Command' });
    await palette.fill('note here it came back');
    await page.getByRole('option', { name: 'Run: note here it came back' }).waitFor();
    await palette.press('Enter');
    await rows.filter({ hasText: 'here it came back' }).waitFor();
    expect(harness.fake.callsOf('addNote')[1]?.args).toEqual(['dev', scene.electedAt, 'here it came back']);
    expect(await page.locator('.lane .mark-note').count(), 'both stand in their lane').toBe(2);
    await page.getByRole('button', { name: 'Back to now' }).click();
    const other = {
      at: scene.killedAt - 1,
      cluster: 'dev',
      kind: 'note',
      subject: 'dev',
      text: 'before',
      mark: 'note',
    };
    harness.fake.push('timeline', other as TimelineEvent);
    await rows.filter({ hasText: 'before' }).waitFor();
    const texts = await rows.locator('th.what').allTextContents();
    expect(texts.findIndex((text) => text.includes('before'))).toBe(
      texts.findIndex((text) => text.includes('kill node-1')) + 1,
    );
    harness.fake.fail('addNote', { code: 'WORKSPACE_BUSY', what: 'No.', why: 'On purpose.', next: [] });
    await page.getByRole('textbox', { name: 'Note at now' }).fill('again');
    await page.getByRole('button', { name: 'Pin' }).click();
    await page.getByText('WORKSPACE_BUSY').waitFor();
    expect(await page.getByRole('textbox', { name: 'Note at now' }).inputValue()).toBe('again');
  });

  it('UX-10 a note is written anew and taken off, in the past too; what another window did to it shows', async () => {
    const scene = installPast(harness.fake);
    const note = { at: scene.killedAt + 1, cluster: 'dev', kind: 'note', subject: 'dev', mark: 'note' } as const;
    const pinned = { ...note, id: 'note-00000001', text: 'lost its handler' };
    harness.fake.on('editNote', (_cluster: string, id: string, text: string) => {
      const edited = { ...pinned, id, text };
      harness.fake.push('timeline', edited);
      return edited;
    });
    harness.fake.on('removeNote', (_cluster: string, id: string) =>
      harness.fake.push('timeline', { ...pinned, id, text: '', removed: true }),
    );
    const page = await harness.openCluster();
    await toTimeline(page);
    harness.fake.push('timeline', pinned);
    const rows = page.getByRole('region', { name: 'What happened' }).getByRole('row');
    await rows.filter({ hasText: 'lost its handler' }).getByRole('button', { name: /^Show/ }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await pressWhenReady(page.getByRole('button', { name: /^Edit the note of/ }));
    const field = page.getByRole('textbox', { name: /^Words of the note of/ });
    await field.fill('lost IssueCard');
    await field.press('Enter');
    await rows.filter({ hasText: 'lost IssueCard' }).waitFor();
    expect(harness.fake.callsOf('editNote')[0]?.args).toEqual(['dev', 'note-00000001', 'lost IssueCard']);
    harness.fake.push('timeline', { ...pinned, text: 'as another window says' });
    await rows.filter({ hasText: 'as another window says' }).waitFor();
    expect(await rows.filter({ hasText: 'lost IssueCard' }).count()).toBe(0);
    await pressWhenReady(page.getByRole('button', { name: /^Remove the note of/ }));
    await expect.poll(() => page.locator('.lane .mark-note').count()).toBe(0);
    harness.fake.push('timeline', pinned);
    harness.fake.fail('removeNote', { code: 'NOTE_NOT_FOUND', what: 'No.', why: 'On purpose.', next: [] });
    await pressWhenReady(page.getByRole('button', { name: /^Remove the note of/ }));
    await page.getByRole('alert').filter({ hasText: 'NOTE_NOT_FOUND' }).waitFor();
  });
});
