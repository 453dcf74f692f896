// The Debian package, out of the unpacked app, with the dpkg-deb of the system: no tool has to be fetched. Entry points: `debMissing`,
// `makeDeb`. Menu, icons and caches are brought up to date by the triggers of the system's own packages, so it has no scripts.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PNG_SIZES } from './icon.mjs';
import { root } from './sources.mjs';

const HOME = 'opt/Muster';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
/** What Electron links or opens; the second names are those of releases with 64-bit times. */
const DEPENDS = [
  'libasound2 | libasound2t64',
  'libatspi2.0-0 | libatspi2.0-0t64',
  'libgbm1',
  'libgtk-3-0 | libgtk-3-0t64',
  'libnotify4',
  'libnss3',
  'libsecret-1-0',
  'xdg-utils',
];
const NOTICE = `Muster is licensed under the Apache License 2.0, below. It contains Electron (/${HOME}/LICENSE.electron.txt) and
Chromium (/${HOME}/LICENSES.chromium.html), each under its own licences.\n\n`;

/** Why no package can be made here, or null. */
export function debMissing() {
  return spawnSync('dpkg-deb', ['--version']).status === 0
    ? null
    : 'dpkg-deb is missing: install the package dpkg of your distribution.';
}

function write(folder, name, text) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Folders and programs 755, the rest 644, whatever the umask here was. Answers the size of all files in bytes. */
function settleModes(folder) {
  chmodSync(folder, 0o755);
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    const { mode, size } = lstatSync(file);
    if (entry.isDirectory()) bytes += settleModes(file);
    else if (entry.isFile()) {
      chmodSync(file, (mode & 0o111) === 0 ? 0o644 : 0o755);
      bytes += size;
    }
  }
  return bytes;
}

function control({ version, bytes }) {
  const { description, author } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return `${[
    'Package: muster',
    `Version: ${version}`,
    `Architecture: ${ARCHITECTURES[process.arch]}`,
    `Maintainer: ${author}`,
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    `Depends: ${DEPENDS.join(', ')}`,
    'Section: devel',
    'Priority: optional',
    `Description: ${description}`,
    ' Starts real server processes, shows who leads, who lags and why, and lets you stop, kill, freeze and cut off nodes',
    ' while an unmodified Axon Framework application is connected.',
  ].join('\n')}\n`;
}

/** `app`: the unpacked app; `quick`: little compression. Answers the path of the package in `out`. */
export function makeDeb({ app, out, version, quick }) {
  const stage = path.join(out, 'deb-unpacked');
  // A run that was ended may have left its own.
  rmSync(stage, { recursive: true, force: true });
  try {
    const home = path.join(stage, HOME);
    cpSync(app, home, { recursive: true });
    mkdirSync(path.join(stage, 'usr/bin'), { recursive: true });
    symlinkSync(`/${HOME}/resources/bin/muster`, path.join(stage, 'usr/bin/muster'));
    write(stage, 'usr/share/applications/muster.desktop', readFileSync(path.join(root, 'packaging/muster.desktop')));
    write(stage, 'usr/share/doc/muster/copyright', NOTICE + readFileSync(path.join(root, 'LICENSE'), 'utf8'));
    const icons = path.join(root, 'dist/icons');
    const hicolor = 'usr/share/icons/hicolor';
    for (const size of PNG_SIZES)
      write(
        stage,
        `${hicolor}/${size}x${size}/apps/muster.png`,
        readFileSync(path.join(icons, `png/${size}x${size}.png`)),
      );
    write(stage, `${hicolor}/scalable/apps/muster.svg`, readFileSync(path.join(icons, 'icon.svg')));
    const bytes = settleModes(stage);
    // Where users may not make namespaces (Ubuntu 24.04 and later), Chromium's sandbox needs root's rights to begin with.
    chmodSync(path.join(home, 'chrome-sandbox'), 0o4755);
    write(stage, 'DEBIAN/control', control({ version, bytes }));
    const file = path.join(out, `muster_${version}_${ARCHITECTURES[process.arch]}.deb`);
    const packing = quick ? ['-Zgzip', '-z1'] : ['-Zxz'];
    execFileSync('dpkg-deb', ['--root-owner-group', ...packing, '--build', stage, file], { stdio: ['ignore', 2, 2] });
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
