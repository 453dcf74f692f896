// One of several, shown as a button with the present choice; the select is made only while it is changed, so that a page may
// have hundreds of them. Keyboard: Enter, Space and arrow keys open; Enter and Esc go back to the button.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

const OPENING: readonly string[] = ['ArrowDown', 'ArrowUp'];
const CLOSING: readonly string[] = ['Enter', 'Escape'];

export function Choice(props: {
  /** Name of the select: what is chosen. */
  readonly label: string;
  /** Name of the button: what is chosen, and the present choice or what happens. */
  readonly buttonLabel: string;
  /** Text of the button. */
  readonly word: string;
  readonly value: string;
  readonly disabled: boolean;
  /** The options; called when the select is made. */
  readonly options: () => ComponentChildren;
  readonly onChoose: (value: string) => void;
}) {
  const { label, word, value, disabled } = props;
  const open = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const select = useRef<HTMLSelectElement>(null);
  const goBack = useRef(false);
  const isOpen = open.value && !disabled;
  useLayoutEffect(() => {
    if (disabled) open.value = false;
  }, [disabled]);
  useLayoutEffect(() => {
    if (isOpen) {
      select.current?.focus();
      try {
        select.current?.showPicker();
      } catch {
        // No key or click of a person was behind it: the select is there and has the focus.
      }
    } else if (goBack.current) {
      goBack.current = false;
      button.current?.focus();
    }
  }, [isOpen]);
  if (!isOpen)
    return (
      <button
        ref={button}
        type="button"
        class="choice"
        disabled={disabled}
        aria-haspopup="listbox"
        aria-label={props.buttonLabel}
        onClick={() => {
          open.value = true;
        }}
        onKeyDown={(event) => {
          if (!OPENING.includes(event.key)) return;
          event.preventDefault();
          open.value = true;
        }}
      >
        {word}
      </button>
    );
  return (
    <select
      ref={select}
      aria-label={label}
      value={value}
      onChange={(event) => props.onChoose(event.currentTarget.value)}
      onBlur={() => {
        open.value = false;
      }}
      onKeyDown={(event) => {
        if (!CLOSING.includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        goBack.current = true;
        open.value = false;
      }}
    >
      {props.options()}
    </select>
  );
}
