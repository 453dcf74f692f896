// Bundles engine, CLI, window and page into `dist`, and draws the icon there. Skips when nothing changed; `--force` builds anyway, `--allow-missing` goes on
// without entry points that do not exist. Safe to run from several processes at once: one builds, the others wait for it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build as esbuild } from 'esbuild';
import { writeIcons } from './icon.mjs';
import { builtFingerprint, fingerprint, root, stampFile } from './sources.mjs';

const NODE_TARGET = 'node20.18';
const PAGE_TARGET = 'chrome130';
const LOCK_POLL_MS = 50;
const LOCK_WAIT_MS_MAX = 60_000;
const PID_WRITE_MS_MAX = 1000;

const allowMissing = process.argv.includes('--allow-missing');
const force = process.argv.includes('--force');
const quiet = process.argv.includes('--quiet');
const dist = path.join(root, 'dist');
const lock = path.join(root, 'dist', '.building');

/** CommonJS packages inside an ESM bundle still call require for Node's own modules. */
const requireBanner = {
  js: "import { createRequire as musterCreateRequire } from 'node:module'; const require = musterCreateRequire(import.meta.url);",
};
const shared = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  sourcemap: 'linked',
  logLevel: 'warning',
  legalComments: 'none',
};
const nodeModule = { ...shared, platform: 'node', format: 'esm', target: NODE_TARGET, banner: requireBanner };

/** The targets and what each is made of. */
const targets = [
  { entry: 'engine/main.ts', options: { ...nodeModule, outfile: 'dist/engine/main.js' } },
  { entry: 'electron/cli/main.ts', options: { ...nodeModule, outfile: 'dist/cli/muster.js' } },
  { entry: 'electron/app/main.ts', options: { ...nodeModule, external: ['electron'], outfile: 'dist/app/main.js' } },
  {
    entry: 'electron/app/preload.ts',
    options: {
      ...shared,
      platform: 'node',
      format: 'cjs',
      target: NODE_TARGET,
      external: ['electron'],
      outfile: 'dist/app/preload.cjs',
    },
  },
  {
    entry: 'renderer/main.tsx',
    options: {
      ...shared,
      platform: 'browser',
      format: 'esm',
      target: PAGE_TARGET,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.svg': 'dataurl', '.woff2': 'dataurl' },
      outfile: 'dist/renderer/main.js',
    },
  },
];
const copies = [{ from: 'renderer/index.html', to: 'dist/renderer/index.html' }];

function say(text) {
  if (!quiet) console.error(text);
}

/** Readers of `dist` never see half a file. */
function writeWhole(file, contents) {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}

/** The generator does nothing when its output was made from the same inputs. */
function generateProto() {
  const script = path.join(root, 'scripts', 'proto.mjs');
  const run = spawnSync(process.execPath, [script], { cwd: root, stdio: ['ignore', 2, 2] });
  if (run.status !== 0) throw new Error(`scripts/proto.mjs ended with ${run.status ?? run.signal}`);
}

async function buildTarget({ entry, options }) {
  if (!existsSync(path.join(root, entry))) {
    if (!allowMissing) throw new Error(`entry point ${entry} is missing`);
    say(`build: no ${entry} yet, skipped`);
    return false;
  }
  const result = await esbuild({ ...options, entryPoints: [entry] });
  for (const file of result.outputFiles) writeWhole(file.path, file.contents);
  return true;
}

/** The holder writes its pid just after making the folder: a young lock without pid counts as held. */
function lockHolderLives() {
  try {
    const holder = path.join(lock, 'pid');
    if (!existsSync(holder)) return Date.now() - statSync(lock).mtimeMs < PID_WRITE_MS_MAX;
    process.kill(Number(readFileSync(holder, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

/** Takes the build lock; a dead holder's lock is broken. */
async function takeLock() {
  mkdirSync(dist, { recursive: true });
  const giveUpAt = Date.now() + LOCK_WAIT_MS_MAX;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(path.join(lock, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!lockHolderLives()) rmSync(lock, { recursive: true, force: true });
      else if (Date.now() > giveUpAt)
        throw new Error(`another build holds ${lock} for more than ${LOCK_WAIT_MS_MAX / 1000} s`);
      else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    }
  }
}

async function main() {
  const startedAt = Date.now();
  if (!force && builtFingerprint() === fingerprint()) return say('build: up to date');
  await takeLock();
  try {
    const present = fingerprint();
    if (!force && builtFingerprint() === present) return say('build: up to date');
    generateProto();
    const outcomes = await Promise.allSettled(targets.map(buildTarget));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length > 0) throw failures[0].reason;
    for (const { from, to } of copies) {
      if (existsSync(path.join(root, from))) writeWhole(path.join(root, to), readFileSync(path.join(root, from)));
      else if (!allowMissing) throw new Error(`${from} is missing`);
    }
    // In a package the engine lies outside the archive, where no other package.json says what its files are.
    writeWhole(path.join(dist, 'engine', 'package.json'), '{ "type": "module" }\n');
    writeIcons(path.join(dist, 'icons'));
    const complete = outcomes.every((outcome) => outcome.value);
    if (complete) writeWhole(stampFile, JSON.stringify({ fingerprint: present }));
    say(`build: ${complete ? 'done' : 'done in part'} in ${Date.now() - startedAt} ms`);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`build: ${error.message ?? error}`);
  process.exit(1);
});
