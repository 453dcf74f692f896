// `npm start`: installs and builds what is missing, then opens the window, or, without a display or an Electron binary, serves the same
// page on loopback. Arguments are passed on.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { electronBinary, fetchElectron } from './electron-binary.mjs';
import { installIfNeeded } from './install.mjs';
import { root } from './sources.mjs';

const NODE_MAJOR_MIN = 20;
/** A window that fails this early never came up. */
const EARLY_EXIT_MS = 10_000;

function stop(text) {
  console.error(text);
  process.exit(1);
}

function hasDisplay() {
  if (process.platform === 'win32' || process.platform === 'darwin') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** Resolves with false when the window never came up. */
function openWindow(binary) {
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const startedAt = Date.now();
  const child = spawn(binary, [...(asRoot ? ['--no-sandbox'] : []), root, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('exit', (code) => {
      if (code !== 0 && Date.now() - startedAt < EARLY_EXIT_MS) resolve(false);
      else process.exit(code ?? 1);
    });
  });
}

async function serve(reason) {
  console.error(`${reason} Serving the same page to a browser instead.`);
  console.error('On the command line the same is: npx muster up dev --nodes 3   (npx muster --help lists the rest)');
  const muster = path.join(root, 'scripts', 'muster.mjs');
  process.argv.splice(1, 1, muster, 'serve');
  await import(pathToFileURL(muster).href);
}

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN)
  stop(`Muster needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}.`);
try {
  installIfNeeded();
} catch (error) {
  stop(`start: ${error.message}`);
}
const build = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (build.status !== 0) stop('start: the build failed, see above');

if (!hasDisplay()) await serve('No display here.');
else {
  if (electronBinary() === null && process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined) {
    console.error('Fetching the Electron binary (once). Without it Muster serves the same page to a browser …');
    const why = fetchElectron();
    if (why !== null) console.error(`The Electron binary cannot be fetched here (${why}).`);
  }
  const binary = electronBinary();
  if (binary === null) await serve('No Electron binary here.');
  else if (!(await openWindow(binary))) await serve('The window could not be opened.');
}
