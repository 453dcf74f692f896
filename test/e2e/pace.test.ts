// Slow motion, timers, lag and disk faults in the window (ux.md §4.2, §4.3), on scripted views; then held ticks on real engines.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { ClusterView } from '../../electron/contract/model.ts';
import { card, describeWindow, pressWhenReady, row, why } from './harness.ts';
import { describeRealWindow } from './real-window.ts';
import { scenes } from './scenes.ts';
import { context } from './view-parts.ts';

const CHANGE_MS_MAX = 60_000;
const banner = (page: Page) => page.getByRole('region', { name: 'Slow motion' });
const slowed = (held: boolean): ClusterView => ({
  ...scenes.healthy(),
  pace: { slowdown: held ? 1 : 10, held, since: Date.now() - 12_000, nodes: 2 },
});

describeWindow('slow motion', (harness) => {
  it('UX-4.2 is set by keyboard, and a banner on every page stays until time passes as usual', async () => {
    const page = await harness.openCluster();
    expect(await banner(page).count()).toBe(0);
    await page.getByRole('slider', { name: 'Slow motion' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect
      .poll(() => harness.fake.callsOf('setPace').map((call) => call.args[1]))
      .toEqual([{ slowdown: 2, held: false }]);
    harness.fake.show(slowed(false));
    await banner(page).getByText('Slow motion ×10').waitFor();
    await banner(page).getByText('1 node not yet.').waitFor();
    await page.getByRole('link', { name: 'Contexts' }).click();
    await banner(page).waitFor();
    await page.locator('.shell[data-broken="true"]').waitFor();
    await page.getByRole('contentinfo').getByText('slow motion ×10').waitFor();
    await pressWhenReady(banner(page).getByRole('button', { name: 'Usual speed' }));
    await expect.poll(() => harness.fake.callsOf('setPace').at(-1)?.args[1]).toEqual({ slowdown: 1, held: false });
    harness.fake.show(scenes.healthy());
    await banner(page).waitFor({ state: 'detached' });
  });

  it('UX-4.2 held ticks are stepped; a refusal stands in place', async () => {
    const page = await harness.openCluster(slowed(true));
    await banner(page).getByRole('button', { name: 'Step one tick' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('stepTicks').map((call) => call.args)).toEqual([['dev', 1]]);
    harness.fake.fail('stepTicks', { code: 'PACE_REFUSED', what: 'No tick.', why: 'On purpose.', next: [] });
    await pressWhenReady(banner(page).getByRole('button', { name: 'Step 10 ticks' }));
    await page.getByText('PACE_REFUSED').waitFor();
  });

  it('UX-4.2 is not offered with the timing axon', async () => {
    const page = await harness.openCluster({ ...scenes.healthy(), timing: 'axon' });
    expect(await page.getByRole('slider', { name: 'Slow motion' }).count()).toBe(0);
  });
});

describeWindow('context panel', (harness) => {
  it('UX-4.2 timers are arcs in the ring and words in the member table', async () => {
    const page = await harness.openCluster({
      ...scenes.healthy(),
      contexts: [
        context('default', {
          members: context('default').members.map((member, i) => ({
            ...member,
            timer: { kind: i === 0 ? 'heartbeat' : 'election', elapsedMs: 250, ofMs: 1000 },
          })),
        }),
      ],
    });
    await page.locator('.disc-timer').nth(2).waitFor();
    expect(await page.locator('.disc-timer').first().getAttribute('stroke-dasharray')).toBe('0.750 1');
    await row(page, 'node-2').getByText('750 of 1000 ms').waitFor();
  });

  it('UX-4.2 lag in entries, bytes and time; the same numbers as a table', async () => {
    const page = await harness.openCluster(scenes['catching-up']());
    await page.getByText('most now: 1,204').waitFor();
    await page.getByText('Show as table').press('Enter');
    const table = page.getByRole('table', { name: /Lag of default over the last minute/ });
    await table.getByRole('row', { name: /node-1 1,204/ }).waitFor();
    await page.getByRole('combobox', { name: 'Lag in' }).selectOption('ms');
    await table.getByRole('row', { name: /node-2 0 ms/ }).waitFor();
  });

  it('UX-4.2 the why-panel offers to move the leader, and to change roles when voters are even', async () => {
    const view = scenes.healthy();
    const [first, ...rest] = view.contexts;
    if (first === undefined) throw new Error('no context');
    const next = [
      { label: 'Move leader', action: 'move-leader' as const, node: null },
      { label: 'Change roles', action: 'change-roles' as const, node: null },
    ];
    const page = await harness.openCluster({ ...view, contexts: [{ ...first, why: { ...first.why, next } }, ...rest] });
    await why(page).getByRole('button', { name: 'Move leader' }).press('Enter');
    await expect
      .poll(() => harness.fake.callsOf('moveLeader').map((call) => call.args))
      .toEqual([['dev', 'default', null]]);
    await why(page).getByRole('button', { name: 'Change roles' }).press('Enter');
    await page.locator('[data-page="contexts"]').waitFor();
  });

  it('UX-4.3 faults of disks are listed with those of links, each with its end', async () => {
    const page = await harness.openCluster({
      ...scenes.healthy(),
      diskFaults: [{ node: 'node-2', slowMs: 50, failing: false, full: true, since: Date.now() - 3_000 }],
    });
    await page.getByRole('button', { name: '1 active fault' }).click();
    await page.getByText('Disk of node-2: every flush 50 ms longer, full').waitFor();
    await page.getByRole('button', { name: 'Heal the disk of node-2' }).click();
    await expect
      .poll(() => harness.fake.callsOf('setDisk').map((call) => call.args))
      .toEqual([['dev', 'node-2', { slowMs: 0, failing: false, full: false }]]);
  });
});

describeRealWindow('held ticks on real engines', { waitMsMax: CHANGE_MS_MAX, started: true }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
  });

  it('UX-4.2 while ticks are held a killed leader stays without a successor; at the usual speed one is elected', async () => {
    await page.getByRole('button', { name: 'Hold ticks' }).click();
    await banner(page).getByText('Ticks are held').waitFor();
    const leader = await page.locator('.node-card:has(.leader-mark)').getAttribute('data-node');
    await card(page, leader ?? '')
      .getByRole('button', { name: 'Kill' })
      .click();
    await page.locator('.why[data-headline="electing"]').waitFor();
    await banner(page).getByRole('button', { name: 'Step one tick' }).click();
    await banner(page).getByRole('button', { name: 'Usual speed' }).click();
    await page.locator('.why[data-headline="healthy"]').waitFor();
    await banner(page).waitFor({ state: 'detached' });
  });
});
