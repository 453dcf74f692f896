// What every window, browser and command shares (ux.md §13); kept in the workspace by launcher/app-settings.ts. No logic.
import type { LauncherErrorData } from './model.ts';

/** How times are told to people. Files, JSON and copied reports keep ISO times. */
export interface TimeFormat {
  readonly clock: '24h' | '12h';
  readonly zone: 'local' | 'utc';
  /** How old something is: as a span ("4 min ago") or as the time itself. */
  readonly ages: 'relative' | 'time';
}

/** How every window looks and takes keys. */
export interface Look {
  readonly theme: 'system' | 'light' | 'dark' | 'contrast';
  readonly density: 'compact' | 'comfortable';
  /** `reduced`: nothing moves, whatever the system says. */
  readonly motion: 'system' | 'reduced';
  /** WCAG 2.1.4: keys without a modifier can be switched off. */
  readonly letterKeys: 'on' | 'off';
}

export interface AppSettings extends TimeFormat, Look {
  /** What closing the desktop window does: stop the clusters and quit, or leave them running behind the tray icon. */
  readonly closeWindow: 'quit' | 'tray';
  /** One-time hints in the window; off by itself once what they are about was done. */
  readonly hints: 'on' | 'off';
  /** HTTP port of node-1 of the first new cluster; others get the next free blocks of ten (decision 11). */
  readonly firstPort: number;
  /** Where the desktop app and `muster serve` listen for browsers and commands: a port, 0 = any free one, or nowhere. */
  readonly controlPort: 'off' | number;
}

export const standardSettings: AppSettings = {
  closeWindow: 'quit',
  clock: '24h',
  zone: 'local',
  ages: 'relative',
  theme: 'system',
  density: 'compact',
  motion: 'system',
  letterKeys: 'on',
  hints: 'on',
  firstPort: 8024,
  controlPort: 0,
};

export interface SettingsView extends AppSettings {
  /** Why the file is not used, or not all of it; until the next change. Absent: it is well. */
  readonly problem?: LauncherErrorData;
}
