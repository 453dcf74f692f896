// What a long session leaves in the window is bounded; the parts without a page are in test/launcher/window-limits.test.ts.
import { expect, it } from 'vitest';
import { describeWindow } from './harness.ts';

/** TIMELINE_MAX of renderer/store.ts, which only a page can load. */
const KEPT = 500;

describeWindow('limits of the window', (harness) => {
  it('UX-10 the timeline keeps its newest events only', async () => {
    const page = await harness.openCluster();
    await page.getByRole('tab', { name: 'Timeline' }).click();
    const at = Date.now();
    for (let i = 0; i < KEPT + 40; i++)
      harness.fake.push('timeline', {
        at: at + i,
        cluster: 'dev',
        kind: 'user',
        subject: 'dev',
        text: `Event ${i} of dev.`,
      });
    const shown = page.getByRole('list', { name: 'Timeline, newest first' }).getByRole('listitem');
    await shown
      .first()
      .getByText(`Event ${KEPT + 39} of dev.`)
      .waitFor();
    expect(await shown.count()).toBe(KEPT);
    await shown.first().evaluate((line) => line.setAttribute('data-first', ''));
    harness.fake.push('timeline', {
      at: at + KEPT + 40,
      cluster: 'dev',
      kind: 'user',
      subject: 'dev',
      text: 'One more.',
    });
    await shown.first().getByText('One more.').waitFor();
    expect(await shown.nth(1).getAttribute('data-first'), 'no line is made anew').toBe('');
    expect(await shown.last().textContent()).toContain('Event 41 of dev.');
  });
});
