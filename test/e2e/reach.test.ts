// Everything is large enough to hit and within reach: targets of every screen, 200 % zoom, spaced-out text (ux.md §15, WCAG 1.4.4, 1.4.12, 2.5.8).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { installCare } from './care-scene.ts';
import { card, describeWindow, type Harness } from './harness.ts';
import { installPast } from './past-scene.ts';
import { scenes } from './scenes.ts';
import { openScreen } from './screens.ts';

const TARGET_PX_MIN = 24;
const PAGES = ['Overview', 'Apps', 'Contexts', 'Timeline', 'Logs', 'Configuration', 'Checkpoints', 'Chaos', 'Events'];
const SCREENS = ['Settings', 'Diagnostics', 'Help', 'Clusters'];
/** The user's style of WCAG 1.4.12. */
const SPACED = `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
  p { margin-bottom: 2em !important; }`;

/** In the page: what can be pressed and is smaller than a fingertip; of a radio or a checkbox its label counts. */
function smallTargets(least: number): string[] {
  const targets = document.querySelectorAll<HTMLElement>(
    'button, a[href], select, summary, input, textarea:not(.xterm-helper-textarea), [role="tab"], [role="option"], [role="gridcell"]',
  );
  return [...targets].flatMap((element) => {
    if (!element.checkVisibility()) return [];
    const isChoice = element.matches('[type=radio], [type=checkbox]');
    const label = isChoice ? (element as HTMLInputElement).labels?.[0] : undefined;
    const { width, height } = (label ?? element).getBoundingClientRect();
    if (width < 1 || (width >= least - 0.5 && height >= least - 0.5)) return [];
    return [`${Math.round(width)} × ${Math.round(height)}: ${element.outerHTML.slice(0, 100)}`];
  });
}

/** In the page: texts that their own box cuts off, but those that shrink with time in the lanes of the timeline and have a list beside them. */
function cutTexts(): string[] {
  return [...document.querySelectorAll<HTMLElement>('main *')].flatMap((element) => {
    const hasText = [...element.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.textContent?.trim());
    if (!hasText || !element.checkVisibility() || element.closest('.visually-hidden, svg, .xterm, .piece') !== null)
      return [];
    const { overflowX, overflowY } = getComputedStyle(element);
    const isCut =
      (/hidden|clip/.test(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
      (/hidden|clip/.test(overflowY) && element.scrollHeight > element.clientHeight + 2);
    return isCut ? [element.outerHTML.slice(0, 120)] : [];
  });
}

async function eachScreen(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const name of PAGES) {
    await openScreen(page, name);
    await page.locator(`[data-page="${name.toLowerCase()}"]`).waitFor();
    await look(name);
  }
  for (const name of SCREENS) {
    await openScreen(page, name);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await look(name);
  }
}

async function opened(harness: Harness, width: number, height: number): Promise<Page> {
  harness.fake.on('configDocs', () => []);
  installCare(harness.fake);
  installPast(harness.fake);
  const held = { slowdown: 1, held: true, since: Date.now(), nodes: 3 };
  return harness.openCluster({ ...scenes['stale-leader'](), pace: held }, { width, height });
}

describeWindow('reach', (harness) => {
  it('UX-15 every target of every screen is at least 24 px wide and high', async () => {
    const page = await opened(harness, 1280, 800);
    const small: string[] = [];
    await eachScreen(page, async (name) => {
      small.push(...(await page.evaluate(smallTargets, TARGET_PX_MIN)).map((one) => `${name}: ${one}`));
    });
    expect(small).toEqual([]);
  });

  it('UX-15 with the text spaced out as WCAG 1.4.12 asks, no text is cut off', async () => {
    const page = await opened(harness, 1280, 800);
    await page.addStyleTag({ content: SPACED });
    const cut: string[] = [];
    await eachScreen(page, async (name) => {
      cut.push(...(await page.evaluate(cutTexts)).map((one) => `${name}: ${one}`));
    });
    expect(cut).toEqual([]);
  });

  it('UX-15 at 200 % zoom of 1280 × 800, with faults and a banner, the pages keep room and their buttons can be pressed', async () => {
    const page = await opened(harness, 640, 400);
    await eachScreen(page, async (name) => {
      const { width, height } = (await page.locator('main').boundingBox()) ?? { width: 0, height: 0 };
      expect([name, width >= 500, height >= 100]).toEqual([name, true, true]);
    });
    await page.getByRole('button', { name: 'Open dev' }).click();
    await card(page, 'node-3').getByRole('button', { name: 'Kill node-3' }).click({ timeout: 5000 });
    await page.getByRole('button', { name: 'Remove a node…' }).click({ timeout: 5000 });
    await page.getByRole('dialog').waitFor();
  });
});
