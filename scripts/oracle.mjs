// `npm run oracle -- --seeds 10000 [--from 1]`: our consensus core against go.etcd.io/raft, step by step (test/raft/oracle). Needs Go.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { preferredNode, root } from './sources.mjs';

const main = path.join(root, 'test', 'raft', 'oracle', 'main.ts');
const run = spawnSync(preferredNode(), ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
