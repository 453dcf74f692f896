// The screens beside the clusters, as commands. Part of the table of keys.ts.
import { type CommandId, named } from '../electron/contract/command-words.ts';
import type { Command } from './keys.ts';
import { type Destination, go } from './store.ts';

const screen = (id: CommandId, to: Destination): Command => ({
  ...named(id),
  scope: 'anywhere',
  available: () => true,
  run: () => go(to),
});

export const screenCommands: readonly Command[] = [
  screen('clusters', { screen: 'start' }),
  screen('settings', { screen: 'settings' }),
  screen('diagnostics', { screen: 'diagnostics' }),
];
