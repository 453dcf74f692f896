// The event browser: list, marks per node, one event in full, filters, honest counts, append by hand, empty and error states (ux.md §9).
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { root } from './browser.ts';
import type { SavedSearch } from '../../electron/contract/records.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';
import { cluster, context, replica } from './view-parts.ts';

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
  replicas: {},
};
/** The event of `row` is on all disks, in a log, and not there. */
const members = [
  replica(1, { lastToken: 9 }),
  replica(2, { lastToken: 5, appendedToken: 8 }),
  replica(3, { lastToken: 5, appendedToken: 5 }),
];
const view = (parts = members) => cluster({ contexts: [context('default', { members: parts })] });
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
    window.fake.on('searches', () => []);
    const opened = await window.openCluster(view());
    await opened.getByRole('link', { name: 'Events', exact: true }).click();
    return opened;
  };

  const asked = (): object | undefined =>
    (window.fake.callsOf('readEvents').at(-1)?.args[2] as { filter: object } | undefined)?.filter;

  it('lists events with a mark per node, shows one in full, and says that more follow', async () => {
    const opened = await open([row]);
    const line = opened.getByRole('row', { name: /CardIssued/ });
    await line.waitFor();
    expect(await line.textContent()).toMatch(/●durable◐appended, not committed–absent/);
    window.fake.show(view([replica(1), replica(2), replica(3)]));
    await expect.poll(() => line.textContent(), { message: 'marks follow the cluster' }).toMatch(/(●durable){3}/);
    await opened.getByText('1 event of 8 looked at; more follow.').waitFor();
    await opened.getByRole('gridcell', { name: '7', exact: true }).click();
    await opened.getByText('"amount": 5').waitFor();
    mkdirSync(path.join(root, 'test-results'), { recursive: true });
    await opened.screenshot({ path: path.join(root, 'test-results', 'events.png') });
    await opened.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(() => window.fake.callsOf('readEvents').at(-1)?.args[2]).toMatchObject({ fromToken: 8 });
  });

  it('filters by what is typed and by an aggregate of the tree; appends by hand', async () => {
    const opened = await open([row]);
    const field = opened.getByRole('searchbox', { name: /^Filter/ });
    await field.fill('type:Card* meta.user:ada issued');
    await field.press('Enter');
    await expect.poll(asked).toEqual({ type: 'Card*', meta: 'user=ada', text: 'issued' });
    expect(await field.inputValue(), 'chips hold the rest').toBe('issued');
    await opened.locator('summary', { hasText: 'Card' }).click();
    await opened.getByRole('button', { name: /^card-1/ }).click();
    await expect.poll(asked).toEqual({ type: 'Card*', meta: 'user=ada', text: 'issued', aggregate: 'card-1' });
    await opened.getByRole('button', { name: 'Remove the filter meta.user:ada' }).click();
    await expect.poll(asked).toEqual({ type: 'Card*', text: 'issued', aggregate: 'card-1' });
    await field.fill('from:soon');
    await field.press('Enter');
    await opened.getByRole('alert').filter({ hasText: "'soon' is no moment" }).waitFor();
    await opened.getByRole('link', { name: 'Apps', exact: true }).click();
    await opened.goBack();
    await pressWhenReady(opened.getByRole('button', { name: 'Refresh' }));
    await expect
      .poll(asked, { message: 'kept on the way back' })
      .toEqual({ type: 'Card*', text: 'issued', aggregate: 'card-1' });
    await opened.reload();
    await opened.getByRole('button', { name: 'Remove the filter type:Card*' }).waitFor();
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

  it('UX-9 counts all that was looked at, and says when a filter has found nothing so far', async () => {
    const opened = await open([row]);
    await opened.getByText('1 event of 8 looked at; more follow.').waitFor();
    window.fake.on('readEvents', () => ({ ...page, events: [{ ...row, token: 8 }], scanned: 5, next: null }));
    await pressWhenReady(opened.getByRole('button', { name: 'Continue' }));
    await opened.getByText('2 events of 13 looked at: all there are.').waitFor();
    window.fake.on('readEvents', () => ({ ...page, events: [], scanned: 20_000, next: 20_000 }));
    const field = opened.getByRole('searchbox', { name: /^Filter/ });
    await field.fill('nothing');
    await field.press('Enter');
    await opened.getByText('No event matches among the 20,000 looked at so far.').waitFor();
    await opened.getByRole('button', { name: 'Continue' }).waitFor();
  });

  it('UX-9 the tail begins with the last events, adds new ones, and rests while it is paused', async () => {
    const opened = await open([row], { next: null });
    await opened.getByRole('row', { name: /CardIssued/ }).waitFor();
    let last = 9;
    window.fake.on('readEvents', (_cluster: string, _context: string, query: { fromToken: number | null }) => {
      const from = query.fromToken ?? 0;
      const events = Array.from({ length: Math.max(0, last + 1 - from) }, (_, i) => ({ ...row, token: from + i }));
      return { ...page, events, lastToken: last, scanned: events.length, next: null };
    });
    await opened.getByRole('checkbox', { name: 'Tail' }).check();
    await opened.getByText('10 events of 10 looked at; new ones are added.').waitFor();
    last = 11;
    await opened.getByRole('gridcell', { name: '11', exact: true }).waitFor();
    await opened.getByRole('button', { name: 'Pause' }).click();
    await opened.getByText(/the tail is paused/).waitFor();
    last = 13;
    await opened.getByRole('button', { name: 'Go on' }).click();
    await opened.getByRole('gridcell', { name: '13', exact: true }).waitFor();
    await opened.getByText('14 events of 14 looked at; new ones are added.').waitFor();
  });

  it('UX-9 a search is saved under a name, used, renamed and deleted; another window does the same', async () => {
    let kept: SavedSearch[] = [];
    const change = (next: SavedSearch[]) => {
      kept = next;
      window.fake.push('searches', { cluster: 'dev', searches: kept });
    };
    const opened = await open([row]);
    window.fake.on('saveSearch', (_cluster: string, name: string, words: string) => change([...kept, { name, words }]));
    window.fake.on('renameSearch', (_cluster: string, name: string, to: string) =>
      change(kept.map((one) => (one.name === name ? { ...one, name: to } : one))),
    );
    window.fake.on('removeSearch', (_cluster: string, name: string) => change(kept.filter((one) => one.name !== name)));
    const saved = opened.getByRole('region', { name: 'Saved searches' });
    expect(await saved.getByRole('button', { name: 'Save this search…' }).isDisabled(), 'nothing to save').toBe(true);
    const field = opened.getByRole('searchbox', { name: /^Filter/ });
    await field.fill('type:Card* from:10m');
    await field.press('Enter');
    await pressWhenReady(saved.getByRole('button', { name: 'Save this search…' }));
    await saved.getByRole('textbox', { name: 'Name of the search' }).fill('new cards');
    await opened.keyboard.press('Enter');
    await saved.getByRole('button', { name: 'new cards', exact: true, pressed: true }).waitFor();
    expect(kept).toEqual([{ name: 'new cards', words: 'type:Card* from:10m' }]);
    change([...kept, { name: 'of ada', words: 'meta.user:ada' }]);
    await saved.getByRole('button', { name: 'of ada', exact: true }).click();
    await expect.poll(asked).toEqual({ meta: 'user=ada' });
    await saved.getByRole('button', { name: 'Rename search of ada' }).click();
    await saved.getByRole('textbox', { name: 'New name of of ada' }).fill('ada');
    await pressWhenReady(saved.getByRole('button', { name: 'Rename', exact: true }));
    await pressWhenReady(saved.getByRole('button', { name: 'Delete search ada' }));
    await expect.poll(() => kept.map((one) => one.name)).toEqual(['new cards']);
    window.fake.fail('removeSearch', { code: 'SEARCH_NOT_FOUND', what: 'No.', why: 'On purpose.', next: [] });
    await pressWhenReady(saved.getByRole('button', { name: 'Delete search new cards' }));
    await saved.getByRole('alert').filter({ hasText: 'SEARCH_NOT_FOUND' }).waitFor();
  });

  it('UX-9 copies an event as the start of a test; in the past events end where it ends', async () => {
    const opened = await open([row]);
    await opened.getByRole('gridcell', { name: '7', exact: true }).click();
    await opened.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await opened.getByRole('button', { name: 'Copy as given(…)' }).click();
    await expect
      .poll(() => opened.evaluate(() => navigator.clipboard.readText()))
      .toBe('.given(new CardIssued(/* amount */ 5))');
    const scene = installPast(window.fake);
    await opened.getByRole('link', { name: 'Timeline', exact: true }).click();
    const rows = opened.getByRole('region', { name: 'What happened' }).getByRole('row');
    window.fake.push('timeline', pastEvent(scene.electedAt));
    await rows.filter({ hasText: 'of that moment' }).getByRole('button').click();
    await opened.locator('.shell[data-past="true"]').waitFor();
    await opened.getByRole('link', { name: 'Events', exact: true }).click();
    await opened.getByText(/^Events up to .*: the past is shown\.$/).waitFor();
    await expect.poll(asked).toEqual({ to: scene.electedAt });
    expect(await opened.getByRole('button', { name: 'Append…' }).isDisabled()).toBe(true);
  });
});

const pastEvent = (at: number) =>
  ({ at, cluster: 'dev', kind: 'user', subject: 'dev', text: 'of that moment' }) as const;
