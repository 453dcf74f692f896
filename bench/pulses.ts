// What the pulses of heartbeats in the ring cost in an idle, healthy cluster: 3 nodes, two contexts; heartbeats and memory count on and are
// pushed at the launcher's pace. In one run, rounds with and without pulses take turns (asked for by the motion of the system), so that both
// have the same machine. Exits with 1 when none were shown, when some were shown without motion, when they lay out the page, or when they
// cost more than PULSES_PERCENT_MAX. `--seconds=20 --rounds=4`
import { openBrowser } from '../test/e2e/browser.ts';
import { FakeLauncher } from '../test/e2e/fake-launcher.ts';
import { cluster, context, node, replica } from '../test/e2e/view-parts.ts';
import type { ClusterView } from '../electron/contract/model.ts';
import { COUNTS_EVERY_MS } from '../electron/contract/view-news.ts';
import { BarePage } from './bare-page.ts';
import { option, report, rounded } from './report.ts';

/** Of a core, renderer and compositor together; rounds of the same kind differ by as much. */
const PULSES_PERCENT_MAX = 0.3;
const LAYOUTS_PER_PICTURE_MAX = 0.05;

const seconds = Number(option('seconds', '20'));
const rounds = Number(option('rounds', '4'));
const startedAt = Date.now();

/** Nothing happens; heartbeats are answered, memory and processor vary. */
function viewAt(step: number): ClusterView {
  const members = [1, 2, 3].map((i) => replica(i, i === 1 ? {} : { heartbeats: 40 + step * 5 }));
  return cluster({
    nodes: [1, 2, 3].map((i) =>
      node(i, {
        startedAt,
        cpuPercent: rounded(1 + ((step + i) % 3) / 10),
        rssBytes: (70 + ((step + i) % 2)) * 1_048_576,
      }),
    ),
    contexts: ['default', '_admin'].map((name) => context(name, { leaderSince: startedAt, members })),
  });
}

interface Used {
  readonly rendererSeconds: number;
  readonly gpuSeconds: number;
  readonly mainSeconds: number;
  readonly layouts: number;
  readonly layoutMs: number;
  readonly styleMs: number;
}

async function usedBy(page: BarePage): Promise<Used> {
  const { metrics } = await page.send<{ metrics: { name: string; value: number }[] }>('Performance.getMetrics');
  const value = (name: string): number => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  return {
    rendererSeconds: await page.processSeconds('renderer'),
    gpuSeconds: await page.processSeconds('GPU'),
    mainSeconds: value('TaskDuration'),
    layouts: value('LayoutCount'),
    layoutMs: value('LayoutDuration') * 1000,
    styleMs: value('RecalcStyleDuration') * 1000,
  };
}

const fake = await FakeLauncher.start();
const browser = await openBrowser();
let step = 0;

/** The idle cluster for so long; answers how many pictures were pushed. */
function idle(forSeconds: number): Promise<number> {
  return new Promise((resolve) => {
    const until = performance.now() + forSeconds * 1000;
    let pushed = 0;
    const timer = setInterval(() => {
      fake.show(viewAt(step++));
      pushed += 1;
      if (performance.now() < until) return;
      clearInterval(timer);
      resolve(pushed);
    }, COUNTS_EVERY_MS);
  });
}

async function round(page: BarePage, pulses: boolean) {
  const value = pulses ? 'no-preference' : 'reduce';
  await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-reduced-motion', value }] });
  await idle(3);
  await page.evaluate('globalThis.lit = 0');
  const before = await usedBy(page);
  const beganAt = performance.now();
  const pushed = await idle(seconds);
  const elapsed = (performance.now() - beganAt) / 1000;
  const after = await usedBy(page);
  const percent = (name: 'rendererSeconds' | 'gpuSeconds' | 'mainSeconds'): number =>
    ((after[name] - before[name]) / elapsed) * 100;
  return {
    pulses: pulses ? 'on' : 'off',
    rendererPercent: percent('rendererSeconds'),
    mainPercent: percent('mainSeconds'),
    gpuPercent: percent('gpuSeconds'),
    layoutsPerPicture: (after.layouts - before.layouts) / pushed,
    layoutMsPerPicture: (after.layoutMs - before.layoutMs) / pushed,
    styleMsPerPicture: (after.styleMs - before.styleMs) / pushed,
    lit: await page.evaluate<number>('globalThis.lit'),
  };
}
type Row = Awaited<ReturnType<typeof round>>;

try {
  fake.show(viewAt(step++));
  const page = await BarePage.open(browser, fake.url);
  const link = `[...document.querySelectorAll('main a')].find((a) => a.textContent.trim() === 'dev')`;
  await page.until(link);
  await page.evaluate(`${link}.click()`);
  await page.until(`document.querySelector('.ring svg')`);
  await page.evaluate(`new MutationObserver((all) => {
    for (const { target } of all) globalThis.lit += Number(target.classList.contains('pulse') && target.classList.contains('lit'));
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ['class'] })`);
  await page.send('Performance.enable', { timeDomain: 'threadTicks' });
  await idle(10);
  const rows: Row[] = [];
  for (let i = 0; i < rounds; i++) rows.push(await round(page, true), await round(page, false));
  const mean = (pulses: string, name: Exclude<keyof Row, 'pulses'>): number => {
    const all = rows.filter((row) => row.pulses === pulses).map((row) => row[name]);
    return all.reduce((sum, one) => sum + one, 0) / all.length;
  };
  const round3 = (value: number): number => Math.round(value * 1000) / 1000;
  const names = [
    'rendererPercent',
    'mainPercent',
    'gpuPercent',
    'layoutsPerPicture',
    'layoutMsPerPicture',
    'styleMsPerPicture',
    'lit',
  ] as const;
  const table = names.map((name) => ({
    what: name,
    on: round3(mean('on', name)),
    off: round3(mean('off', name)),
    more: round3(mean('on', name) - mean('off', name)),
  }));
  const cost =
    mean('on', 'rendererPercent') +
    mean('on', 'gpuPercent') -
    mean('off', 'rendererPercent') -
    mean('off', 'gpuPercent');
  report('pulses', table, [`pulses cost ${round3(cost)} % of a core, ${rounds} rounds of ${seconds} s each`]);
  const layouts = mean('on', 'layoutsPerPicture') - mean('off', 'layoutsPerPicture');
  const isShown = mean('on', 'lit') > 0 && mean('off', 'lit') === 0;
  if (!isShown || layouts > LAYOUTS_PER_PICTURE_MAX || cost > PULSES_PERCENT_MAX) process.exitCode = 1;
} finally {
  await browser.close();
  await fake.close();
}
