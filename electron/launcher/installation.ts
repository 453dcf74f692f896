// Where the parts of an installation lie, from sources and in a package. Entry points: `builtEngine`, `commandOf`.
import { realpathSync } from 'node:fs';
import path from 'node:path';

/** A package has its code in an archive. No process can be started out of it, so the engine lies in the folder beside it. */
const ARCHIVE = 'app.asar';
const BESIDE = 'app.asar.unpacked';
/** Where the deb puts a link to the command. */
const LINKED = '/usr/bin/muster';

/** The engine of the installation with this root: the folder of the sources, or the archive. */
export function builtEngine(root: string): string {
  const folder = path.basename(root) === ARCHIVE ? path.join(path.dirname(root), BESIDE) : root;
  return path.join(folder, 'dist', 'engine', 'main.js');
}

/** How a user calls the command line of the installation that this engine belongs to; from sources in their folder. */
export function commandOf(enginePath: string, platform: NodeJS.Platform = process.platform): string {
  const root = path.resolve(path.dirname(enginePath), '..', '..');
  if (path.basename(root) !== BESIDE) return 'npx muster';
  const own = path.join(path.dirname(root), 'bin', platform === 'win32' ? 'muster.cmd' : 'muster');
  if (leadsTo(LINKED, own)) return 'muster';
  return own.includes(' ') ? `"${own}"` : own;
}

function leadsTo(link: string, file: string): boolean {
  try {
    return realpathSync(link) === realpathSync(file);
  } catch {
    return false;
  }
}
