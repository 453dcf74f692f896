// Drives one xterm: formats lines, writes them once per animation frame, filters, searches. No Preact in here.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import type { ITheme } from '@xterm/xterm';
import { Terminal } from '@xterm/xterm';
import type { ContextName, LogLine, NodeName } from '../../electron/contract/model.ts';
import { clockMs, plural } from '../format.ts';
import type { NodeLine } from '../logs.ts';
import { logs } from '../logs.ts';
import { timeFormat } from '../settings.ts';
import { onThemeChange, token } from '../theme.ts';

export const SCROLLBACK_LINES = 5_000;
/** Faster lines are not read by anybody: the oldest that wait are skipped, and the skipping is said (ux.md §7). */
export const LINES_PER_SECOND_MAX = 5_000;
export const PLAIN_LINES_MAX = 500;

export const levels = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof levels)[number];

export interface LogFilter {
  /** null = all nodes, merged. */
  readonly node: NodeName | null;
  readonly level: Level;
  /** null = of every context and of none. */
  readonly context: ContextName | null;
}

export function passes(filter: LogFilter, { node, line }: NodeLine): boolean {
  if (filter.node !== null && filter.node !== node) return false;
  if (line.level === 'mark') return true;
  if (filter.context !== null && filter.context !== line.context) return false;
  if (line.level === 'raw') return true;
  return levels.indexOf(line.level) >= levels.indexOf(filter.level);
}

/** What stands between slashes is a regular expression. */
const regexOf = (text: string): string | null => /^\/(.+)\/$/.exec(text)?.[1] ?? null;

function isValid(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

/** Every known line that the filter lets through, oldest first, as plain text. */
export function filteredText(filter: LogFilter): string {
  const lines = logs.all.filter((entry) => passes(filter, entry));
  return lines.map((entry) => `${plainLine(entry, filter.node === null)}\n`).join('');
}

const ESC = '\x1b[';
/** Quiet text by a colour of the theme, with contrast enough to read; the terminal's own "dim" has less. */
const QUIET = `${ESC}37m`;
const levelColour: Readonly<Record<LogLine['level'], string>> = {
  debug: `${QUIET}`,
  info: '',
  warn: `${ESC}33m`,
  error: `${ESC}31m`,
  raw: `${QUIET}`,
  mark: `${ESC}36m`,
};

/** Control characters out: what an engine logs must never steer the terminal. */
const clean = (text: string): string => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '').replace(/\t/g, '  ');

const harmlessNote = ({ harmless }: LogLine): string => (harmless === undefined ? '' : ` · harmless: ${harmless}`);

/** One line without colours, as it is copied and shown in plain mode. */
export function plainLine({ node, line }: NodeLine, merged: boolean): string {
  if (line.level === 'mark') return `── ${merged ? `${node} ` : ''}${clean(line.text)} ${clockMs(line.at)} ──`;
  const where = [
    line.context === null ? '' : `[${clean(line.context)}] `,
    clean(line.text),
    line.code === null ? '' : ` (${clean(line.code)})`,
    harmlessNote(line),
  ];
  return `${clockMs(line.at)} ${line.level.toUpperCase().padEnd(5)} ${merged ? `${node} ` : ''}${where.join('')}`;
}

/** How many lines may be written `sinceMs` after `left` more were allowed. Pure. */
export function allowedLines(left: number, sinceMs: number): number {
  return Math.min(LINES_PER_SECOND_MAX, left + (sinceMs * LINES_PER_SECOND_MAX) / 1000);
}

/** A selection of the merged log without the names before the lines: what is copied is what the engine wrote (ux.md §7). */
export const withoutNames = (selection: string): string =>
  selection.replace(/^(.*? (?:DEBUG|INFO|WARN|ERROR|RAW) +)node-\d /gm, '$1');

/** A start or an end of a process goes from side to side. */
function colouredLine(entry: NodeLine, merged: boolean, index: number, columns: number): string {
  const { node, line } = entry;
  if (line.level === 'mark') return `${levelColour.mark}${plainLine(entry, merged).padEnd(columns, '─')}${ESC}0m`;
  const prefix = merged ? `${ESC}${90 + ((index + 1) % 8)}m${node}${ESC}0m ` : '';
  const context = line.context === null ? '' : `${QUIET}[${clean(line.context)}]${ESC}0m `;
  const code = line.code === null ? '' : ` ${QUIET}(${clean(line.code)})${ESC}0m`;
  // What is harmless stands back, whatever its level.
  const colour = line.harmless === undefined ? levelColour[line.level] : QUIET;
  const level = `${colour}${line.level.toUpperCase().padEnd(5)}${ESC}0m`;
  return `${QUIET}${clockMs(line.at)}${ESC}0m ${level} ${prefix}${context}${colour}${clean(line.text)}${ESC}0m${code}${QUIET}${harmlessNote(line)}${ESC}0m`;
}

/** The sixteen terminal colours: the bright half carries node identities (see `colouredLine`). */
function theme(): ITheme {
  const id = (i: number): string => token(`--id-${i}`);
  return {
    background: token('--surface-1'),
    foreground: token('--text-1'),
    cursor: token('--surface-1'),
    selectionBackground: token('--selection'),
    red: token('--bad'),
    white: token('--text-3'),
    yellow: token('--warn'),
    cyan: token('--accent'),
    brightBlack: id(7),
    brightRed: id(0),
    brightGreen: id(1),
    brightYellow: id(2),
    brightBlue: id(3),
    brightMagenta: id(4),
    brightCyan: id(5),
    brightWhite: id(6),
  };
}

export interface TerminalEvents {
  /** The person scrolled up (false) or back to the end (true). */
  readonly onFollow: (follow: boolean) => void;
  readonly onNewLines: (count: number) => void;
  readonly onMatches: (index: number, count: number) => void;
}

export class LogTerminal {
  readonly #terminal: Terminal;
  readonly #search = new SearchAddon({ highlightLimit: 500 });
  readonly #fit = new FitAddon();
  readonly #events: TerminalEvents;
  readonly #nodeIndex: (node: NodeName) => number;
  readonly #disposers: (() => void)[] = [];
  #filter: LogFilter;
  #queue: NodeLine[] = [];
  #skipped = 0;
  /** Lines that may be written now, and when that was. */
  #left = LINES_PER_SECOND_MAX;
  #leftAt = performance.now();
  #frame = 0;
  #blank = true;

  constructor(host: HTMLElement, filter: LogFilter, nodeIndex: (node: NodeName) => number, events: TerminalEvents) {
    this.#filter = filter;
    this.#nodeIndex = nodeIndex;
    this.#events = events;
    this.#terminal = new Terminal({
      disableStdin: true,
      convertEol: true,
      scrollback: SCROLLBACK_LINES,
      cursorInactiveStyle: 'none',
      fontSize: 12,
      lineHeight: 1.25,
      fontFamily: token('--font-mono') || 'monospace',
      theme: theme(),
      minimumContrastRatio: 4.5,
      allowProposedApi: true,
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(this.#search);
    this.#terminal.open(host);
    this.#terminal.textarea?.setAttribute(
      'aria-label',
      'Log output. Choose Plain text for a version that screen readers can read.',
    );
    this.#terminal.attachCustomKeyEventHandler((event) => this.#mayHandle(event));
    const resized = new ResizeObserver(() => this.#fit.fit());
    resized.observe(host);
    const onUserScroll = (): void => void requestAnimationFrame(() => this.#events.onFollow(this.atEnd()));
    host.addEventListener('wheel', onUserScroll, { passive: true });
    host.addEventListener('keyup', onUserScroll);
    host.addEventListener('pointerup', onUserScroll);
    // Before the terminal's own, which copies the names as well.
    host.addEventListener('copy', (event) => this.#copy(event), { capture: true });
    const results = this.#search.onDidChangeResults(({ resultIndex, resultCount }) =>
      events.onMatches(resultIndex, resultCount),
    );
    this.#disposers.push(
      () => resized.disconnect(),
      () => results.dispose(),
      onThemeChange(() => {
        this.#terminal.options.theme = theme();
      }),
      timeFormat.subscribe(() => this.rewrite()),
      logs.subscribe((added) => (added === 'reset' ? this.rewrite() : this.#enqueue(added))),
    );
  }

  atEnd(): boolean {
    const { viewportY, baseY } = this.#terminal.buffer.active;
    return viewportY >= baseY;
  }

  setFilter(filter: LogFilter): void {
    const { node, level, context } = this.#filter;
    if (filter.node === node && filter.level === level && filter.context === context) return;
    this.#filter = filter;
    this.rewrite();
  }

  /** Clears the screen and writes what the filter lets through of the lines known. */
  rewrite(): void {
    this.#queue = [];
    this.#skipped = 0;
    this.#terminal.reset();
    this.#blank = true;
    const shown = logs.all.filter((entry) => passes(this.#filter, entry)).slice(-SCROLLBACK_LINES);
    this.#write(shown);
  }

  toEnd(): void {
    this.#terminal.scrollToBottom();
  }

  find(text: string, direction: 'next' | 'previous'): void {
    if (text === '') {
      this.#search.clearDecorations();
      this.#events.onMatches(-1, 0);
      return;
    }
    const pattern = regexOf(text);
    if (pattern !== null && !isValid(pattern)) {
      this.#events.onMatches(-1, 0);
      return;
    }
    const options = {
      regex: pattern !== null,
      decorations: {
        matchBackground: '#8a6d00',
        matchOverviewRuler: '#8a6d00',
        activeMatchBackground: '#c04a00',
        activeMatchColorOverviewRuler: '#c04a00',
      },
    };
    if (direction === 'next') this.#search.findNext(pattern ?? text, options);
    else this.#search.findPrevious(pattern ?? text, options);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    for (const dispose of this.#disposers) dispose();
    this.#terminal.dispose();
  }

  /** A log is read, never typed into: Tab must leave the pane, and Ctrl+C is no signal but copies. */
  #mayHandle(event: KeyboardEvent): boolean {
    const copies = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'c';
    if (copies && event.type === 'keydown' && this.#terminal.hasSelection()) {
      void navigator.clipboard.writeText(this.#selection());
    }
    return event.key !== 'Tab' && !copies;
  }

  #selection(): string {
    const text = this.#terminal.getSelection();
    return this.#filter.node === null ? withoutNames(text) : text;
  }

  #copy(event: ClipboardEvent): void {
    if (!this.#terminal.hasSelection()) return;
    event.clipboardData?.setData('text/plain', this.#selection());
    event.preventDefault();
    event.stopPropagation();
  }

  #enqueue(added: readonly NodeLine[]): void {
    this.#queue.push(...added.filter((entry) => passes(this.#filter, entry)));
    this.#skipBut(LINES_PER_SECOND_MAX);
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#flush());
  }

  /** The newest stay. */
  #skipBut(count: number): void {
    const many = this.#queue.length - count;
    if (many <= 0) return;
    this.#skipped += many;
    this.#queue.splice(0, many);
  }

  #flush(): void {
    this.#frame = 0;
    const now = performance.now();
    this.#left = allowedLines(this.#left, now - this.#leftAt);
    this.#leftAt = now;
    this.#skipBut(Math.floor(this.#left));
    if (this.#skipped > 0) {
      const words = `… ${plural(this.#skipped, 'line')} skipped, they are in the log files`;
      this.#append(`${ESC}36m${words}${ESC}0m`);
    }
    this.#skipped = 0;
    const lines = this.#queue;
    this.#queue = [];
    this.#left -= lines.length;
    this.#write(lines);
    if (lines.length > 0) this.#events.onNewLines(lines.length);
  }

  /** The line break goes before a line, not after it: the last row of a small pane is worth a line of text. */
  #append(text: string): void {
    this.#terminal.write(this.#blank ? text : `\r\n${text}`);
    this.#blank = false;
  }

  #write(lines: readonly NodeLine[]): void {
    if (lines.length === 0) return;
    const merged = this.#filter.node === null;
    const text = lines
      .map((entry) => colouredLine(entry, merged, this.#nodeIndex(entry.node), this.#terminal.cols))
      .join('\r\n');
    this.#append(text);
  }
}
