// `npm run torture -- --minutes 15 [--nodes 3] [--roles 3p|3p+1a+1p|5p|3p+1m] [--seed n] [--rate 300] [--changes] [--loads] [--keep]`: real engines under kill,
// freeze, cut, delay and loss, with `--changes` also roles, members and leaders that change, contexts that come and go, a node that joins and
// leaves, with `--loads` also DCB appends, snapshots, schedules, commands and queries; what clients saw is then checked (test/torture). Ctrl-C ends the engines as well.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { preferredNode, root } from './sources.mjs';

const main = path.join(root, 'test', 'torture', 'main.ts');
const run = spawnSync(
  preferredNode(),
  ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096', main, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;
