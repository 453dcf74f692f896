// Electron's fuses: switches in its binary that a package sets once. `readFuses` tells them all, `setFuse` writes one.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const WIRE_VERSION = 1;
const READ_BYTES = 1 << 26;
/** In the order of the wire; named as electron-builder's `electronFuses` names them. Newer Electrons append. */
export const FUSE_NAMES = [
  'runAsNode',
  'enableCookieEncryption',
  'enableNodeOptionsEnvironmentVariable',
  'enableNodeCliInspectArguments',
  'enableEmbeddedAsarIntegrityValidation',
  'onlyLoadAppFromAsar',
  'loadBrowserProcessSpecificV8Snapshot',
  'grantFileProtocolExtraPrivileges',
];

/** Runs `work` with the open file, its bytes and the place of the first fuse. */
function withWire(binary, flags, work) {
  const file = openSync(binary, flags);
  try {
    const bytes = Buffer.alloc(fstatSync(file).size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (read === 0) throw new Error(`${binary} became shorter while it was read`);
      at += read;
    }
    const found = bytes.indexOf(SENTINEL);
    const wire = found + SENTINEL.length;
    if (found < 0 || bytes[wire] !== WIRE_VERSION || bytes[wire + 1] < FUSE_NAMES.length)
      throw new Error(`no fuse wire found in ${binary}`);
    return work(file, bytes, wire + 2);
  } finally {
    closeSync(file);
  }
}

/** Name → on; a fuse that the binary no longer has is absent. */
export function readFuses(binary) {
  return withWire(binary, 'r', (_file, bytes, first) =>
    Object.fromEntries(
      FUSE_NAMES.map((name, position) => [name, String.fromCharCode(bytes[first + position])])
        .filter(([, state]) => state === '0' || state === '1')
        .map(([name, state]) => [name, state === '1']),
    ),
  );
}

export function setFuse(binary, name, on) {
  const position = FUSE_NAMES.indexOf(name);
  if (position < 0) throw new Error(`no fuse is called ${name}`);
  withWire(binary, 'r+', (file, _bytes, first) => writeSync(file, Buffer.from(on ? '1' : '0'), 0, 1, first + position));
}
