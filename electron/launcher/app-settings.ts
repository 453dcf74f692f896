// Settings of the app, kept in the workspace as `settings.json`. Entry points: `readSettings`, `changeSettings`.
import path from 'node:path';
import { closeWindowOf } from '../contract/check-manage.ts';
import type { AppSettings } from '../contract/manage.ts';
import { launcherError, messageOf } from './errors.ts';
import { readJson, writeJsonAtomic } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const FILE = 'settings.json';
const standard: AppSettings = { closeWindow: 'quit' };

/** A value that is missing, broken or unknown to this version is the standard one. */
export async function readSettings(workspace: Workspace): Promise<AppSettings> {
  try {
    const kept = (await readJson(path.join(workspace.dir, FILE))) as Partial<AppSettings> | null;
    return { closeWindow: closeWindowOf(kept?.closeWindow, 'closeWindow') };
  } catch {
    return standard;
  }
}

/** Fails with WORKSPACE_UNUSABLE. */
export async function changeSettings(workspace: Workspace, change: Partial<AppSettings>): Promise<AppSettings> {
  const next = { ...(await readSettings(workspace)), ...change };
  try {
    await workspace.prepare();
    await writeJsonAtomic(path.join(workspace.dir, FILE), next);
  } catch (error) {
    throw launcherError('WORKSPACE_UNUSABLE', 'The settings were not saved.', messageOf(error), [
      'Make the folder writable, or make room.',
    ]);
  }
  return next;
}
