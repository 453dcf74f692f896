// Your properties as text, with the known keys offered while one is typed (ux.md §2, §12).
// Nothing is chosen until an arrow key or the pointer chooses it, so that Enter and Tab keep their meaning while one types on.
import { useSignal } from '@preact/signals';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { configKeys, loadConfigKeys } from '../config-keys.ts';
import { plural } from '../format.ts';
import { type Completion, completed, completionAt } from '../key-completion.ts';

const ROWS = 14;
/** As `.properties-editor textarea` has them (pages.css). */
const LINE_PX = 18;
const PADDING_PX = 8;
const BORDER_PX = 1;

export function PropertiesEditor(props: {
  readonly label: string;
  readonly text: string;
  readonly onInput: (text: string) => void;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const offered = useSignal<Completion | null>(null);
  const chosen = useSignal(-1);
  const id = useId();
  const found = offered.value;
  const at = found === null ? -1 : Math.min(chosen.value, found.keys.length - 1);

  const close = (): void => {
    offered.value = null;
  };
  const offer = (evenUntyped: boolean): void => {
    const field = area.current;
    if (field === null) return;
    const caret = field.selectionStart;
    const fits = caret === field.selectionEnd ? completionAt(field.value, caret, configKeys.peek() ?? []) : null;
    offered.value = fits !== null && (evenUntyped || fits.from < caret) ? fits : null;
    chosen.value = evenUntyped && fits !== null ? 0 : -1;
  };
  const take = (index: number): void => {
    const field = area.current;
    const key = found?.keys[index]?.key;
    if (field === null || found === null || key === undefined) return;
    field.focus();
    field.setSelectionRange(found.from, found.to);
    // The one way that the person's own undo takes back, too; the app has one browser engine, and it keeps this.
    document.execCommand('insertText', false, completed(field.value, found, key));
    close();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === ' ' && event.ctrlKey) offer(true);
    else if (found === null) return;
    else if (event.key === 'ArrowDown') chosen.value = (at + 1) % found.keys.length;
    else if (event.key === 'ArrowUp') chosen.value = (Math.max(at, 0) - 1 + found.keys.length) % found.keys.length;
    else if ((event.key === 'Enter' || event.key === 'Tab') && at >= 0) take(at);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  useLayoutEffect(() => {
    const shown = list.current;
    const field = area.current;
    if (shown === null || field === null) return;
    if (found === null) return shown.hidePopover();
    const box = field.getBoundingClientRect();
    const below = (found.line + 1) * LINE_PX - field.scrollTop + PADDING_PX + BORDER_PX;
    shown.style.left = `${box.left + PADDING_PX}px`;
    shown.style.top = `${box.top + below}px`;
    shown.style.maxWidth = `${box.width - 2 * PADDING_PX}px`;
    shown.showPopover();
  }, [found]);
  useLayoutEffect(() => list.current?.children[at]?.scrollIntoView({ block: 'nearest' }), [at]);

  return (
    <div class="field properties-editor">
      <label for={`${id}text`}>{props.label}</label>
      <textarea
        ref={area}
        id={`${id}text`}
        rows={ROWS}
        wrap="off"
        spellcheck={false}
        autocapitalize="off"
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={`${id}keys`}
        aria-activedescendant={at < 0 ? undefined : `${id}key${at}`}
        aria-describedby={`${id}hint`}
        value={props.text}
        onFocus={() => {
          if (configKeys.peek() === null) void loadConfigKeys().then(() => offer(false));
        }}
        onInput={(event) => {
          props.onInput(event.currentTarget.value);
          offer(false);
        }}
        onKeyDown={onKeyDown}
        onScroll={close}
        onPointerDown={close}
        onBlur={close}
      />
      <small id={`${id}hint`}>
        Keys are offered as you type, or with Ctrl+Space: ↓ chooses, Enter takes, Esc closes.
      </small>
      <output class="visually-hidden">{found === null ? '' : `${plural(found.keys.length, 'key')} offered`}</output>
      <div ref={list} id={`${id}keys`} class="key-list" role="listbox" aria-label="Known keys" popover="manual">
        {(found?.keys ?? []).map(({ key, text, type, fallback }, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the text field owns the keys
          // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the text field (aria-activedescendant)
          <div
            key={key}
            id={`${id}key${index}`}
            role="option"
            aria-selected={index === at}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(index)}
          >
            <code>{key}</code>
            <span class="hint">
              {text} ({type}, {fallback === '' ? 'no default' : `default ${fallback}`})
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
