// The event browser: list, marks per node, one event in full, filters, honest counts, append by hand, empty and error states (ux.md §9).
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { root } from './browser.ts';
import { describeWindow } from './harness.ts';
import { cluster } from './view-parts.ts';

const row = {
  token: 7,
  id: 'e7',
  timestamp: 1_700_000_000_000,
  type: 'com.example.CardIssued',
  revision: '1',
  aggregateType: 'Card',
  aggregateId: 'card-1',
  sequence: 0,
  tags: [],
  metaData: { user: 'ada' },
  size: 12,
  replicas: { 'node-1': 'durable', 'node-2': 'appended', 'node-3': 'absent' },
};
const page = { context: 'default', node: 'node-1', firstToken: 0, lastToken: 9, scanned: 8, next: 8, uncommitted: {} };

describeWindow('the event browser', (window) => {
  const open = async (events: readonly object[], more: object = {}): Promise<Page> => {
    window.fake.on('readEvents', () => ({ ...page, events, ...more }));
    window.fake.on('eventTree', () => ({
      groups: [{ type: 'Card', events: 1, aggregates: [{ id: 'card-1', events: 1 }], more: 0 }],
      scanned: 1,
      complete: true,
    }));
    window.fake.on('readEvent', () => ({ ...row, payload: btoa('{"amount":5}') }));
    window.fake.on('appendEvent', () => ({ id: 'x' }));
    const opened = await window.openCluster(cluster());
    await opened.getByRole('link', { name: 'Events', exact: true }).click();
    return opened;
  };

  it('lists events with a mark per node, shows one in full, and says that more follow', async () => {
    const opened = await open([row]);
    const line = opened.getByRole('row', { name: /CardIssued/ });
    await line.waitFor();
    expect(await line.textContent()).toMatch(/●durable◐appended, not committed–absent/);
    await opened.getByText('1 event of 8 looked at; more follow.').waitFor();
    await opened.getByRole('button', { name: '7', exact: true }).click();
    await opened.getByText('"amount": 5').waitFor();
    mkdirSync(path.join(root, 'test-results'), { recursive: true });
    await opened.screenshot({ path: path.join(root, 'test-results', 'events.png') });
    await opened.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => window.fake.callsOf('readEvents').at(-1)?.args[2]).toMatchObject({ fromToken: 8 });
  });

  it('filters by what is typed and by an aggregate of the tree; appends by hand', async () => {
    const opened = await open([row]);
    await opened.getByRole('searchbox', { name: 'Type' }).fill('Card*');
    await opened.keyboard.press('Enter');
    await expect
      .poll(() => window.fake.callsOf('readEvents').at(-1)?.args[2])
      .toMatchObject({ filter: { type: 'Card*' } });
    await opened.getByRole('button', { name: 'Append…' }).click();
    await opened.getByRole('textbox', { name: 'Type of the event' }).fill('CardIssued');
    await opened.getByRole('button', { name: 'Append', exact: true }).click();
    await expect.poll(() => window.fake.callsOf('appendEvent').length).toBe(1);
  });

  it('tells an empty context, and an error in place', async () => {
    const opened = await open([], { lastToken: -1, scanned: 0, next: null });
    await opened.getByText('default has no events yet.').waitFor();
    window.fake.fail('readEvents', {
      code: 'CONTEXT_UNREADABLE',
      what: 'No node can read default now.',
      why: '',
      next: [],
    });
    await opened.getByRole('button', { name: 'Refresh' }).click();
    await opened.getByRole('alert').filter({ hasText: 'CONTEXT_UNREADABLE' }).waitFor();
  });
});
