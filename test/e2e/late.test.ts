// Answers that come late: what was pushed meanwhile is newer, and nothing between question and answer is lost (renderer/store.ts).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { ClusterView } from '../../electron/contract/model.ts';
import { card, describeWindow, type Harness } from './harness.ts';
import { scenes } from './scenes.ts';
import { logOf, summaryOf } from './view-parts.ts';

/** Holds the answers to `method` back; what they say is settled when the call comes, as in a real launcher. */
function hold(harness: Harness, method: string, answer: () => unknown): { readonly letGo: () => void } {
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  harness.fake.on(method, async () => {
    const found = answer();
    await held;
    return found;
  });
  return { letGo: () => letGo() };
}

/** The page has worked off what it was sent so far. */
const settled = (page: Page): Promise<void> =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

async function letGoInto(page: Page, method: string, held: { readonly letGo: () => void }): Promise<void> {
  const answered = page.waitForResponse((response) => response.url().endsWith(`/api/${method}`));
  held.letGo();
  await (await answered).finished();
  await settled(page);
}

async function toDev(page: Page, harness: Harness): Promise<void> {
  await page.getByRole('link', { name: 'dev', exact: true }).click();
  await expect.poll(() => harness.fake.callsOf('getCluster').length).toBe(1);
}

describeWindow('late answers', (harness) => {
  it('UX-1.1 a view that was pushed is not replaced by an older one that was asked for before', async () => {
    let old: ClusterView = harness.fake.show(scenes.healthy());
    const held = hold(harness, 'getCluster', () => old);
    const page = await harness.open();
    await toDev(page, harness);
    old = harness.fake.show(scenes.frozen());
    await card(page, 'node-3').getByText('Frozen', { exact: true }).waitFor();
    await letGoInto(page, 'getCluster', held);
    expect(await card(page, 'node-3').getByText('Frozen', { exact: true }).count()).toBe(1);
  });

  it('a cluster that is opened while the lists are still being read is asked for once', async () => {
    const first = harness.fake.show(scenes.healthy());
    const held = hold(harness, 'scriptRuns', () => []);
    const page = await harness.open();
    await expect.poll(() => harness.fake.callsOf('scriptRuns').length).toBe(1);
    harness.fake.push('clusters', [summaryOf(first)]);
    await toDev(page, harness);
    await card(page, 'node-1').waitFor();
    await letGoInto(page, 'scriptRuns', held);
    expect(harness.fake.callsOf('getCluster')).toHaveLength(1);
  });

  it('a list that was pushed is not replaced by an older one that was asked for before', async () => {
    const first = summaryOf(scenes.healthy());
    const held = hold(harness, 'listClusters', () => [first]);
    const page = await harness.open();
    await expect.poll(() => harness.fake.callsOf('listClusters').length).toBe(1);
    harness.fake.push('clusters', [first, { ...first, name: 'second' }]);
    await page.getByRole('link', { name: 'second', exact: true }).waitFor();
    await letGoInto(page, 'listClusters', held);
    expect(await page.getByRole('link', { name: 'second', exact: true }).count()).toBe(1);
  });

  it('UX-7 UX-10 lines and events that come while the log and the timeline are read stand after what was read', async () => {
    harness.fake.show(scenes.healthy());
    const event = (text: string, at: number) => ({ at, cluster: 'dev', kind: 'user' as const, subject: 'dev', text });
    const [known, both, fresh] = [event('Known.', 1), event('In both.', 2), event('Pushed only.', 3)].map((one, i) => ({
      ...one,
      at: Date.now() - 1000 + i,
    }));
    if (known === undefined || both === undefined || fresh === undefined) throw new Error('three events');
    const lines = logOf(1);
    const heldLog = hold(harness, 'readLogs', () => [{ node: 'node-1', lines }]);
    const heldTimeline = hold(harness, 'timeline', () => [known, both]);
    const page = await harness.open();
    await toDev(page, harness);
    await expect.poll(() => harness.fake.callsOf('timeline').length).toBe(1);
    harness.fake.push('timeline', both);
    harness.fake.push('timeline', fresh);
    const line = { ...lines[6], at: Date.now(), level: 'info' as const, context: null, code: null };
    harness.fake.push('log', {
      cluster: 'dev',
      node: 'node-1',
      lines: [
        { ...line, seq: 6, text: 'ready' },
        { ...line, seq: 7, text: 'written meanwhile' },
      ],
    });
    heldLog.letGo();
    await letGoInto(page, 'timeline', heldTimeline);
    const rows = page.locator('.xterm-rows');
    await expect.poll(() => rows.textContent()).toContain('written meanwhile');
    expect((await rows.textContent())?.match(/ready/g)).toHaveLength(1);
    await page.getByRole('tab', { name: 'Timeline' }).click();
    const shown = page.getByRole('list', { name: 'Timeline, newest first' }).getByRole('listitem');
    await expect.poll(() => shown.count()).toBe(3);
    expect(await shown.first().textContent()).toContain('Pushed only.');
  });

  it('UX-1.1 a cluster that is made again under its name is shown as it is now', async () => {
    const page = await harness.openCluster();
    const first = harness.fake.show(scenes.frozen());
    await card(page, 'node-3').getByText('Frozen', { exact: true }).waitFor();
    harness.fake.push('clusters', []);
    await page.getByRole('heading', { name: 'dev is no more' }).waitFor();
    harness.fake.push('clusters', [summaryOf(first)]);
    harness.fake.push('view', { ...scenes.healthy(), revision: 1 });
    await card(page, 'node-3').getByText('Ready', { exact: true }).waitFor();
  });
});
