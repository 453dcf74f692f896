// The dialogs of the window by name; at most one is open. Types only.
import type { LinkPurpose } from './link-staging.ts';

export type DialogName =
  | LinkPurpose
  | 'palette'
  | 'help'
  | 'create'
  | 'remove'
  | 'files'
  | 'import'
  | 'remove-node'
  | 'slow-disk'
  | 'skew-clock'
  | 'ports';
