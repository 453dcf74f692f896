// The commands of the window by name and key, once: menu, palette, tooltips and help all read it (ux.md §14). What they do is in
// renderer/keys.ts. Imports nobody. Entry points: `commandWords`, `acceleratorOf`.

export interface CommandWords {
  readonly label: string;
  /** `Ctrl` stands for ⌘ on a Mac. null = no key. */
  readonly keys: string | null;
}

export const commandWords = {
  clusters: { label: 'All clusters', keys: null },
  palette: { label: 'Command palette', keys: 'Ctrl+K' },
  help: { label: 'Keyboard help', keys: 'F1' },
  new: { label: 'New cluster…', keys: 'Ctrl+N' },
  tour: { label: 'Five-minute tour', keys: null },
  dock: { label: 'Show or hide the dock', keys: 'Ctrl+J' },
  connect: { label: 'Connect an app', keys: 'Ctrl+Shift+C' },
  timeline: { label: 'Timeline', keys: null },
  'logs-all': { label: 'Logs of all nodes', keys: null },
  'start-cluster': { label: 'Start the cluster', keys: null },
  'stop-cluster': { label: 'Stop the cluster', keys: null },
  start: { label: 'Start or stop the node', keys: 'S' },
  kill: { label: 'Kill the node', keys: 'K' },
  freeze: { label: 'Freeze or resume the node', keys: 'F' },
  logs: { label: 'Logs of the node', keys: 'L' },
  copy: { label: 'Copy the gRPC address', keys: 'C' },
  'kill-leader': { label: 'Kill the leader of the shown context', keys: 'Shift+K' },
  links: { label: 'Links and partitions…', keys: 'P' },
  heal: { label: 'Heal all faults', keys: 'Shift+H' },
  'previous-context': { label: 'Previous context', keys: '[' },
  'next-context': { label: 'Next context', keys: ']' },
  earlier: { label: 'Previous event of the timeline', keys: ',' },
  later: { label: 'Next event of the timeline', keys: '.' },
  now: { label: 'Back to now', keys: 'End' },
  first: { label: 'Oldest recorded moment', keys: 'Home' },
  'pan-earlier': { label: 'Move the shown time of the timeline back', keys: 'ArrowLeft' },
  'pan-later': { label: 'Move the shown time of the timeline on', keys: 'ArrowRight' },
  'zoom-in': { label: 'Show a shorter time of the timeline', keys: '+' },
  'zoom-out': { label: 'Show a longer time of the timeline', keys: '-' },
  search: { label: 'Search in the focused pane, else in the log', keys: '/' },
  import: { label: 'Import a cluster…', keys: null },
  files: { label: 'Files: export, diagnostics bundle…', keys: null },
  settings: { label: 'Settings', keys: null },
  diagnostics: { label: 'Diagnostics', keys: null },
} as const satisfies Readonly<Record<string, CommandWords>>;

export type CommandId = keyof typeof commandWords;

export const named = <I extends CommandId>(id: I): CommandWords & { readonly id: I } => ({ id, ...commandWords[id] });

/** As Electron's menu writes keys; undefined for a command without, or with a key that is none in a menu. */
export function acceleratorOf(id: CommandId): string | undefined {
  const { keys }: CommandWords = commandWords[id];
  return keys === null || !/^(Ctrl\+|F\d)/.test(keys) ? undefined : keys.replace('Ctrl+', 'CmdOrCtrl+');
}
