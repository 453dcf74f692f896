// What a screen reader is told: differences of two views as sentences, merged and at most one message per ANNOUNCE_EVERY_MS.
import { type Signal, signal } from '@preact/signals';
import type { ClusterView } from '../electron/contract/model.ts';

export const ANNOUNCE_EVERY_MS = 2_000;
/** More changes than this in one window are merged into a number. */
const SENTENCES_MAX = 3;

/** Read by the polite live region (`role=status`). */
export const politeMessage = signal('');
/** Read by the assertive live region (`role=alert`): crashes and lost majorities only. */
export const alertMessage = signal('');

/** A live region is not read again for the text that it has already: the same words once more differ by what nobody hears. */
const AGAIN = '\u00a0';

/** Tells one live region: the first sentence at once, what comes within ANNOUNCE_EVERY_MS together. */
class Teller {
  readonly #message: Signal<string>;
  /** The newest that wait to be told, and how many there were. */
  #waiting: readonly string[] = [];
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastAt = 0;

  constructor(message: Signal<string>) {
    this.#message = message;
  }

  tell(sentence: string): void {
    this.#waiting = [...this.#waiting, sentence].slice(-SENTENCES_MAX);
    this.#count++;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, this.#lastAt + ANNOUNCE_EVERY_MS - Date.now()));
  }

  #flush(): void {
    this.#timer = null;
    this.#lastAt = Date.now();
    const newest = this.#waiting.at(-1) ?? '';
    const words = this.#count > SENTENCES_MAX ? `${this.#count} changes. ${newest}` : this.#waiting.join(' ');
    this.#message.value = words === this.#message.peek() ? `${words}${AGAIN}` : words;
    this.#waiting = [];
    this.#count = 0;
  }
}

const polite = new Teller(politeMessage);
const assertive = new Teller(alertMessage);

export const announce = (sentence: string): void => polite.tell(sentence);
export interface Toast {
  readonly words: string;
  /** Takes back what is told; absent: nothing to take back. */
  readonly undo: (() => void) | undefined;
}

/** What was just done, for those who see (parts/toast.tsx); null: nothing, or long enough ago. */
export const toast = signal<Toast | null>(null);

/** Tells everybody that something worked. What went wrong is an error in its place, never this (ux.md §17). */
export function tellDone(words: string, undo?: () => void): void {
  toast.value = { words, undo };
  announce(words);
}

/** To the clipboard; the words say so. */
export async function copyText(text: string, words: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  tellDone(words);
}

/** Pure part, tested by the browser tests through the live regions. */
export function changes(
  before: ClusterView,
  after: ClusterView,
): { readonly polite: string[]; readonly alert: string[] } {
  const polite: string[] = [];
  const alert: string[] = [];
  // Who stops the cluster knows that it loses its majority.
  const isEnding = after.state === 'stopping' || after.state === 'stopped';
  for (const node of after.nodes) {
    const was = before.nodes.find((one) => one.name === node.name)?.state;
    if (was === undefined || was === node.state) continue;
    if (node.state === 'crashed') alert.push(`${node.name} crashed. ${node.sentence}`);
    else if (
      node.state === 'ready' ||
      node.state === 'frozen' ||
      node.state === 'stopped' ||
      node.state === 'isolated'
    ) {
      polite.push(`${node.name} is ${node.state}.`);
    }
  }
  for (const context of after.contexts) {
    const was = before.contexts.find((one) => one.name === context.name);
    if (was === undefined) continue;
    if (context.leader !== null && (context.leader !== was.leader || context.term !== was.term)) {
      polite.push(`${context.name} elected ${context.leader} (term ${context.term ?? 'unknown'}).`);
    }
    if (!isEnding && context.why.headline === 'no-quorum' && was.why.headline !== 'no-quorum') {
      alert.push(`${context.name}: ${context.why.sentence}`);
    }
  }
  return { polite, alert };
}

export function announceChanges(before: ClusterView | null, after: ClusterView): void {
  if (before === null || before.name !== after.name) return;
  const found = changes(before, after);
  for (const sentence of found.polite) announce(sentence);
  for (const sentence of found.alert) assertive.tell(sentence);
}
