// The main journey on real engines, by keyboard alone, as the guided tour leads it (ux.md §15; launchers.md §4.15).
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { describeRealWindow } from './real-window.ts';

const STEP_MS_MAX = 60_000;

describeRealWindow('the five-minute tour on real engines', { waitMsMax: STEP_MS_MAX }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
  });

  const atStep = (step: number): Promise<void> => page.locator(`[data-tour-step="${step}"]`).waitFor();
  const leader = (): Promise<string | null> => page.locator('.node-card:has(.leader-mark)').getAttribute('data-node');
  /** Ctrl with a digit focuses the card, a letter acts on it. */
  const onCard = async (name: string, key: string): Promise<void> => {
    await page.keyboard.press(`Alt+${name.slice('node-'.length)}`);
    await page.keyboard.press(key);
  };

  it('UX-15 from the first screen to the final check mark without a pointer; the verdict counts real events', async () => {
    const begin = page.getByRole('button', { name: 'Five-minute tour' });
    await expect.poll(() => begin.isEnabled()).toBe(true);
    for (let i = 0; i < 40 && !(await begin.evaluate((one) => one === document.activeElement)); i++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await atStep(1);

    const first = (await leader()) ?? '';
    const follower = ['node-1', 'node-2', 'node-3'].find((name) => name !== first) ?? '';
    await onCard(follower, 'k');
    await atStep(2);
    await onCard(follower, 's');
    await atStep(3);

    await onCard(first, 'k');
    await atStep(4);
    const second = (await leader()) ?? '';
    expect(second).not.toBe(first);
    const third = ['node-1', 'node-2', 'node-3'].find((name) => name !== first && name !== second) ?? '';
    await onCard(third, 'k');
    await atStep(5);

    await onCard(first, 's');
    await onCard(third, 's');
    await atStep(6);
    await page.getByText('Tour complete.').waitFor();
    await page
      .getByText(/You lost a follower, the leader and the majority: 0 of \d+ committed events are missing/)
      .waitFor();
  });
});
