// Pictures of the window in its states: `node test/e2e/screenshots.ts [folder] [scene …]` (Node 24). With `--readme`, docs/images/cluster.png.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { build, openBrowser, openPage, root } from './browser.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { type SceneName, scenes } from './scenes.ts';
import { cluster, down, logOf } from './view-parts.ts';

const sizes = [
  { width: 1280, height: 800 },
  { width: 1000, height: 700 },
] as const;

async function shoot(folder: string, wanted: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const browser = await openBrowser();
  for (const name of wanted) {
    for (const size of sizes) {
      for (const scheme of ['light', 'dark'] as const) {
        const fake = await FakeLauncher.start();
        for (const i of [1, 2, 3]) fake.setLog(`node-${i}`, logOf(i));
        if (name !== 'first-run') {
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
        const start = name === 'first-run' || name === 'start';
        const { page, faults } = await openPage(browser, fake.url, { ...size, scheme });
        if (!start)
          await page
            .getByRole('button', { name: /^(Open|Start) dev$/ })
            .or(page.getByRole('link', { name: 'dev', exact: true }))
            .first()
            .click();
        if (!start) await page.getByRole('article', { name: 'node-1' }).waitFor();
        if (name === 'links') await page.getByRole('button', { name: 'Links…' }).click();
        if (name === 'palette') await page.keyboard.press('Control+k');
        if (name === 'help') await page.keyboard.press('F1');
        if (name === 'connect') await page.getByRole('tab', { name: 'Connect' }).click();
        if (name === 'create') await page.keyboard.press('Control+n');
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

const [folder = path.join(root, 'test-results/screens'), ...names] = process.argv.slice(2);
build();
await shoot(
  folder,
  names.length > 0
    ? names
    : ['first-run', 'start', 'links', 'palette', 'help', 'connect', 'create', ...Object.keys(scenes)],
);
