// What was just done, for a while, with the way back where there is one (ux.md §17). Errors are never here; screen readers are told by announce.ts.
import { useEffect, useRef } from 'preact/hooks';
import { toast } from '../announce.ts';
import { CloseIcon } from './icons.tsx';

/** Long enough to read and to get to the button by keys; it stays while pointer or focus is on it. */
export const TOAST_SHOWN_MS = 10_000;

export function ToastArea() {
  const shown = toast.value;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const close = (): void => {
    toast.value = null;
  };
  const stay = (): void => clearTimeout(timer.current);
  const count = (): void => {
    stay();
    timer.current = setTimeout(close, TOAST_SHOWN_MS);
  };
  useEffect(() => {
    if (shown !== null) count();
    return stay;
  }, [shown]);
  if (shown === null) return null;
  const { words, undo } = shown;
  return (
    <section
      class="toast"
      aria-label="Just done"
      onPointerEnter={stay}
      onPointerLeave={count}
      onFocusIn={stay}
      onFocusOut={count}
    >
      <p>{words}</p>
      {undo !== undefined && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            close();
            undo();
          }}
        >
          Undo
        </button>
      )}
      <button type="button" class="icon-button" aria-label="Close what was just done" onClick={close}>
        <CloseIcon />
      </button>
    </section>
  );
}
