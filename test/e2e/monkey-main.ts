// `npm run monkey`: see scripts/monkey.mjs.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, chromiumMissing, openBrowser, openPage, root } from './browser.ts';
import { Monkey } from './monkey.ts';
import { serve } from './real-launcher.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    sizes: { type: 'string', default: '1280x800,640x480,1920x1080' },
    'first-port': { type: 'string', default: '8024' },
  },
});
const seconds = Number(values.seconds);
const sizes = values.sizes.split(',');
if (chromiumMissing !== null) throw new Error(chromiumMissing);
build();

let seed = Number(values.seed);
let failed = false;
for (const size of sizes) {
  const [width = 1280, height = 800] = size.split('x').map(Number);
  const launcher = await serve({ firstPort: Number(values['first-port']) });
  const browser = await openBrowser();
  const { page, faults } = await openPage(browser, launcher.page, { width, height });
  page.setDefaultTimeout(15_000);
  const endAt = Date.now() + (seconds * 1000) / sizes.length;
  const monkey = new Monkey(page, { seed, endAt, faults, isAlive: launcher.isAlive });
  const wrong = [...(await monkey.run().catch((error: unknown) => [String(error)]))];
  if (wrong.length > 0) {
    const picture = path.join(root, 'test-results', `monkey-${seed}.png`);
    mkdirSync(path.dirname(picture), { recursive: true });
    await page.screenshot({ path: picture }).catch(() => undefined);
    console.log(monkey.lastPresses.map((press) => `  ${press}`).join('\n'));
    console.log(`picture: ${picture}`);
  }
  await browser.close();
  const left = await launcher.end();
  if (left.length > 0) wrong.push(`${left.length} engine processes were left behind`);
  console.log(`seed ${seed}, ${size}: ${monkey.count} presses, ${wrong.length === 0 ? 'nothing wrong' : 'WRONG:'}`);
  for (const one of wrong) console.log(`  ${one}`);
  failed ||= wrong.length > 0;
  seed += 1;
}
process.exitCode = failed ? 1 : 0;
