// The Go program of `go/`: for its test, and as the load of `bench/appends.ts`.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';

const BUILD_MS_MAX = 400_000;
const source = path.join(root, 'test', 'compat', 'go');
export const goClient = path.join(root, '.cache', 'go-client', 'client');

/** Needs Go on the path. */
export async function buildGoClient(): Promise<void> {
  mkdirSync(path.dirname(goClient), { recursive: true });
  const args = ['build', '-buildvcs=false', '-mod=readonly', '-o', goClient, '.'];
  const result = await run('go', args, { cwd: source, timeoutMs: BUILD_MS_MAX });
  if (result.code !== 0) throw new Error(`go build failed:\n${result.stdout}\n${result.stderr}`);
}
