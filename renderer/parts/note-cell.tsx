// A note in the table of the timeline: read, written anew in place, taken off (ux.md §10).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { NOTE_CHARS_MAX } from '../../electron/contract/check-records.ts';
import { clockMs } from '../format.ts';
import { editNote, NOTE_SUBJECT, removeNote } from '../past.ts';
import { connected } from '../store.ts';
import { Button, isBusy } from './controls.tsx';

export function NoteCell({ id, at, text }: { readonly id: string; readonly at: number; readonly text: string }) {
  const editing = useSignal(false);
  if (editing.value) {
    return (
      <EditForm
        id={id}
        at={at}
        text={text}
        onDone={() => {
          editing.value = false;
        }}
      />
    );
  }
  const blocked = connected.value ? isBusy(NOTE_SUBJECT) && 'Under way' : 'No connection to the launcher';
  return (
    <>
      {text}{' '}
      <Button
        small
        kind="quiet"
        aria-label={`Edit the note of ${clockMs(at)}`}
        blocked={blocked}
        onClick={() => {
          editing.value = true;
        }}
      >
        Edit
      </Button>
      <Button
        small
        kind="quiet"
        aria-label={`Remove the note of ${clockMs(at)}`}
        blocked={blocked}
        onClick={() => void removeNote(id)}
      >
        Remove
      </Button>
    </>
  );
}

function EditForm(props: {
  readonly id: string;
  readonly at: number;
  readonly text: string;
  readonly onDone: () => void;
}) {
  const words = useSignal(props.text);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const blank = words.value.trim() === '';
  return (
    <form
      class="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!blank) void editNote(props.id, words.peek().trim()).then((edited) => edited && props.onDone());
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        props.onDone();
      }}
    >
      <input
        ref={field}
        type="text"
        autocomplete="off"
        maxLength={NOTE_CHARS_MAX}
        aria-label={`Words of the note of ${clockMs(props.at)}`}
        value={words.value}
        onInput={(event) => {
          words.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="button small" disabled={blank || !connected.value || isBusy(NOTE_SUBJECT)}>
        Save
      </button>
      <Button small kind="quiet" onClick={props.onDone}>
        Cancel
      </Button>
    </form>
  );
}
