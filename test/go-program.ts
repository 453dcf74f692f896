// Builds a small Go program of the tests when Go is here. With CI=true a program that cannot be had is an error, elsewhere a
// reason to skip.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BUILD_MS_MAX = 300_000;

export interface GoProgram {
  /** Null: it cannot be had here. */
  readonly binary: string | null;
  readonly missing: string | null;
}

/** `source`: a folder with its go.mod; `name`: of the program, in words for people as well. */
export function goProgram(source: string, name: string): GoProgram {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const binary = path.join(root, '.cache', 'go-programs', file);
  const missing = spawnSync('go', ['version']).status === 0 ? build(source, binary) : 'Go is not installed';
  if (missing === null) return { binary, missing: null };
  if (process.env['CI'] === 'true') throw new Error(`${name} is needed in CI: ${missing}`);
  return { binary: null, missing };
}

/** Null, or what the Go tool printed. */
function build(source: string, binary: string): string | null {
  mkdirSync(path.dirname(binary), { recursive: true });
  const run = spawnSync('go', ['build', '-buildvcs=false', '-o', binary, '.'], {
    cwd: source,
    encoding: 'utf8',
    timeout: BUILD_MS_MAX,
  });
  return run.status === 0 ? null : `go build failed: ${run.stderr || String(run.error)}`;
}
