// The main job on the real thing: real launcher, three real engine processes, a real browser (issue 3, item 6).
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { root } from './browser.ts';
import { card, row } from './harness.ts';
import { describeRealWindow } from './real-window.ts';

const READY_MS_MAX = 40_000;
const ELECTION_MS_MAX = 20_000;
const pictures = path.join(root, 'test-results', 'journey');

describeRealWindow('the journey of a first evening', { waitMsMax: READY_MS_MAX, scheme: 'light' }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
    mkdirSync(pictures, { recursive: true });
  });

  const picture = (name: string): Promise<Buffer> => page.screenshot({ path: path.join(pictures, `${name}.png`) });
  const isIn = (name: string, state: string): Locator =>
    page.locator(`.node-card[data-node="${name}"][data-state="${state}"]`);
  const term = async (): Promise<number> =>
    Number(await page.getByRole('region', { name: 'Why: default' }).locator('dt:text-is("Term") + dd').textContent());
  const leader = async (): Promise<string> =>
    (await page.getByRole('region', { name: 'Why: default' }).locator('dt:text-is("Leader") + dd').textContent()) ?? '';

  it('S-UI a press on "Start a 3-node cluster" ends with three ready nodes and the settings for an app', async () => {
    await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
    await page.getByRole('heading', { level: 1, name: 'dev' }).waitFor();
    for (const name of ['node-1', 'node-2', 'node-3']) await isIn(name, 'ready').waitFor();
    await page.getByText(/^Ready in [\d.]+ m?s\.$/).waitFor();
    await page.getByText(/axon\.axonserver\.servers=localhost:\d+,localhost:\d+,localhost:\d+/).waitFor();
    await picture('1-ready');
  });

  it('S-UI a press on Kill on the leader shows the election and then another leader in a higher term', async () => {
    await page.locator('[data-headline="healthy"]').waitFor();
    const before = { leader: await leader(), term: await term() };
    expect(before.leader).toMatch(/^node-[123]$/);

    await page.getByRole('button', { name: `Kill ${before.leader}` }).click();
    await isIn(before.leader, 'stopped').waitFor();
    await picture('2-killed');
    await expect.poll(leader, { timeout: ELECTION_MS_MAX }).not.toMatch(new RegExp(`none|${before.leader}`));
    await expect.poll(term, { timeout: ELECTION_MS_MAX }).toBeGreaterThan(before.term);
    await page.locator('[data-headline="healthy"], [data-headline="catching-up"]').waitFor();
    expect(await row(page, before.leader).getByRole('cell').nth(1).textContent()).toBe('Down');
    await picture('3-new-leader');

    await page.getByRole('tab', { name: 'Timeline' }).click();
    await page
      .getByRole('list', { name: /Timeline/ })
      .getByText(before.leader)
      .first()
      .waitFor();
    await picture('4-timeline');
  });

  it('S-UI a press on Start brings the node back: it follows the new leader and has everything', async () => {
    const dead = await page.locator('.node-card[data-state="stopped"]').getAttribute('data-node');
    expect(dead).not.toBeNull();
    await page
      .getByRole('button', { name: `Start ${dead}` })
      .first()
      .click();
    await isIn(dead ?? '', 'ready').waitFor();
    const line = row(page, dead ?? '');
    await expect.poll(() => line.getByRole('cell').nth(1).textContent(), { timeout: ELECTION_MS_MAX }).toBe('Follower');
    await expect.poll(() => line.getByRole('cell').last().textContent(), { timeout: ELECTION_MS_MAX }).toBe('0');
    await page.getByRole('tab', { name: 'Logs' }).click();
    await page.getByRole('checkbox', { name: 'Plain text' }).check();
    await expect.poll(() => page.getByRole('log').textContent()).toContain(dead ?? '');
    await picture('5-back');
  });

  it('S-UI freezing a follower and cutting off the leader are seen, explained and undone', async () => {
    const leads = await leader();
    const follower = ['node-1', 'node-2', 'node-3'].find((name) => name !== leads) ?? '';
    await card(page, follower).focus();
    await page.keyboard.press('f');
    await isIn(follower, 'frozen').waitFor();
    await page.getByRole('button', { name: `Resume ${follower}` }).click();
    await isIn(follower, 'ready').waitFor();

    await page.getByRole('button', { name: 'Links…' }).click();
    await page.getByRole('button', { name: 'Isolate the leader' }).click();
    await page.getByRole('button', { name: `Rejoin ${leads}` }).waitFor();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByRole('button', { name: '4 active faults' }).waitFor();
    await isIn(leads, 'isolated').waitFor();
    await expect.poll(leader, { timeout: ELECTION_MS_MAX }).not.toMatch(new RegExp(`none|${leads}`));
    await picture('6-isolated');
    await page
      .getByRole('region', { name: /^Why:/ })
      .focus()
      .catch(() => undefined);
    await page.getByText('4 active faults').click();
    await page.getByRole('region', { name: 'Active faults' }).getByRole('button', { name: 'Heal all' }).click();
    await page.getByText('no faults').waitFor();
    await isIn(leads, 'ready').waitFor();
  });

  it('S-UI two dead nodes: the why panel says that no majority is left, and its own button brings it back', async () => {
    const leads = await leader();
    const [first, second] = ['node-1', 'node-2', 'node-3'].filter((name) => name !== leads) as [string, string];
    await page.getByRole('button', { name: `Kill ${first}` }).click();
    await page.getByRole('button', { name: `Kill ${second}` }).click();
    await page.locator('[data-headline="no-quorum"]').waitFor();
    const why = page.getByRole('region', { name: 'Why: default' });
    await why.getByText(/1 of 3 voting members reachable, 2 needed\./).waitFor();
    await picture('7-no-majority');
    await why.getByRole('button', { name: `Start ${first}` }).click();
    await page.locator('[data-headline="healthy"]').waitFor();
  });
});
