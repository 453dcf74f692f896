// Commands for clusters as files: part of the table in keys.ts.
import { named } from '../electron/contract/command-words.ts';
import { openDialog } from './actions.ts';
import type { Command } from './keys.ts';
import { connected, view } from './store.ts';

export const fileCommands: readonly Command[] = [
  {
    ...named('import'),
    scope: 'anywhere',
    available: () => connected.value || 'No connection to the launcher',
    run: () => openDialog('import'),
  },
  {
    ...named('files'),
    scope: 'anywhere',
    available: () => view.value !== null || 'No cluster is open',
    run: () => openDialog('files'),
  },
];
