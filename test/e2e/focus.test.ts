// The keyboard is always somewhere: what is focused may go, be disabled, or give way to another screen (renderer/focus.ts).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { card, describeWindow } from './harness.ts';
import { scenes } from './scenes.ts';
import { down, node } from './view-parts.ts';

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement;
    return at === document.body || at === null ? 'nothing' : (at.ariaLabel ?? (at.id || at.tagName.toLowerCase()));
  });

describeWindow('focus', (harness) => {
  it('UX-15 a button that goes because of its own press leaves the focus to its card, where keys go on to work', async () => {
    const healthy = scenes.healthy();
    const page = await harness.openCluster(healthy);
    harness.fake.on('actOnNode', (_cluster: string, name: string, action: string) => {
      const change = action === 'kill' ? down(2) : node(2);
      harness.fake.show({ ...healthy, nodes: healthy.nodes.map((one) => (one.name === name ? change : one)) });
    });
    await card(page, 'node-2').getByRole('button', { name: 'Kill node-2' }).press('Enter');
    await card(page, 'node-2').getByRole('button', { name: 'Start node-2' }).click({ trial: true });
    await expect.poll(() => focused(page)).toBe('card-node-2');
    await page.keyboard.press('s');
    await expect.poll(() => harness.fake.callsOf('actOnNode').at(-1)?.args).toEqual(['dev', 'node-2', 'start']);
  });

  it('UX-15 a button that is disabled while its call is under way has the focus back afterwards', async () => {
    const page = await harness.openCluster();
    let answer = (): void => undefined;
    harness.fake.on('actOnNode', () => new Promise<void>((resolve) => (answer = resolve)));
    await card(page, 'node-2').getByRole('button', { name: 'Freeze node-2' }).press('Enter');
    await expect.poll(() => focused(page)).toBe('card-node-2');
    answer();
    await expect.poll(() => focused(page)).toBe('Freeze node-2');
  });

  it('UX-15 another screen than the one of the focused button begins at its heading', async () => {
    harness.fake.show(scenes.healthy());
    const page = await harness.open();
    await page.getByRole('button', { name: 'Open dev' }).press('Enter');
    await card(page, 'node-1').waitFor();
    await expect.poll(() => focused(page)).toBe('h1');
    await page.keyboard.press('Tab');
    expect(await focused(page)).not.toBe('nothing');
  });

  it('UX-15 who leaves an element on purpose is not sent back when it goes later', async () => {
    const healthy = scenes.healthy();
    const page = await harness.openCluster(healthy);
    await card(page, 'node-2').getByRole('button', { name: 'Kill node-2' }).focus();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    harness.fake.show({ ...healthy, nodes: healthy.nodes.map((one) => (one.name === 'node-2' ? down(2) : one)) });
    await card(page, 'node-2').getByRole('button', { name: 'Start node-2' }).waitFor();
    expect(await focused(page)).toBe('nothing');
  });
});
