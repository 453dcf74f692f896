// A button with a list of actions above the page: arrows move, Esc and a click elsewhere close it. Entry point: `Menu`.
import { useId, useMemo, useRef } from 'preact/hooks';

export interface MenuItem {
  readonly label: string;
  readonly run: () => void;
  /** Why it can't be done now: disables it and is told in its tooltip. */
  readonly blocked?: string | false;
  readonly title?: string;
}

function step(list: HTMLElement, by: number): void {
  const all = [...list.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')];
  const at = all.indexOf(document.activeElement as HTMLButtonElement);
  all[(at + by + all.length) % all.length]?.focus();
}

/** `words` are shown, `label` names the list for those who do not see it; drawn again when an item changes, not with every view. */
export function Menu(props: {
  readonly words: string;
  readonly label: string;
  readonly small?: boolean;
  readonly items: readonly MenuItem[];
}) {
  const { words, label, small, items } = props;
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  // What an item does may be about another view than the one it was drawn for.
  const latest = useRef(items);
  latest.current = items;
  const key = JSON.stringify(items.map((item) => [item.label, item.blocked, item.title]));
  return useMemo(
    () => (
      <div class="menu" style={{ anchorName: `--menu-${id}` }}>
        <button
          type="button"
          class={small === true ? 'button small' : 'button'}
          popovertarget={id}
          aria-label={label === words ? undefined : label}
          title={label === words ? undefined : label}
        >
          {words}
        </button>
        <ul
          ref={list}
          id={id}
          popover="auto"
          style={{ positionAnchor: `--menu-${id}` }}
          aria-label={label}
          onKeyDown={(event) => {
            const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
            if (by === 0 || list.current === null) return;
            event.preventDefault();
            step(list.current, by);
          }}
          onToggle={(event) => {
            if (event.newState === 'open' && list.current !== null) step(list.current, 1);
          }}
        >
          {items.map((item, i) => (
            <li key={item.label}>
              <button
                type="button"
                disabled={typeof item.blocked === 'string'}
                title={typeof item.blocked === 'string' ? item.blocked : item.title}
                onClick={() => {
                  list.current?.hidePopover();
                  latest.current[i]?.run();
                }}
              >
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      </div>
    ),
    [key, words, label, small, id],
  );
}
