// WCAG 2.2 AA by axe on what axe.test.ts does not open: the event browser in use, event processors, a note that is edited (ux.md §15).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violations } from './axe.ts';
import { describeWindow } from './harness.ts';
import { cluster, logOf } from './view-parts.ts';

const event = {
  ...{ token: 7, id: 'e7', timestamp: 1_700_000_000_000, type: 'com.example.CardIssued', revision: '1', sequence: 0 },
  ...{ aggregateType: 'Card', aggregateId: 'card-1', tags: [], metaData: { user: 'ada' }, size: 12, replicas: {} },
};
const page = { context: 'default', node: 'node-1', firstToken: 0, lastToken: 9, scanned: 8, next: 8, uncommitted: {} };
const claims = [{ segment: 0, onePartOf: 2, token: 41, caughtUp: true, replaying: false }];
const app = (node: number, clientId: string) => ({
  ...{ clientId, componentName: 'cards', node: `node-${node}`, context: 'default', connectedSince: 1 },
  ...{ commands: ['IssueCard'], queries: [], commandPermits: 0 },
  processors: [{ name: 'summary', running: node === 1, segments: 1, token: 41, error: node === 2, claims }],
});

describeWindow('axe', (harness) => {
  const goTo = (window: Page, name: string): Promise<void> =>
    window.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();

  it.each(['light', 'dark', 'contrast'] as const)('UX-15 %s: events, processors and notes in use', async (theme) => {
    const { fake } = harness;
    fake.setLog('node-1', logOf(1));
    fake.on('readEvents', () => ({ ...page, events: [event] }));
    fake.on('readEvent', () => ({ ...event, payload: btoa('{"amount":5}') }));
    fake.on('eventTree', () => ({
      groups: [{ type: 'Card', events: 1, aggregates: [{ id: 'card-1', events: 1 }], more: 0 }],
      scanned: 1,
      complete: true,
    }));
    fake.on('searches', () => [
      { name: 'cards', words: 'type:Card*' },
      { name: 'of ada', words: 'meta.user:ada' },
    ]);
    fake.fail('steerProcessor', { code: 'PROCESSOR_REFUSED', what: 'No.', why: 'AXONIQ-2801', next: ['Look.'] });
    harness.fake.changeSettings({ theme });
    const window = await harness.openCluster(cluster({ apps: [app(1, '41@ada'), app(2, '42@ada')] }));
    const found: string[] = [];
    await goTo(window, 'Events');
    await window.getByRole('button', { name: 'cards', exact: true }).click();
    await window.getByRole('button', { name: 'Remove the filter type:Card*' }).waitFor();
    await window.getByRole('gridcell', { name: '7', exact: true }).click();
    await window.getByText('"amount": 5').waitFor();
    await window.getByRole('button', { name: 'Rename search of ada' }).click();
    await window.locator('summary', { hasText: 'Card' }).click();
    await window.getByRole('checkbox', { name: 'Tail' }).check();
    await window.getByRole('button', { name: 'Append…' }).click();
    found.push(...(await violations(window, 'Events in use')));
    await goTo(window, 'Apps');
    await window.getByRole('button', { name: 'Split summary' }).click();
    await window.getByText('PROCESSOR_REFUSED').waitFor();
    found.push(...(await violations(window, 'Processors')));
    await goTo(window, 'Timeline');
    const note = { at: Date.now(), cluster: 'dev', kind: 'note', subject: 'dev', text: 'here', mark: 'note' } as const;
    fake.push('timeline', { ...note, id: 'note-00000001' });
    await window.getByRole('button', { name: /^Edit the note/ }).click();
    found.push(...(await violations(window, 'Note')));
    await goTo(window, 'Logs');
    await window.getByRole('button', { name: 'Clear the view of the log' }).click();
    await window.getByRole('button', { name: 'Show cleared' }).waitFor();
    found.push(...(await violations(window, 'Logs, cleared')));
    expect(found).toEqual([]);
  });
});
