// Every command by name (Ctrl+K), and the table of keys (F1, ?).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Command } from '../keys.ts';
import { commands, keyText } from '../keys.ts';
import { paletteCommands } from '../palette-commands.ts';
import { typedCommand } from '../palette-grammar.ts';
import { commandsBlocked, connected, dialog } from '../store.ts';
import { Dialog } from './controls.tsx';

const SHOWN_MAX = 50;

const close = (): void => {
  dialog.value = null;
};

/** Letters of the query in order, anywhere in the label; a lower score is a better match, null = none. */
export function fuzzy(query: string, label: string): number | null {
  const text = label.toLowerCase();
  const plain = text.indexOf(query.toLowerCase());
  if (plain >= 0) return plain;
  let at = -1;
  let gaps = 0;
  for (const letter of query.toLowerCase()) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    gaps += next - at - 1;
    at = next;
  }
  return 100 + gaps;
}

function matching(query: string): readonly Command[] {
  return paletteCommands()
    .flatMap((command) => {
      const score = fuzzy(query.trim(), command.label);
      return score === null ? [] : [{ command, score: score + (command.available() === true ? 0 : 1000) }];
    })
    .sort((a, b) => a.score - b.score)
    .slice(0, SHOWN_MAX)
    .map(({ command }) => command);
}

/** What the command line would do comes first, or why it would not. */
function typed(query: string): readonly Command[] {
  const found = typedCommand(query);
  if (found === null) return [];
  return [
    {
      id: 'typed',
      label: found.kind === 'run' ? `Run: ${found.text}` : query,
      keys: null,
      scope: 'anywhere',
      available: () => {
        if (found.kind === 'problem') return found.text;
        return (found.inThePast && connected.value) || (commandsBlocked.value ?? true);
      },
      run: () => found.kind === 'run' && found.run(),
    },
  ];
}

/** What is wrong with the words stands behind the names that they match: `kill n2` is Kill node-2. */
function offered(query: string): readonly Command[] {
  const words = typed(query);
  const names = matching(query);
  const canRun = (command: Command): boolean => command.available() === true;
  if (words.every(canRun)) return [...words, ...names];
  return [...names.filter(canRun), ...words, ...names.filter((command) => !canRun(command))];
}

export function Palette() {
  const query = useSignal('');
  const chosen = useSignal(0);
  const list = useRef<HTMLDivElement>(null);
  const found = offered(query.value);
  const at = Math.min(chosen.value, found.length - 1);
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: 'nearest' }), [at]);

  const run = (command: Command | undefined): void => {
    if (command === undefined || command.available() !== true) return;
    close();
    command.run(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by !== 0) chosen.value = (at + by + found.length) % Math.max(1, found.length);
    else if (event.key === 'Enter') run(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Commands" onClose={() => dialog.peek() === 'palette' && close()}>
      <input
        class="palette-input"
        type="text"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[at] === undefined ? undefined : `palette-${at}`}
        placeholder="kill node-2, partition, connect …"
        autocomplete="off"
        autoFocus
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id="palette-list" class="palette-list" role="listbox" aria-label="Commands">
        {found.map((command, i) => {
          const available = command.available();
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above owns the keys
            // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the combobox (aria-activedescendant)
            <div
              key={command.id}
              id={`palette-${i}`}
              role="option"
              aria-selected={i === at}
              aria-disabled={available !== true}
              onClick={() => run(command)}
              onPointerMove={() => {
                chosen.value = i;
              }}
            >
              {command.label}
              {available !== true && <span class="hint">{available}</span>}
              {command.keys !== null && <kbd>{keyText(command.keys)}</kbd>}
            </div>
          );
        })}
        {found.length === 0 && <div class="empty">No such command.</div>}
      </div>
    </Dialog>
  );
}

const scopes: readonly { readonly scope: Command['scope']; readonly title: string }[] = [
  { scope: 'anywhere', title: 'Anywhere' },
  { scope: 'card', title: 'On a focused node card' },
  { scope: 'content', title: 'While a card, a panel or the dock has the focus' },
];

/** Every command that has a key. */
export function KeyTable() {
  return (
    <div class="help">
      {scopes.map(({ scope, title }) => (
        <section key={scope}>
          <h3>{title}</h3>
          <dl>
            {commands
              .filter((command) => command.scope === scope && command.keys !== null)
              .map((command) => (
                <div key={command.id}>
                  <dt>
                    <kbd>{keyText(command.keys ?? '')}</kbd>
                  </dt>
                  <dd>{command.label}</dd>
                </div>
              ))}
            {scope === 'anywhere' && (
              <div>
                <dt>
                  <kbd>{keyText('Ctrl+1')}</kbd> … <kbd>9</kbd>
                </dt>
                <dd>Focus a node card (in a browser tab: Alt)</dd>
              </div>
            )}
            {scope === 'card' && (
              <div>
                <dt>
                  <kbd>←</kbd> <kbd>→</kbd>
                </dt>
                <dd>Next card</dd>
              </div>
            )}
          </dl>
        </section>
      ))}
    </div>
  );
}

export function Help() {
  return (
    <Dialog title="Keyboard" wide onClose={() => dialog.peek() === 'help' && close()}>
      <KeyTable />
    </Dialog>
  );
}
