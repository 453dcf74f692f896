// The packaged app, as a user meets it: sizes, and from the first launch to three healthy nodes, with "Start" clicked as soon as it is there.
// Run: npm run bench -- first-launch [--runs=5]. Linux x64 with Xvfb; the Electron is that of the window tests (decision 21).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setFuse } from '../scripts/fuses.mjs';
import { appEnded, desktopMissing, launchDesktop, openDisplay } from '../test/e2e/desktop.ts';
import { newWorkspace } from '../test/e2e/real-launcher.ts';
import { distribution, option, report, rounded } from './report.ts';

const RUNS = Number(option('runs', '5'));
const MIB = 2 ** 20;

const sizeOf = (file: string): number => rounded(statSync(file).size / MIB);

/** The deb, and the app out of it: it lies outside the sources, as an installed one. */
function unpack(folder: string): { readonly deb: string; readonly home: string } {
  const script = ['scripts/package.mjs', '--test-electron', 'deb'];
  const made = execFileSync(process.execPath, script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const deb = made.trim().split('\n').at(-1) ?? '';
  execFileSync('dpkg-deb', ['--extract', deb, folder]);
  return { deb, home: path.join(folder, 'opt/Muster') };
}

async function firstLaunch(executable: string, display: string): Promise<{ shown: number; healthy: number }> {
  const workspace = newWorkspace();
  try {
    const begun = performance.now();
    const { application, page } = await launchDesktop({ executable, args: [] }, workspace, display);
    const start = page.getByRole('button', { name: 'Start a 3-node cluster' });
    await start.waitFor();
    const shown = performance.now() - begun;
    await start.click();
    await page.locator('[data-headline="healthy"]').waitFor();
    const healthy = performance.now() - begun;
    const ended = appEnded(application);
    await application.evaluate(({ app }) => app.quit());
    await ended;
    return { shown, healthy };
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

const missing = desktopMissing();
if (missing !== null) throw new Error(missing);
const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-first-launch-'));
const { display, server } = await openDisplay();
try {
  const { deb, home } = unpack(folder);
  const executable = path.join(home, 'muster');
  // For the driver: shipped packages cannot be inspected.
  setFuse(executable, 'enableNodeCliInspectArguments', true);
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await firstLaunch(executable, display));
  const installed = Number(execFileSync('dpkg-deb', ['--field', deb, 'Installed-Size'], { encoding: 'utf8' })) / 1024;
  report(
    'first-launch',
    [
      { what: 'start screen shown, ms', ...distribution(runs.map((run) => run.shown)) },
      { what: 'three nodes healthy, ms', ...distribution(runs.map((run) => run.healthy)) },
    ],
    [
      `deb (packed quickly) ${sizeOf(deb)} MiB, installed ${rounded(installed)} MiB`,
      `of it our own: app.asar ${sizeOf(path.join(home, 'resources/app.asar'))} MiB, engine ${sizeOf(path.join(home, 'resources/app.asar.unpacked/dist/engine/main.js'))} MiB`,
      'each run in a new workspace; files of the app are in the page cache after the first',
    ],
  );
} finally {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
}
