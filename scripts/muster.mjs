#!/usr/bin/env node
// The `muster` command: makes sure that dependencies and a current build exist, then hands over to dist/cli/muster.js.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtFingerprint, fingerprint, installed, preferredNode, root } from './sources.mjs';

const CHILD_MARK = 'MUSTER_LIFELINE_FD';
const LIFELINE_FD = 3;
const cli = path.join(root, 'dist', 'cli', 'muster.js');

async function prepare() {
  if (!installed()) (await import('./install.mjs')).installIfNeeded();
  if (existsSync(cli) && builtFingerprint() === fingerprint()) return;
  const run = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs'), '--quiet'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) throw new Error('the build failed, see above');
}

/** Runs this file again under a newer Node. A closed lifeline tells that process that this one is gone, however it went. */
function handOver(node) {
  const child = spawn(node, [process.argv[1], ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [CHILD_MARK]: String(LIFELINE_FD) },
  });
  const onTerminal = Boolean(process.stdin.isTTY);
  // A terminal sends Ctrl-C to both processes; passing it on would count as the second, forceful one.
  process.on('SIGINT', () => onTerminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(error));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

function watchLifeline() {
  const fd = Number(process.env[CHILD_MARK]);
  delete process.env[CHILD_MARK];
  const lifeline = new Socket({ fd, readable: true, writable: false });
  const onGone = () => process.kill(process.pid, 'SIGTERM');
  lifeline.on('end', onGone).on('error', onGone).resume();
  lifeline.unref();
}

function fail(error) {
  console.error(`muster: ${error.message ?? error}`);
  process.exit(1);
}

try {
  if (process.env[CHILD_MARK] !== undefined) {
    watchLifeline();
    await import(pathToFileURL(cli).href);
  } else {
    await prepare();
    const node = preferredNode();
    if (node === process.execPath) await import(pathToFileURL(cli).href);
    else handOver(node);
  }
} catch (error) {
  fail(error);
}
