// A workspace for tests of the command line, new for each test and empty of engines after it. Entry point: `eachInCliWorkspace`.
import { afterAll, afterEach, beforeEach, vi } from 'vitest';
import { cli, freeFirstPort, processesWith, removeCliBundle, removeDir, temporaryDir, until } from './support.ts';

export interface CliWorkspace {
  /** `MUSTER_HOME` of the present test. */
  readonly home: string;
  /** Of a block of ports that was free when the test began. */
  readonly firstPort: string;
}

/** Calls `begin` before each test of the file; stops the clusters of these names after it. */
export function eachInCliWorkspace(names: readonly string[], begin: (workspace: CliWorkspace) => void): void {
  // Each command is a process of its own; on a loaded machine each takes a second.
  vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });
  let home = '';
  beforeEach(async () => {
    home = await temporaryDir();
    begin({ home, firstPort: String(await freeFirstPort()) });
  });
  afterEach(async () => {
    for (const name of names) await cli(home, 'down', name);
    await until('no engine left', async () => (await processesWith(home)).length === 0);
    await removeDir(home);
  });
  afterAll(removeCliBundle);
}
