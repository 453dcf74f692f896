// Settings of this window, and where Muster keeps its things (ux.md §13).
import type { ComponentChildren } from 'preact';
import type { Preferences } from '../preferences.ts';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AppSettings } from '../../electron/contract/manage.ts';
import { Button, CopyButton, SubjectError } from '../parts/controls.tsx';
import { choices, prefer, preferences } from '../preferences.ts';
import { api, attempt, connected, pending } from '../store.ts';

const words = {
  theme: { system: 'As the system', light: 'Light', dark: 'Dark', contrast: 'High contrast' },
  density: { compact: 'Compact', comfortable: 'Comfortable' },
  motion: { system: 'As the system', reduced: 'None' },
} as const;
const titles = { theme: 'Theme', density: 'Density', motion: 'Motion' } as const;

function Choice<K extends keyof typeof choices>({ name }: { readonly name: K }) {
  const labels: Readonly<Record<string, string>> = words[name];
  return (
    <fieldset class="field">
      <legend>{titles[name]}</legend>
      <div class="segments">
        {choices[name].map((value) => (
          <label key={value} class="segment">
            <input
              type="radio"
              name={name}
              checked={preferences.value[name] === value}
              onChange={() => prefer({ [name]: value } as Partial<Preferences>)}
            />
            {labels[value]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="settings-group" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

const closeWords: Readonly<Record<AppSettings['closeWindow'], string>> = {
  quit: 'Stop the clusters and quit',
  tray: 'Leave them running in the tray',
};

/** What the desktop app does; shared by every window and `muster settings`. */
function CloseWindow() {
  const settings = useSignal<AppSettings | null>(null);
  const read = (): void => {
    void attempt('settings', async () => {
      settings.value = await api().settings();
    });
  };
  useEffect(() => {
    if (connected.value) read();
  }, [connected.value]);
  const busy = pending.value.has('settings');
  const choose = (closeWindow: AppSettings['closeWindow']): void => {
    void attempt('settings', async () => {
      settings.value = await api().changeSettings({ closeWindow });
    });
  };
  const shown = settings.value;
  return (
    <Group title="Closing the desktop window">
      {shown === null && busy && <p class="hint">Reading…</p>}
      {shown === null && !busy && !connected.value && <p class="hint">No connection to the launcher.</p>}
      {shown !== null && (
        <fieldset class="field" disabled={!connected.value} aria-busy={busy}>
          <legend>When the window is closed</legend>
          <div class="segments">
            {(['quit', 'tray'] as const).map((value) => (
              <label key={value} class="segment">
                <input
                  type="radio"
                  name="close-window"
                  checked={shown.closeWindow === value}
                  onChange={() => choose(value)}
                />
                {closeWords[value]}
              </label>
            ))}
          </div>
          <small>Quitting always stops them. Without a tray, start Muster again to get the window back.</small>
        </fieldset>
      )}
      <SubjectError subject="settings">
        {shown === null && (
          <Button small onClick={read}>
            Try again
          </Button>
        )}
      </SubjectError>
    </Group>
  );
}

/** An installed app brings its command line, whose place differs by system. */
function CommandLine() {
  const command = useSignal<string | null>(null);
  useEffect(() => {
    if (!connected.value) return;
    void attempt('about', async () => {
      command.value = (await api().about()).command;
    });
  }, [connected.value]);
  return (
    <Group title="Command line">
      <p>Every action of this window is a command, and both see the same clusters.</p>
      {command.value !== null && (
        <p>
          <code>{command.value} --help</code> <CopyButton text={command.value} label="Copy the command" />
        </p>
      )}
      <SubjectError subject="about" />
    </Group>
  );
}

export function SettingsScreen() {
  return (
    <main class="page">
      <h1>Settings</h1>
      <Group title="Look">
        <Choice name="theme" />
        <Choice name="density" />
        <Choice name="motion" />
      </Group>
      <CloseWindow />
      <CommandLine />
      <Group title="Keyboard">
        <label class="field-inline">
          <input
            type="checkbox"
            checked={preferences.value.letterKeys}
            onChange={(event) => prefer({ letterKeys: event.currentTarget.checked })}
          />
          Single letters act on the focused card or panel
        </label>
      </Group>
    </main>
  );
}
