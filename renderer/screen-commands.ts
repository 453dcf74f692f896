// The screens beside the clusters, as commands. Part of the table of keys.ts.
import type { Command } from './keys.ts';
import { type Destination, go } from './store.ts';

const screen = (id: string, label: string, to: Destination): Command => ({
  id,
  label,
  keys: null,
  scope: 'anywhere',
  available: () => true,
  run: () => go(to),
});

export const screenCommands: readonly Command[] = [
  screen('clusters', 'All clusters', { screen: 'start' }),
  screen('settings', 'Settings', { screen: 'settings' }),
  screen('diagnostics', 'Diagnostics', { screen: 'diagnostics' }),
];
