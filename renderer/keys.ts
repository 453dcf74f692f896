// What each command of the one table (command-words.ts) does, where and when: palette, help, tooltips, menu and key presses (ux.md §14).
// Keys without a modifier work only while a card, a panel or the dock has the focus (WCAG 2.1.4), never while typing.
import { named } from '../electron/contract/command-words.ts';
import type { NodeView } from '../electron/contract/model.ts';
import { fileCommands } from './file-commands.ts';
import { screenCommands } from './screen-commands.ts';
import {
  act,
  actionsFor,
  heal,
  killLeader,
  openDialog,
  showDock,
  showLogs,
  startCluster,
  stopCluster,
} from './actions.ts';
import { preferences } from './preferences.ts';
import { timelineCommands } from './timeline-keys.ts';
import { startTour } from './tour.ts';
import { commandsBlocked, connected, context, dialog, dock, setDock, view, wantedContext } from './store.ts';

export interface Command {
  readonly id: string;
  readonly label: string;
  /** As shown; `Ctrl` stands for ⌘ on a Mac. null = palette only. */
  readonly keys: string | null;
  /** `anywhere`, in the `content` (card, panel, dock), or on a `card`. */
  readonly scope: 'anywhere' | 'content' | 'card';
  /** true, or why not now. */
  readonly available: () => true | string;
  readonly run: (node: NodeView | null) => void;
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Key text for this system: `Ctrl+K` or `⌘K`; arrows as they are printed on keys. */
export const keyText = (keys: string): string => {
  const text = keys.replace('ArrowLeft', '←').replace('ArrowRight', '→');
  return isMac ? text.replaceAll('Ctrl+', '⌘').replaceAll('Shift+', '⇧') : text;
};

export const inCluster = (): true | string =>
  view.value === null ? 'Open a cluster first' : connected.value || 'No connection to the launcher';
/** As `inCluster`, and the present is shown. */
export const commanding = (): true | string => {
  const open = inCluster();
  return open === true ? (commandsBlocked.value ?? true) : open;
};
export const always = (): true => true;

function stepContext(by: number): void {
  const all = view.peek()?.contexts ?? [];
  const at = all.findIndex((one) => one.name === context.peek()?.name);
  const next = all[(at + by + all.length) % all.length];
  if (next !== undefined) wantedContext.value = next.name;
}

export function focusCard(index: number): void {
  document.querySelectorAll<HTMLElement>('.node-card')[index]?.focus();
}

/** Asks the log pane to show its search field; the pane listens, so that this table needs no terminal. */
export const SEARCH_EVENT = 'muster:search';

const toggle =
  (first: 'start' | 'freeze', second: 'stop' | 'resume') =>
  (node: NodeView | null): void => {
    if (node === null) return;
    const possible = actionsFor(node);
    const action = possible.includes(first) ? first : possible.includes(second) ? second : null;
    if (action !== null) void act(node.name, action);
  };

export const commands: readonly Command[] = [
  {
    ...named('palette'),
    scope: 'anywhere',
    available: always,
    run: () => openDialog('palette'),
  },
  {
    ...named('help'),
    scope: 'anywhere',
    available: always,
    run: () => openDialog('help'),
  },
  {
    ...named('new'),
    scope: 'anywhere',
    available: () => connected.value || 'No connection to the launcher',
    run: () => openDialog('create'),
  },
  ...fileCommands,
  ...screenCommands,
  {
    ...named('tour'),
    scope: 'anywhere',
    available: () => connected.value || 'No connection to the launcher',
    run: startTour,
  },
  {
    ...named('dock'),
    scope: 'anywhere',
    available: inCluster,
    run: () => setDock({ open: !dock.peek().open }),
  },
  {
    ...named('connect'),
    scope: 'anywhere',
    available: inCluster,
    run: () => showDock('connect'),
  },
  {
    ...named('timeline'),
    scope: 'anywhere',
    available: inCluster,
    run: () => showDock('timeline'),
  },
  {
    ...named('logs-all'),
    scope: 'anywhere',
    available: inCluster,
    run: () => showLogs(null),
  },
  {
    ...named('start-cluster'),
    scope: 'anywhere',
    available: () => (view.value !== null && view.value.state !== 'stopped' ? 'It runs' : commanding()),
    run: () => void startCluster(view.peek()?.name ?? ''),
  },
  {
    ...named('stop-cluster'),
    scope: 'anywhere',
    available: () => (view.value?.state === 'stopped' ? 'It is stopped' : commanding()),
    run: () => void stopCluster(view.peek()?.name ?? ''),
  },
  {
    ...named('start'),
    scope: 'card',
    available: commanding,
    run: toggle('start', 'stop'),
  },
  {
    ...named('kill'),
    scope: 'card',
    available: commanding,
    run: (node) => {
      if (node !== null && actionsFor(node).includes('kill')) void act(node.name, 'kill');
    },
  },
  {
    ...named('freeze'),
    scope: 'card',
    available: commanding,
    run: toggle('freeze', 'resume'),
  },
  {
    ...named('logs'),
    scope: 'card',
    available: inCluster,
    run: (node) => showLogs(node?.name ?? null),
  },
  {
    ...named('copy'),
    scope: 'card',
    available: inCluster,
    run: (node) => {
      if (node !== null) void navigator.clipboard.writeText(`${node.host}:${node.grpc}`);
    },
  },
  {
    ...named('kill-leader'),
    scope: 'content',
    available: commanding,
    run: () => void killLeader(),
  },
  {
    ...named('links'),
    scope: 'content',
    available: commanding,
    run: () => openDialog('links'),
  },
  {
    ...named('heal'),
    scope: 'content',
    available: commanding,
    run: () => void heal(),
  },
  {
    ...named('previous-context'),
    scope: 'content',
    available: inCluster,
    run: () => stepContext(-1),
  },
  {
    ...named('next-context'),
    scope: 'content',
    available: inCluster,
    run: () => stepContext(1),
  },
  ...timelineCommands,
  {
    ...named('search'),
    scope: 'content',
    available: inCluster,
    run: () => {
      const pane = document.activeElement?.closest('.panel, .dock');
      const field = pane?.querySelector<HTMLInputElement>('input[type=search]');
      if (field !== null && field !== undefined) {
        field.focus();
        field.select();
        return;
      }
      showDock('logs');
      requestAnimationFrame(() => window.dispatchEvent(new Event(SEARCH_EVENT)));
    },
  },
];

/** Other keys for the same command. */
const aliases: Readonly<Record<string, string>> = { '?': 'help', ':': 'palette' };

/** Tooltip text of a node action: its key, when it has one. */
export function keyFor(action: string): string {
  const id = { start: 'start', stop: 'start', kill: 'kill', freeze: 'freeze', resume: 'freeze', logs: 'logs' }[action];
  const keys = commands.find((command) => command.id === id)?.keys;
  return keys === null || keys === undefined ? '' : `Key ${keys}`;
}

function pressed(event: KeyboardEvent): string {
  const modifier = isMac ? event.metaKey : event.ctrlKey;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const isLetter = /^[A-Z]$/.test(key);
  // For symbols the layout decides which key with Shift makes them, so only the symbol counts.
  return `${modifier ? 'Ctrl+' : ''}${event.shiftKey && isLetter ? 'Shift+' : ''}${key}`;
}

function isTyping(target: Element | null): boolean {
  if (target === null || target.classList.contains('xterm-helper-textarea')) return false;
  return target.matches('input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]');
}

function cardNode(target: Element | null): NodeView | null {
  const name = target?.closest<HTMLElement>('.node-card')?.dataset['node'];
  return view.peek()?.nodes.find((node) => node.name === name) ?? null;
}

function moveBetweenCards(event: KeyboardEvent, target: Element | null): boolean {
  const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (by === 0 || target?.matches('.node-card') !== true) return false;
  const cards = [...document.querySelectorAll('.node-card')];
  focusCard((cards.indexOf(target) + by + cards.length) % cards.length);
  return true;
}

function onKey(event: KeyboardEvent): void {
  if (dialog.peek() !== null || event.isComposing) return;
  const target = document.activeElement;
  const text = pressed(event);
  const digit = /^[1-9]$/.exec(event.key);
  if (digit !== null && (event.ctrlKey || event.metaKey || event.altKey)) {
    focusCard(Number(digit[0]) - 1);
    event.preventDefault();
    return;
  }
  if (event.altKey) return;
  if (moveBetweenCards(event, target)) {
    event.preventDefault();
    return;
  }
  const inContent =
    !isTyping(target) && target?.closest('.node-card, .panel, .dock, .past-bar') !== null && target !== null;
  const command =
    commands.find((one) => one.keys === text) ??
    commands.find((one) => one.id === aliases[event.key] && !event.ctrlKey && !event.metaKey);
  if (command === undefined) return;
  const withModifier = text.startsWith('Ctrl+') || event.key.startsWith('F1');
  const node = cardNode(target);
  if (!withModifier && (!inContent || preferences.peek().letterKeys === 'off')) return;
  if (command.scope === 'card' && node === null) return;
  if (command.available() !== true) return;
  event.preventDefault();
  event.stopPropagation();
  command.run(node);
}

/** A command chosen in the application menu. */
export function runCommand(id: string): void {
  const command = commands.find((one) => one.id === id);
  if (command?.scope !== 'card' && command?.available() === true && dialog.peek() === null) command.run(null);
}

/** Listens in the capture phase: the terminal would otherwise swallow keys pressed inside the log pane. */
export function bindKeys(): void {
  window.addEventListener('keydown', onKey, { capture: true });
}
