// The query language in the event browser, on scripted answers (ux.md §9). Real: test/rows/query-cli.test.ts.
import { expect, it } from 'vitest';
import { violations } from './axe.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { cluster, context } from './view-parts.ts';

describeWindow('queries of events', (window) => {
  it('QE-7 an answer is a table; what is wrong is told and marked in its place; it is asked again while wished', async () => {
    const page = { context: 'default', node: 'node-1', firstToken: 0, lastToken: -1, scanned: 0, next: null };
    window.fake.on('readEvents', () => ({ ...page, events: [], uncommitted: {} }));
    window.fake.on('eventTree', () => ({ groups: [], scanned: 0, complete: true }));
    window.fake.on('searches', () => []);
    let events = 2;
    const answer = () => ({ columns: ['payloadType', 'events'], rows: [['Card', events]], more: false, tookMs: 7 });
    window.fake.on('queryEvents', answer);
    const opened = await window.openCluster(cluster({ contexts: [context('default')] }));
    await opened.getByRole('link', { name: 'Events', exact: true }).click();
    await pressWhenReady(opened.getByRole('button', { name: 'Query…' }));
    const panel = opened.getByRole('region', { name: 'Query', exact: true });
    await panel.getByRole('button', { name: /^groupby/ }).click();
    await opened.keyboard.press('Control+Enter');
    await panel.getByRole('row', { name: 'Card 2' }).waitFor();
    await panel.getByText('1 row in 7 ms').waitFor();
    expect(window.fake.callsOf('queryEvents')[0]?.args).toEqual([
      'dev',
      'default',
      'groupby(payloadType, count() as events)',
    ]);
    expect(await violations(opened, 'query')).toEqual([]);
    await panel.getByRole('checkbox', { name: /^Again/ }).check();
    events = 3;
    await panel.getByRole('row', { name: 'Card 3' }).waitFor();
    await panel.getByRole('checkbox', { name: /^Again/ }).uncheck();
    const why = '[AXONIQ-2511] Unexpected "|" at position 5';
    window.fake.fail('queryEvents', { code: 'QUERY_REFUSED', what: 'No answer.', why, next: [] });
    const field = panel.getByRole('textbox');
    await field.fill('token||');
    await pressWhenReady(panel.getByRole('button', { name: 'Run', exact: true }));
    await panel.getByRole('alert').filter({ hasText: 'at position 5' }).waitFor();
    const marked = () =>
      field.evaluate((element) => {
        const { selectionStart, selectionEnd } = element as HTMLTextAreaElement;
        return [selectionStart, selectionEnd, element === document.activeElement];
      });
    await expect.poll(marked).toEqual([5, 6, true]);
    await opened.getByRole('link', { name: 'Apps', exact: true }).click();
    await opened.goBack();
    await pressWhenReady(opened.getByRole('button', { name: 'Query…' }));
    expect(await field.inputValue(), 'kept on the way back').toBe('token||');
  });
});
