// A fault of one node that needs a number: how slow its disk is, how far off its clock (ux.md §4.1). The words are those of the command line.
import { useSignal } from '@preact/signals';
import { parseDuration, parseSkew, UsageError } from '../../electron/contract/grammar.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { duration, skewWords } from '../../electron/contract/words.ts';
import { slowDisk, skewClock } from '../actions.ts';
import { commandsBlocked, dialog, dialogNode } from '../store.ts';
import { Button, Dialog, isBusy, NodeField, SubjectError } from './controls.tsx';

interface Kind {
  readonly title: string;
  readonly field: string;
  readonly first: string;
  readonly read: (text: string) => number;
  /** What the number means, 0 included. */
  readonly meaning: (node: string, value: number) => string;
  readonly act: (node: string, value: number) => Promise<boolean>;
}

const kinds: Readonly<Record<'slow-disk' | 'skew-clock', Kind>> = {
  'slow-disk': {
    title: 'Slow disk',
    field: 'Every flush takes longer by',
    first: '200ms',
    read: parseDuration,
    meaning: (node, value) =>
      value === 0
        ? `The disk of ${node} is as fast as it is.`
        : `Every flush on ${node} takes ${duration(value)} longer; appends wait for a majority without it, or for it.`,
    act: slowDisk,
  },
  'skew-clock': {
    title: 'Skew clock',
    field: 'Set the clock wrong by',
    first: '+5m',
    read: (text) => parseSkew([text]),
    meaning: (node, value) =>
      value === 0
        ? `The clock of ${node} is right.`
        : `The wall clock of ${node} is ${skewWords(value)}: its time stamps, and when scheduled events come. Elections count ticks and do not notice.`,
    act: skewClock,
  },
};

function meaningOf(kind: Kind, node: string, text: string): { readonly value: number | null; readonly words: string } {
  try {
    const value = kind.read(text.trim());
    return { value, words: kind.meaning(node, value) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { value: null, words: error.message };
  }
}

export function FaultDialog({ view, kind: id }: { readonly view: ClusterView; readonly kind: keyof typeof kinds }) {
  const kind = kinds[id];
  const names = view.nodes.map((node) => node.name);
  const node = useSignal(dialogNode.peek() ?? names[0] ?? '');
  const text = useSignal(kind.first);
  const { value, words } = meaningOf(kind, node.value, text.value);
  const close = (): void => {
    dialog.value = null;
  };
  const set = async (): Promise<void> => {
    if (value !== null && (await kind.act(node.peek(), value))) close();
  };
  const blocked = commandsBlocked.value ?? (isBusy('links') && 'Under way');
  return (
    <Dialog title={kind.title} onClose={close}>
      <form
        class="fault-form"
        onSubmit={(event) => {
          event.preventDefault();
          void set();
        }}
      >
        <NodeField names={names} chosen={node} />
        <label class="field">
          <span>{kind.field}</span>
          <input
            type="text"
            autoFocus
            autocomplete="off"
            spellcheck={false}
            aria-invalid={value === null}
            aria-describedby="fault-meaning"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
        <p id="fault-meaning" class={value === null ? 'tone-bad' : 'hint'}>
          {words}
        </p>
        <SubjectError subject="links" />
        <footer class="dialog-foot">
          <span class="push" />
          <Button onClick={close}>Cancel</Button>
          <button
            type="submit"
            class="button primary"
            disabled={value === null || blocked !== false}
            title={blocked === false ? undefined : blocked}
          >
            {value === 0 ? 'Heal it' : kind.title}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
