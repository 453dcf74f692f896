// The settings that every window shares, as the launcher tells them. Written by store.ts only.
import { computed, signal } from '@preact/signals';
import { type SettingsView, standardSettings, type TimeFormat } from '../electron/contract/settings.ts';

/** null = not known yet. */
export const settings = signal<SettingsView | null>(null);

/** Times are drawn from this, so that every place follows a change at once. */
export const timeFormat = computed<TimeFormat>(() => settings.value ?? standardSettings);
