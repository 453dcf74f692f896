// How every window looks and takes keys (ux.md §13), applied to the document. The launcher keeps it; the page came with it (first-paint.ts).
import { computed, effect } from '@preact/signals';
import { settingRules } from '../electron/contract/check-settings.ts';
import { type Look, standardSettings } from '../electron/contract/settings.ts';
import { settings } from './settings.ts';

/** Until the launcher has told the settings, and where it cannot: as the page came. */
const arrived = lookOf(document.documentElement.dataset);

export const preferences = computed<Look>(() => settings.value ?? arrived);

function lookOf(given: DOMStringMap): Look {
  const pick = <K extends keyof Look>(name: K): Look[K] => {
    try {
      return settingRules[name](given[name], name);
    } catch {
      return standardSettings[name];
    }
  };
  return { theme: pick('theme'), density: pick('density'), motion: pick('motion'), letterKeys: pick('letterKeys') };
}

/** Call once: the document follows the settings from then on. */
export function bindPreferences(): void {
  effect(() => {
    const { theme, density, motion } = preferences.value;
    Object.assign(document.documentElement.dataset, { theme, density, motion });
  });
}
