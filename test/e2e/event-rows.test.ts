// The list of the event browser with thousands of rows: few elements, all of them reachable, places that stay (ux.md §2, §9).
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeWindow, pressWhenReady } from './harness.ts';
import { cluster, context, replica } from './view-parts.ts';

const eventOf = (token: number, purge = 0) => ({
  token,
  id: `e${token}-${purge}`,
  timestamp: 1_700_000_000_000 + token,
  type: `com.example.Event${token}`,
  revision: '',
  aggregateType: 'Card',
  aggregateId: `card-${token % 7}`,
  sequence: token,
  tags: [],
  metaData: { user: 'ada' },
  size: 12,
  replicas: {},
});

interface Query {
  readonly fromToken: number | null;
  readonly max: number;
}

describeWindow('the list of the event browser', (window) => {
  /** What the context holds; tests change it. */
  const store = { events: 0, purges: 0, pageMax: 1000 };

  const open = async (events: number): Promise<Page> => {
    Object.assign(store, { events, purges: 0, pageMax: 1000 });
    window.fake.on('readEvents', (_cluster: string, _context: string, { fromToken, max }: Query) => {
      const from = fromToken ?? 0;
      const length = Math.max(0, Math.min(max === 1 ? 1 : store.pageMax, store.events - from));
      const next = from + length < store.events ? from + length : null;
      return {
        context: 'default',
        node: 'node-1',
        events: Array.from({ length }, (_, i) => eventOf(from + i, store.purges)),
        firstToken: 0,
        lastToken: store.events - 1,
        scanned: length,
        next,
        uncommitted: {},
      };
    });
    window.fake.on('eventTree', () => ({ groups: [], scanned: store.events, complete: true }));
    window.fake.on('readEvent', (_cluster: string, _context: string, token: number) => ({
      ...eventOf(token),
      payload: btoa(`{"token":${token}}`),
    }));
    window.fake.on('searches', () => []);
    const members = [1, 2, 3].map((node) => replica(node, { lastToken: events }));
    const page = await window.openCluster(cluster({ contexts: [context('default', { members })] }));
    await page.getByRole('link', { name: 'Events', exact: true }).click();
    return page;
  };

  const grid = (page: Page): Locator => page.getByRole('grid', { name: /^Events/ });
  const drawn = (page: Page): Promise<number> => grid(page).locator('tbody tr[aria-rowindex]').count();
  const box = (page: Page): Locator => page.getByRole('region', { name: 'List of events' });
  const topOf = (page: Page): Promise<number> => box(page).evaluate((element) => element.scrollTop);
  /** Token of the first row that is in sight below the head. */
  const firstInSight = (page: Page): Promise<number> =>
    box(page).evaluate((element) => {
      const head = element.querySelector('th')?.getBoundingClientRect().bottom ?? 0;
      const rows = [...element.querySelectorAll('tbody tr[aria-rowindex]')];
      const found = rows.find((row) => row.getBoundingClientRect().bottom > head + 1);
      return Number(found?.querySelector('td')?.textContent ?? Number.NaN);
    });

  it('UX-2 draws the rows near what is in sight; each is reached by key, told by number, and read in full', async () => {
    const page = await open(3500);
    await page.getByText('1,000 events of 1,000 looked at; more follow.').waitFor();
    expect(await grid(page).getAttribute('aria-rowcount'), 'nobody knows yet how many').toBe('-1');
    for (const read of ['2,000', '3,000', '3,500']) {
      await pressWhenReady(page.getByRole('button', { name: 'Continue' }));
      await page.getByText(new RegExp(`^${read} events of`)).waitFor();
    }
    expect(await grid(page).getAttribute('aria-rowcount')).toBe('3501');
    expect(await drawn(page)).toBeLessThan(100);
    await grid(page).focus();
    await page.keyboard.press('End');
    await page.getByRole('row', { name: /Event3499 / }).waitFor();
    const chosen = async (): Promise<string | null> => {
      const id = await grid(page).getAttribute('aria-activedescendant');
      const row = page.locator(`tr[id="${id}"][aria-selected=true]`);
      return (await row.count()) === 1 ? row.getAttribute('aria-rowindex') : null;
    };
    await expect.poll(chosen, { message: 'the row that a screen reader hears of' }).toBe('3501');
    await page.getByText('"token": 3499').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('PageUp');
    await expect.poll(async () => Number(await chosen())).toBeLessThan(3495);
    await page.keyboard.press('Home');
    await expect.poll(chosen).toBe('2');
    expect(await topOf(page)).toBe(0);
    await box(page).evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
    await expect.poll(() => firstInSight(page)).toBeGreaterThan(1500);
    await expect.poll(chosen, { message: 'it is not drawn' }).toBe(null);
    expect(await grid(page).evaluate((element) => element === document.activeElement), 'has the focus still').toBe(
      true,
    );
    expect(await drawn(page)).toBeLessThan(100);
    await page.keyboard.press('ArrowDown');
    await expect.poll(chosen, { message: 'from where it was' }).toBe('3');
    await page.getByText('"token": 1', { exact: false }).first().waitFor();
    await page.getByRole('row', { name: /Event5 / }).click();
    await page.getByText('"token": 5').waitFor();
    expect(await grid(page).evaluate((element) => element === document.activeElement), 'a click does not take it').toBe(
      true,
    );
  });

  it('UX-9 what the tail adds moves nothing of what is read; its end is one press away', async () => {
    const page = await open(400);
    await page.getByText(/^400 events/).waitFor();
    await page.getByRole('checkbox', { name: 'Tail' }).check();
    await page.getByText('200 events of 200 looked at; new ones are added.').waitFor();
    await page.getByRole('row', { name: /Event399 / }).waitFor();
    await box(page).evaluate((element) => element.scrollTo(0, 1000));
    await page.getByRole('button', { name: 'To the end ↓' }).waitFor();
    const [top, first] = [await topOf(page), await firstInSight(page)];
    store.events = 430;
    await page.getByRole('button', { name: '30 new ↓' }).waitFor();
    expect([await topOf(page), await firstInSight(page)]).toEqual([top, first]);
    await page.getByRole('button', { name: '30 new ↓' }).click();
    await page.getByRole('row', { name: /Event429 / }).waitFor();
    store.events = 450;
    await page.getByRole('row', { name: /Event449 / }).waitFor();
    await page.getByRole('button', { name: /↓$/ }).waitFor({ state: 'detached' });
  });

  it('UX-9 the tail takes all that came, also more than a page in its second, and begins anew when the context was emptied', async () => {
    const page = await open(400);
    await page.getByText(/^400 events/).waitFor();
    await page.getByRole('checkbox', { name: 'Tail' }).check();
    await page.getByText('200 events of 200 looked at; new ones are added.').waitFor();
    const before = window.fake.callsOf('readEvents').length;
    store.events = 4400;
    await page.getByText('4,200 events of 4,200 looked at; new ones are added.').waitFor();
    expect(window.fake.callsOf('readEvents').length - before).toBeLessThan(8);
    Object.assign(store, { events: 3, purges: 1 });
    await page.getByText('3 events of 3 looked at; new ones are added.').waitFor();
    expect(await drawn(page)).toBe(3);
  });

  it('UX-9 an error of the tail is told once, until it works again', async () => {
    const page = await open(10);
    await page.getByText(/^10 events/).waitFor();
    await page.getByRole('checkbox', { name: 'Tail' }).check();
    await page.getByText(/new ones are added/).waitFor();
    window.fake.fail('readEvents', { code: 'CONTEXT_UNREADABLE', what: 'No node can.', why: 'On purpose.', next: [] });
    const alert = page.getByRole('alert').filter({ hasText: 'CONTEXT_UNREADABLE' });
    await alert.waitFor();
    await alert.evaluate((element) => element.setAttribute('data-told', 'once'));
    const asked = window.fake.callsOf('readEvents').length;
    await expect.poll(() => window.fake.callsOf('readEvents').length, { timeout: 6000 }).toBeGreaterThan(asked + 1);
    expect(await alert.getAttribute('data-told'), 'the same words, not told anew').toBe('once');
  });

  it('UX-9 keeps 100,000 rows and says so; those that leave move nothing', async () => {
    const page = await open(130_000);
    store.pageMax = 60_000;
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText(/^60,000 events of/).waitFor();
    await box(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect.poll(() => firstInSight(page)).toBeGreaterThan(59_000);
    const first = await firstInSight(page);
    await pressWhenReady(page.getByRole('button', { name: 'Continue' }));
    await page.getByText(/^the last 100,000 of 120,000 events of/).waitFor();
    expect(await firstInSight(page)).toBe(first);
    await grid(page).focus();
    await page.keyboard.press('Home');
    await page.getByRole('row', { name: /Event20000 / }).waitFor();
    const id = await grid(page).getAttribute('aria-activedescendant');
    expect(await page.locator(`tr[id="${id}"]`).getAttribute('aria-rowindex'), 'counts those that left').toBe('20002');
    expect(await drawn(page)).toBeLessThan(100);
  });

  it('UX-9 is found as it was left, unless the context was emptied meanwhile', async () => {
    const page = await open(2500);
    await page.getByText(/^1,000 events/).waitFor();
    await pressWhenReady(page.getByRole('button', { name: 'Continue' }));
    await page.getByText(/^2,000 events/).waitFor();
    await box(page).evaluate((element) => element.scrollTo(0, 40_000));
    await expect.poll(() => firstInSight(page)).toBeGreaterThan(1000);
    const [top, first] = [await topOf(page), await firstInSight(page)];
    await page.getByRole('row', { name: new RegExp(`Event${first + 3} `) }).click();
    await page.getByText(`"token": ${first + 3}`).waitFor();
    await page.getByRole('link', { name: 'Apps', exact: true }).click();
    await grid(page).waitFor({ state: 'detached' });
    await page.goBack();
    await page.getByText(/^2,000 events/).waitFor();
    expect([await topOf(page), await firstInSight(page)]).toEqual([top, first]);
    await page.getByText(`"token": ${first + 3}`).waitFor();
    await page.getByRole('link', { name: 'Apps', exact: true }).click();
    Object.assign(store, { events: 5, purges: 1 });
    await page.goBack();
    await page.getByText('5 events of 5 looked at: all there are.').waitFor();
    expect(await topOf(page)).toBe(0);
  });
});
