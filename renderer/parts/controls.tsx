// The few controls that the platform does not bring: busy button, copy button, dialog, choice of a node, error note. Everything else is native.
import { type Signal, useSignal } from '@preact/signals';
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { codesIn } from '../../electron/contract/axoniq-codes.ts';
import type { LauncherErrorData, NodeName, NodeState } from '../../electron/contract/model.ts';
import { errors, pending, setError } from '../store.ts';
import { CodeNote } from './code-note.tsx';
import { ErrorSteps } from './error-steps.tsx';
import { CheckIcon, CloseIcon, CopyIcon, StateGlyph, WarnIcon } from './icons.tsx';

const COPIED_SHOWN_MS = 1_500;

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'class' | 'type' | 'disabled'> & {
  readonly kind?: 'primary' | 'quiet' | 'danger' | undefined;
  readonly small?: boolean;
  /** Why it can't be pressed now: disables the button and is told in its tooltip. */
  readonly blocked?: string | false;
};

export function Button({ kind, small, blocked, children, ...rest }: ButtonProps) {
  const words = ['button', kind, small ? 'small' : null].filter(Boolean).join(' ');
  const why = typeof blocked === 'string' ? blocked : undefined;
  return (
    <button
      type="button"
      class={words}
      disabled={why !== undefined}
      {...rest}
      {...(why === undefined ? {} : { title: why })}
    >
      {children}
    </button>
  );
}

/** With `words` it shows them; `label` tells what is copied. */
export function CopyButton({ text, label, words: shown }: CopyButtonProps) {
  const copied = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      copied.value = false;
    }, COPIED_SHOWN_MS);
  };
  // What is shown must be in what is read out (WCAG 2.5.3).
  const words = !copied.value ? label : shown === undefined ? 'Copied' : `${label}: copied`;
  const kind = shown === undefined ? 'icon-button' : 'button small quiet';
  return (
    <button type="button" class={kind} aria-label={words} title={words} onClick={() => void copy()}>
      {copied.value ? <CheckIcon /> : <CopyIcon />} {shown}
    </button>
  );
}

interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
  readonly words?: string;
}

/**
 * A modal `<dialog>`: the browser brings focus trap, Esc and inert background. It is told as closed at once, for the browser's own `close`
 * event comes a turn later, and a shortcut pressed in between would be taken for one inside the dialog.
 */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const isClosed = useRef(false);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const close = (): void => {
    if (isClosed.current) return;
    isClosed.current = true;
    element.current?.close();
    props.onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it; Esc does so already
    <dialog
      ref={element}
      class={props.wide ? 'dialog wide' : 'dialog'}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        // A file field inside tells of a choice that was given up by an event of the same name.
        if (event.target !== element.current) return;
        event.preventDefault();
        close();
      }}
      onClose={close}
      onClick={(event) => event.target === element.current && close()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id="dialog-title">{props.title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={close}>
            <CloseIcon />
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

/** Which node it is about. */
export const NodeField = ({
  names,
  chosen,
}: {
  readonly names: readonly NodeName[];
  readonly chosen: Signal<NodeName>;
}) => (
  <label class="field">
    <span>Node</span>
    <select
      value={chosen.value}
      onChange={(event) => {
        chosen.value = event.currentTarget.value;
      }}
    >
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

/** ux.md §17: what, why, what next, in place, with its stable code. */
export function ErrorNote(props: {
  readonly error: LauncherErrorData;
  readonly onDismiss?: () => void;
  readonly children?: ComponentChildren;
}) {
  const { error } = props;
  const details = `${error.code}: ${error.what} ${error.why}\n${error.next.map((step) => `- ${step}`).join('\n')}`;
  return (
    <div class="error-note" role="alert">
      <WarnIcon />
      <div class="error-words">
        <p>
          <strong>{error.what}</strong> {error.why}
        </p>
        {error.next.length > 0 && (
          <ul>
            {error.next.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        )}
        {codesIn(`${error.code} ${error.what} ${error.why}`).map((found) => (
          <CodeNote key={found.code} found={found} />
        ))}
        <p class="error-foot">
          <code>{error.code}</code>
          <CopyButton text={details} label="Copy details" />
          <ErrorSteps error={error} />
          {props.children}
        </p>
      </div>
      {props.onDismiss && (
        <button type="button" class="icon-button" aria-label="Dismiss error" onClick={props.onDismiss}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}

/** The error of one subject, if it has one. */
export function SubjectError({
  subject,
  children,
}: {
  readonly subject: string;
  readonly children?: ComponentChildren;
}) {
  const error = errors.value[subject];
  if (error === undefined) return null;
  return (
    <ErrorNote error={error} onDismiss={() => setError(subject, null)}>
      {children}
    </ErrorNote>
  );
}

export const isBusy = (subject: string): boolean => pending.value.has(subject);

export const stateWord: Readonly<Record<NodeState, string>> = {
  stopped: 'Stopped',
  starting: 'Starting',
  joining: 'Joining',
  'catching-up': 'Catching up',
  ready: 'Ready',
  isolated: 'Isolated',
  frozen: 'Frozen',
  crashed: 'Crashed',
  stale: 'No news',
  stopping: 'Stopping',
};

export function StateBadge({
  state,
  percent,
  word,
}: {
  readonly state: NodeState;
  readonly percent?: number | null;
  readonly word?: string;
}) {
  return (
    <span class={`state state-${state}`}>
      <StateGlyph state={state} percent={percent ?? null} />
      {word ?? stateWord[state]}
    </span>
  );
}

/** A number that counts on, in a box of its own: digits that change lay out nothing else. */
export const Counting = ({ text }: { readonly text: string }) => (
  <span class="counting" style={{ width: `${text.length}ch` }}>
    {text}
  </span>
);

/** The square in a node's own colour that ties card, ring, chart and log prefix together. */
export const Swatch = ({ index }: { readonly index: number }) => (
  <span class={`swatch id-${index % 9}`} aria-hidden="true" />
);
