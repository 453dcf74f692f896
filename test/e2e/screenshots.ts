// Pictures of the window in its states: `node test/e2e/screenshots.ts [folder] [scene …]` (Node 24). With `--readme`, the pictures of docs/images.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import type { ClusterView, LogLine } from '../../electron/contract/model.ts';
import type { Page } from 'playwright-core';
import { build, openBrowser, openPage, root } from './browser.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { failedRun } from './chaos-scene.ts';
import { saved } from './checkpoint-scene.ts';
import { installPast } from './past-scene.ts';
import { type SceneName, scenes } from './scenes.ts';
import { cluster, down, logOf } from './view-parts.ts';

const sizes = [
  { width: 1280, height: 800 },
  { width: 1000, height: 700 },
] as const;

/** Pages and dialogs of a healthy cluster: what to put into the launcher before, and what to do in the page. */
const shownPages: Readonly<
  Record<string, { readonly before?: (fake: FakeLauncher) => void; readonly open: (page: Page) => Promise<unknown> }>
> = {
  links: { open: (page) => page.getByRole('button', { name: 'Links…' }).click() },
  palette: { open: (page) => page.keyboard.press('Control+k') },
  help: { open: (page) => page.keyboard.press('F1') },
  connect: { open: (page) => page.getByRole('tab', { name: 'Connect' }).click() },
  create: { open: (page) => page.keyboard.press('Control+n') },
  timeline: {
    before: (fake) => void installPast(fake),
    open: (page) => page.getByRole('link', { name: 'Timeline' }).click(),
  },
  past: {
    before: (fake) => void installPast(fake),
    open: async (page) => {
      await page.getByRole('link', { name: 'Timeline' }).click();
      await page
        .getByRole('row', { name: /node-2 leads/ })
        .getByRole('button')
        .click();
      await page.locator('.playhead').waitFor();
      await page.getByRole('link', { name: 'Overview' }).click();
    },
  },
  checkpoints: {
    before: (fake) => fake.on('checkpoints', () => [saved('first'), saved('before-the-change')]),
    open: async (page) => {
      await page.getByRole('link', { name: 'Checkpoints' }).click();
      await page.getByRole('button', { name: 'Restore first' }).waitFor();
    },
  },
  chaos: {
    before: (fake) => fake.on('scriptRuns', () => [failedRun()]),
    open: async (page) => {
      await page.getByRole('link', { name: 'Chaos' }).click();
      await page.getByRole('button', { name: 'Use the example' }).click();
    },
  },
};

async function shoot(folder: string, wanted: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const browser = await openBrowser();
  for (const name of wanted) {
    for (const size of sizes) {
      for (const scheme of ['light', 'dark'] as const) {
        const fake = await FakeLauncher.start();
        for (const i of [1, 2, 3]) fake.setLog(`node-${i}`, logOf(i));
        if (name !== 'first-run' && name !== 'checklist') {
          fake.show(scenes[(name in scenes ? name : 'healthy') as SceneName]());
          fake.show(
            cluster({
              name: 'billing',
              state: 'stopped',
              sentence: 'Stopped.',
              nodes: [down(1), down(2), down(3)],
              contexts: [],
            }),
          );
        }
        shownPages[name]?.before?.(fake);
        const start = name === 'first-run' || name === 'start' || name === 'checklist';
        const { page, faults } = await openPage(browser, fake.url, { ...size, scheme });
        if (!start)
          await page
            .getByRole('button', { name: /^(Open|Start) dev$/ })
            .or(page.getByRole('link', { name: 'dev', exact: true }))
            .first()
            .click();
        if (!start) await page.getByRole('article', { name: 'node-1' }).waitFor();
        if (name === 'checklist') {
          await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
          fake.show(scenes.starting());
          await page.getByRole('article', { name: 'node-1' }).waitFor();
        }
        await shownPages[name]?.open(page);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await page.screenshot({ path: path.join(folder, `${name}-${size.width}-${scheme}.png`) });
        for (const fault of faults) console.error(`${name}: ${fault}`);
        await page.context().close();
        await fake.close();
      }
    }
  }
  await browser.close();
}

const CATCH_UP_SECONDS = 55;

const words = (sentence: string, behind: number): string => sentence.replace('1,204', behind.toLocaleString('en-US'));

function killedAndBack(start: number): readonly LogLine[] {
  const line = (seq: number, at: number, level: LogLine['level'], inContext: string | null, text: string): LogLine => ({
    seq,
    at: start + at,
    level,
    context: inContext,
    code: null,
    text,
  });
  return [
    line(0, 120, 'warn', null, 'link to node-1 lost: closed by the other side'),
    line(1, 184, 'info', 'default', 'asks for votes in term 8'),
    line(2, 197, 'info', 'default', 'leads term 8'),
    line(3, 34_060, 'info', null, 'link to node-1 is up again'),
    line(4, 34_081, 'info', 'default', 'node-1 is 2,148 entries behind: sends what it missed'),
  ];
}

/** One minute of a node that comes back: down, then copying what it missed; `at` = seconds since the kill. */
function minuteOf(at: number): ClusterView {
  const behind = Math.max(0, Math.round(at < 34 ? 40 + at * 62 : 2148 - (at - 34) * 45));
  const view = at < 34 ? scenes.elected() : scenes['catching-up']();
  const percent = Math.min(99, 100 - (behind / 2148) * 100);
  return {
    ...view,
    nodes: view.nodes.map((one) =>
      one.state === 'catching-up' ? { ...one, catchUpPercent: percent, eventsBehind: behind } : one,
    ),
    contexts: view.contexts.map((one) => ({
      ...one,
      why: {
        ...one.why,
        sentence: words(one.why.sentence, behind),
        lossSentence: words(one.why.lossSentence ?? '', behind),
      },
      members: one.members.map((member) =>
        one.name === 'default' && member.node === 'node-1'
          ? {
              ...member,
              lag: behind,
              ...(member.lastIndex === null
                ? {}
                : { lastIndex: 18_402 - behind, commitIndex: 18_402 - behind, matchIndex: 18_402 - behind }),
            }
          : member,
      ),
    })),
  };
}

/** The picture of the README: a killed leader comes back and catches up. From scripted views, with the page's clock moved by hand. */
async function readme(browser: Browser, scheme: 'light' | 'dark'): Promise<void> {
  const target = path.join(root, 'docs/images');
  mkdirSync(target, { recursive: true });
  const fake = await FakeLauncher.start();
  const start = Date.now();
  fake.setLog('node-2', killedAndBack(start));
  fake.setLog('node-1', []);
  fake.setLog('node-3', []);
  fake.show(minuteOf(0));
  const { page } = await openPage(browser, fake.url, { width: 1280, height: 850, scheme });
  await page.clock.setFixedTime(start);
  await page.addStyleTag({ content: ':root { --font: Inter, system-ui, sans-serif }' });
  await page.getByRole('link', { name: 'dev', exact: true }).click();
  await page.getByRole('article', { name: 'node-1' }).waitFor();
  for (let at = 1; at <= CATCH_UP_SECONDS; at++) {
    await page.clock.setFixedTime(start + at * 1000);
    const view = minuteOf(at);
    fake.show(view);
    const lag = view.contexts[0]?.members[0]?.lag ?? 0;
    await page.getByText(`most now: ${lag.toLocaleString('en-US')}`, { exact: false }).waitFor();
  }
  await page.screenshot({ path: path.join(target, scheme === 'light' ? 'cluster.png' : 'cluster-dark.png') });
  await page.context().close();
  await fake.close();
}

build();
const [first, ...rest] = process.argv.slice(2);
if (first === '--readme') {
  const browser = await openBrowser();
  for (const scheme of ['light', 'dark'] as const) await readme(browser, scheme);
  await browser.close();
} else {
  const everything = ['first-run', 'start', 'checklist', ...Object.keys(shownPages), ...Object.keys(scenes)];
  await shoot(first ?? path.join(root, 'test-results/screens'), rest.length > 0 ? rest : everything);
}
