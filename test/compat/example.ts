// The examples of docs/examples, run as their README says: with the command line of this checkout, in a workspace of their own.
import path from 'node:path';
import { type CommandResult, run, Workspace } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';

const RUN_MS_MAX = 400_000;

/** What it printed, and the clusters it left in its workspace. */
export async function runExample(
  folder: string,
  command: string,
  args: readonly string[],
): Promise<{ readonly result: CommandResult; readonly left: string }> {
  const workspace = new Workspace();
  try {
    const env = {
      ...process.env,
      MUSTER: `${process.execPath} ${path.join(root, 'scripts', 'muster.mjs')}`,
      MUSTER_HOME: workspace.home,
    };
    const cwd = path.join(root, 'docs', 'examples', folder);
    const result = await run(command, args, { cwd, env, timeoutMs: RUN_MS_MAX });
    return { result, left: await workspace.ok('ls', '--json') };
  } finally {
    await workspace.dispose();
  }
}
