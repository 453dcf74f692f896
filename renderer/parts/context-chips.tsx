// The contexts of a new cluster, each a chip to take away; a name typed into the field becomes one (ux.md §3.2). Entry point: `ContextChips`.
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { CONTEXT_NAME_RULE } from '../../electron/contract/check-parts.ts';
import type { ContextName } from '../../electron/contract/model.ts';
import { CloseIcon } from './icons.tsx';

interface Props {
  readonly names: readonly ContextName[];
  readonly onChange: (names: readonly ContextName[]) => void;
}

export function ContextChips({ names, onChange }: Props) {
  const id = useId();
  const problem = useSignal<string | null>(null);
  /** A name that is none stays in the field, and the form is not sent with it. */
  const take = (field: HTMLInputElement): void => {
    const typed = field.value.split(/[\s,]+/).filter((name) => name !== '');
    const wrong = typed.find((name) => !CONTEXT_NAME_RULE.test(name));
    problem.value = wrong === undefined ? null : `${wrong}: a letter first, then letters, digits, '_' or '-'.`;
    field.setCustomValidity(problem.peek() ?? '');
    if (wrong !== undefined) return;
    field.value = '';
    if (typed.length > 0) onChange([...new Set([...names, ...typed])]);
  };
  return (
    <div class="field">
      <span>
        <label for={id}>Contexts</label>
      </span>
      <div class="chips">
        {names.map((name) => (
          <button
            key={name}
            type="button"
            class="removable-chip"
            aria-label={`Take away context ${name}`}
            title="Take away"
            onClick={() => onChange(names.filter((one) => one !== name))}
          >
            {name} <CloseIcon />
          </button>
        ))}
        <input
          id={id}
          type="text"
          placeholder="another"
          autocomplete="off"
          spellcheck={false}
          required={names.length === 0}
          aria-describedby={`${id}-hint`}
          onInput={(event) => {
            event.currentTarget.setCustomValidity('');
            if (/[\s,]$/.test(event.currentTarget.value)) take(event.currentTarget);
          }}
          onBlur={(event) => take(event.currentTarget)}
          onKeyDown={(event) => {
            const field = event.currentTarget;
            if (event.key === 'Enter' && field.value !== '') {
              event.preventDefault();
              take(field);
            } else if (event.key === 'Backspace' && field.value === '') {
              onChange(names.slice(0, -1));
            }
          }}
        />
      </div>
      <small id={`${id}-hint`} class={problem.value === null ? undefined : 'tone-bad'}>
        {problem.value ?? 'Enter or a comma adds one. Apps use “default” unless told otherwise.'}
      </small>
    </div>
  );
}
