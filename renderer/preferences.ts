// How this window looks and behaves (ux.md §13): kept in this browser, applied to the document, never sent anywhere.
import { effect, signal } from '@preact/signals';

export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark' | 'contrast';
  readonly density: 'compact' | 'comfortable';
  readonly motion: 'system' | 'reduced';
  /** WCAG 2.1.4: keys without a modifier can be switched off. */
  readonly letterKeys: boolean;
}

const KEY = 'muster.preferences';
const standard: Preferences = { theme: 'system', density: 'compact', motion: 'system', letterKeys: true };
const choices = {
  theme: ['system', 'light', 'dark', 'contrast'],
  density: ['compact', 'comfortable'],
  motion: ['system', 'reduced'],
} as const;

export const preferences = signal<Preferences>(stored());

/** A kept value that this version does not know falls back to the standard. */
function stored(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Readonly<Record<string, unknown>>;
    const pick = <K extends keyof typeof choices>(key: K): Preferences[K] =>
      (choices[key] as readonly unknown[]).includes(kept[key]) ? (kept[key] as Preferences[K]) : standard[key];
    return {
      theme: pick('theme'),
      density: pick('density'),
      motion: pick('motion'),
      letterKeys: kept['letterKeys'] !== false,
    };
  } catch {
    return standard;
  }
}

export function prefer(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.peek(), ...change };
  localStorage.setItem(KEY, JSON.stringify(preferences.peek()));
}

/** Call once: the document follows the preferences from then on. */
export function bindPreferences(): void {
  effect(() => {
    const { theme, density, motion } = preferences.value;
    Object.assign(document.documentElement.dataset, { theme, density, motion });
  });
}
