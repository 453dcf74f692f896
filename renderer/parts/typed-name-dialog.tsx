// Asks for the name of what loses its data before it goes on (ux.md §1.5, §8).
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { setError } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';

/** Closes a dialog and forgets the error of its subject. */
export const closing = (subject: string, onClose: () => void) => (): void => {
  setError(subject, null);
  onClose();
};

/** `children` say what is lost; `act` runs once `name` was typed. Errors and progress are those of `subject`. */
export function TypedNameDialog(props: {
  readonly title: string;
  readonly name: string;
  /** The name was typed already, as a command. */
  readonly typed?: boolean;
  readonly subject: string;
  readonly keepWords: string;
  readonly actWords: string;
  readonly act: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const typed = useSignal(props.typed === true ? props.name : '');
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      <label class="field">
        <span>Type {props.name} to go on</span>
        <input
          type="text"
          autoFocus
          autocomplete="off"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
      </label>
      <SubjectError subject={props.subject} />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={props.onClose}>{props.keepWords}</Button>
        <Button
          kind="danger"
          blocked={typed.value !== props.name ? 'Type the name first' : isBusy(props.subject) && 'Under way'}
          onClick={() => void props.act()}
        >
          {props.actWords}
        </Button>
      </footer>
    </Dialog>
  );
}
