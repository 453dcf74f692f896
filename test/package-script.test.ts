// What `npm run package` says where it cannot do what it is asked: the thing that is missing, and the next step.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** A developer's machine may have the binary: there a release would be built. */
const hasElectron = existsSync(path.join(root, 'node_modules/electron/path.txt'));

function packaging(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  // Nothing listens on port 1, so no test run fetches an Electron.
  const env = { ...process.env, ELECTRON_MIRROR: 'http://127.0.0.1:1/', ELECTRON_OVERRIDE_DIST_PATH: undefined };
  const run = spawnSync(process.execPath, ['scripts/package.mjs', ...args], { cwd: root, env, encoding: 'utf8' });
  return { status: run.status, said: run.stderr };
}

describe('npm run package', () => {
  it('names the targets of this system when asked for another', () => {
    const { status, said } = packaging('rpm');
    expect(status).toBe(1);
    expect(said).toMatch(/^package: no target rpm here\. npm run package -- /);
    expect(packaging('--test-electron', 'AppImage').said).toContain('--test-electron] deb');
  });

  it.skipIf(hasElectron)('without the Electron binary says where it comes from and what works without it', () => {
    const { status, said } = packaging();
    expect(status).toBe(1);
    expect(said).toContain('the binary of Electron 45');
    expect(said).toContain('ELECTRON_MIRROR');
    expect(said).toContain('npm run package -- --test-electron deb');
  });
});
