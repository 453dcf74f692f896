// Commands for clusters as files: part of the table in keys.ts.
import { openDialog } from './actions.ts';
import type { Command } from './keys.ts';
import { connected, view } from './store.ts';

export const fileCommands: readonly Command[] = [
  {
    id: 'import',
    label: 'Import a cluster…',
    keys: null,
    scope: 'anywhere',
    available: () => connected.value || 'No connection to the launcher',
    run: () => openDialog('import'),
  },
  {
    id: 'files',
    label: 'Files: export, diagnostics bundle…',
    keys: null,
    scope: 'anywhere',
    available: () => view.value !== null || 'No cluster is open',
    run: () => openDialog('files'),
  },
];
