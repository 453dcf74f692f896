// Where the parts of an installation lie, from sources and in a package. Entry points: `builtEngine`, `ownCommand`, `commandOf`.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** A package has its code in an archive. No process can be started out of it, so the engine lies in the folder beside it. */
const ARCHIVE = 'app.asar';
const BESIDE = 'app.asar.unpacked';

/** The engine of the installation with this root: the folder of the sources, or the archive. */
export function builtEngine(root: string): string {
  const folder = path.basename(root) === ARCHIVE ? path.join(path.dirname(root), BESIDE) : root;
  return path.join(folder, 'dist', 'engine', 'main.js');
}

export interface OwnCommand {
  readonly kind: 'sources' | 'package';
  /** What a link `muster` leads to; it may be called through any number of links. */
  readonly file: string;
  /** Of the sources, or of the resources of the package. */
  readonly root: string;
}

/** The command line of the installation that this engine belongs to. */
export function ownCommand(enginePath: string, platform: NodeJS.Platform = process.platform): OwnCommand {
  const root = path.resolve(path.dirname(enginePath), '..', '..');
  if (path.basename(root) !== BESIDE) {
    return { kind: 'sources', file: path.join(root, 'scripts', 'muster.mjs'), root };
  }
  const resources = path.dirname(root);
  const name = platform === 'win32' ? 'muster.cmd' : 'muster';
  return { kind: 'package', file: path.join(resources, 'bin', name), root: resources };
}

/** How a user calls the command line of the installation that this engine belongs to; from sources in their folder. */
export function commandOf(
  enginePath: string,
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const { kind, file } = ownCommand(enginePath, platform);
  const found = musterOnPath(environment);
  if (found !== null && leadsTo(found, file)) return 'muster';
  if (kind === 'sources') return 'npx muster';
  return file.includes(' ') ? `"${file}"` : file;
}

/** What a terminal with this PATH starts for `muster`; null: nothing. */
export function musterOnPath(environment: NodeJS.ProcessEnv): string | null {
  for (const folder of foldersOnPath(environment)) {
    const file = path.join(folder, 'muster');
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // The next folder, as a shell does.
    }
  }
  return null;
}

export const foldersOnPath = (environment: NodeJS.ProcessEnv): readonly string[] =>
  (environment['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));

/** Both are there, and the same file in the end. */
export function leadsTo(link: string, file: string): boolean {
  try {
    return realpathSync(link) === realpathSync(file);
  } catch {
    return false;
  }
}
