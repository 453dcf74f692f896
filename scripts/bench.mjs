// `npm run bench -- <name>…`: builds, then runs bench/<name>.ts. Without a name it lists them. The files are TypeScript, run as they are.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { preferredNode, root } from './sources.mjs';

const LIBRARIES = ['report.ts', 'bare-page.ts', 'node-store.ts', 'processes.ts', 'bare-desktop.ts'];
const available = readdirSync(path.join(root, 'bench'))
  .filter((file) => file.endsWith('.ts') && !LIBRARIES.includes(file))
  .map((file) => path.basename(file, '.ts'))
  .sort();
const names = process.argv.slice(2).filter((name) => !name.startsWith('-'));
const options = process.argv.slice(2).filter((name) => name.startsWith('-'));
const wrong = names.filter((name) => !available.includes(name));
if (names.length === 0 || wrong.length > 0) {
  console.error(
    `${wrong.length > 0 ? `No benchmark called ${wrong.join(', ')}. ` : ''}npm run bench -- <name>…, where <name> is one of: ${available.join(', ')}`,
  );
  process.exit(2);
}
const node = preferredNode();
const build = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs'), '--quiet'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (build.status !== 0) process.exit(1);
if (!existsSync(node)) throw new Error(`no Node at ${node}`);
let failed = 0;
for (const name of names) {
  const run = spawnSync(node, ['--disable-warning=ExperimentalWarning', path.join('bench', `${name}.ts`), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  if (run.status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
