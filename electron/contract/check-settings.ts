// The rule of every setting, for calls and for the file on disk. Entry points: `settingRules`, `settingsChangeOf`.
import { FIRST_PORT_MAX, FIRST_PORT_MIN, integerOf, oneOf, type Parse, recordOf } from './check-parts.ts';
import type { AppSettings } from './settings.ts';

const PORT_MAX = 65_535;
/** Below are ports of the system. */
const CONTROL_PORT_MIN = 1024;

const portOf = integerOf(CONTROL_PORT_MIN, PORT_MAX);

export const settingRules: { readonly [K in keyof AppSettings]: Parse<AppSettings[K]> } = {
  closeWindow: oneOf(['quit', 'tray']),
  clock: oneOf(['24h', '12h']),
  zone: oneOf(['local', 'utc']),
  ages: oneOf(['relative', 'time']),
  theme: oneOf(['system', 'light', 'dark', 'contrast']),
  density: oneOf(['compact', 'comfortable']),
  motion: oneOf(['system', 'reduced']),
  letterKeys: oneOf(['on', 'off']),
  hints: oneOf(['on', 'off']),
  firstPort: integerOf(FIRST_PORT_MIN, FIRST_PORT_MAX),
  controlPort: (value, where) => (value === 'off' || value === 0 ? value : portOf(value, where)),
};

export const settingNames = Object.keys(settingRules) as readonly (keyof AppSettings)[];

/** The control port has a call of its own, which opens and closes it. */
const changeable = settingNames.filter((name) => name !== 'controlPort');

/** Throws LauncherError BAD_ARGUMENT. */
export const settingsChangeOf: Parse<Partial<Omit<AppSettings, 'controlPort'>>> = (value, where) => {
  const record = recordOf(value, where, changeable);
  return Object.fromEntries(
    changeable
      .filter((name) => record[name] !== undefined)
      .map((name) => [name, settingRules[name](record[name], `${where}.${name}`)]),
  );
};
