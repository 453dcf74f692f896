// `npm run monkey -- [--seconds 120] [--seed 1] [--sizes 1280x800,640x480,1920x1080] [--first-port 8024]`: presses by chance in the window of
// `muster serve` on three real nodes, in a workspace that is thrown away; each size takes its share of the time and the next seed. Prints the
// last presses and what is wrong after them, and exits with 1 (test/e2e/monkey.ts).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { preferredNode, root } from './sources.mjs';

const main = path.join(root, 'test', 'e2e', 'monkey-main.ts');
const run = spawnSync(preferredNode(), ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
