// Which files a build is made of, and whether `dist` is made of the present ones. Used on every start of `muster`: stat calls only.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const stampFile = path.join(root, 'dist', 'build.json');

const SOURCE_FOLDERS = ['engine', 'electron', 'renderer'];
const SOURCE_FILES = [
  'package.json',
  'scripts/build.mjs',
  'scripts/sources.mjs',
  'scripts/proto.mjs',
  'scripts/icon.mjs',
];
const SOURCE_ENDINGS = ['.ts', '.tsx', '.css', '.html', '.proto', '.svg'];
/** Generated from .proto files, so not a source. */
const GENERATED = path.join('engine', 'proto', 'gen');

function collect(folder, found) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const relative = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (relative !== GENERATED && entry.name !== 'node_modules') collect(relative, found);
    } else if (SOURCE_ENDINGS.includes(path.extname(entry.name))) {
      found.push(relative);
    }
  }
}

/** One string that changes when any source is added, removed or written. */
export function fingerprint() {
  const files = [];
  for (const folder of SOURCE_FOLDERS) if (existsSync(path.join(root, folder))) collect(folder, files);
  files.push(...SOURCE_FILES.filter((file) => existsSync(path.join(root, file))));
  return files
    .sort()
    .map((file) => {
      const { size, mtimeMs } = statSync(path.join(root, file));
      return `${file}:${size}:${mtimeMs}`;
    })
    .join('\n');
}

/** The fingerprint that `dist` was built from, or null when there is no complete build. */
export function builtFingerprint() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8')).fingerprint;
  } catch {
    return null;
  }
}

/** True when every dependency that the lock file asks for was installed by npm from that lock file. */
export function installed() {
  const marker = path.join(root, 'node_modules', '.package-lock.json');
  return (
    existsSync(marker) &&
    statSync(marker).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs - LOCK_SLACK_MS
  );
}

/** A checkout may write the lock file a moment after npm looked at it. */
const LOCK_SLACK_MS = 1000;

/** Node 24 from the npm registry where it is installed and the running Node is older than 22; else the running one (decision 17). */
export function preferredNode() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const pinned = path.join(root, 'node_modules', '.bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}
