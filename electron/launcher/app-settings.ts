// Settings of the app, kept in the workspace as `settings.json`. The hosting process alone writes them; others read the file.
// What cannot be used is told, kept aside, and counts as the standard value. Entry point: `openSettings`.
import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { settingNames, settingRules } from '../contract/check-settings.ts';
import type { LauncherErrorData } from '../contract/model.ts';
import { type AppSettings, type SettingsView, standardSettings } from '../contract/settings.ts';
import { errnoOf, errorData, launcherError, messageOf } from './errors.ts';
import { writeJsonAtomic } from './workspace.ts';
import type { Workspace } from './workspace.ts';

export const SETTINGS_FILE = 'settings.json';
/** The newest file that could not be used. */
export const SETTINGS_ASIDE = 'settings.broken.json';

export interface Settings {
  readonly view: SettingsView;
  /** Fails with WORKSPACE_UNUSABLE; then nothing is changed. */
  change(change: Partial<AppSettings>): Promise<SettingsView>;
}

interface Kept {
  readonly settings: AppSettings;
  /** Keys of another version, written back as they are. */
  readonly foreign: Readonly<Record<string, unknown>>;
  readonly problem: LauncherErrorData | null;
}

/** `owner`: this process hosts the workspace and may keep a broken file aside. Never fails for what is in the file. */
export async function openSettings(workspace: Workspace, owner: boolean): Promise<Settings> {
  const file = path.join(workspace.dir, SETTINGS_FILE);
  let kept = await readKept(file);
  if (kept.problem !== null && owner)
    await copyFile(file, path.join(workspace.dir, SETTINGS_ASIDE)).catch(() => undefined);
  const viewOf = ({ settings, problem }: Kept): SettingsView =>
    problem === null ? settings : { ...settings, problem };
  return {
    get view() {
      return viewOf(kept);
    },
    async change(change) {
      const settings = { ...kept.settings, ...change };
      try {
        await workspace.prepare();
        await writeJsonAtomic(file, { ...kept.foreign, ...settings });
      } catch (error) {
        throw launcherError('WORKSPACE_UNUSABLE', 'The settings were not saved.', messageOf(error), [
          'Make the folder writable, or make room.',
        ]);
      }
      kept = { ...kept, settings, problem: null };
      return viewOf(kept);
    },
  };
}

async function readKept(file: string): Promise<Kept> {
  const aside = path.join(path.dirname(file), SETTINGS_ASIDE);
  const broken = (why: string, settings = standardSettings, foreign = {}): Kept => ({
    settings,
    foreign,
    problem: errorData(
      launcherError('SETTINGS_BROKEN', `The settings in ${file} cannot be used.`, why, [
        `The file is kept as ${aside} once Muster hosts this folder.`,
        'Choose the settings again: that writes a new file.',
      ]),
    ),
  });
  let record: Readonly<Record<string, unknown>>;
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return broken('It holds no object. The standard settings are in force.');
    }
    record = value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { settings: standardSettings, foreign: {}, problem: null };
    return broken(`${messageOf(error)}. The standard settings are in force.`);
  }
  const foreign = Object.fromEntries(Object.entries(record).filter(([key]) => !(key in settingRules)));
  const wrong: string[] = [];
  const good = settingNames.flatMap((name) => {
    if (record[name] === undefined) return [];
    try {
      return [[name, settingRules[name](record[name], name)] as const];
    } catch (error) {
      wrong.push(`${name}: ${errorData(error).why}`);
      return [];
    }
  });
  const settings: AppSettings = { ...standardSettings, ...Object.fromEntries(good) };
  return wrong.length === 0
    ? { settings, foreign, problem: null }
    : broken(`${wrong.join(' ')} There the standard value is in force.`, settings, foreign);
}
