// What the groups of the settings are made of: a titled section, a choice of few, a number that is checked by the launcher.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { AppSettings } from '../../electron/contract/settings.ts';
import { settings } from '../settings.ts';
import { api, attempt, connected, pending } from '../store.ts';
import { Button, SubjectError } from './controls.tsx';

export function Group({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="settings-group" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Choice<T extends string>(props: {
  readonly legend: string;
  readonly name: string;
  readonly words: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onChoose: (value: T) => void;
  readonly disabled?: boolean;
  readonly note?: string;
}) {
  return (
    <fieldset class="field" disabled={props.disabled ?? false}>
      <legend>{props.legend}</legend>
      <div class="segments">
        {(Object.entries(props.words) as [T, string][]).map(([value, word]) => (
          <label key={value} class="segment">
            <input
              type="radio"
              name={props.name}
              checked={props.value === value}
              onChange={() => props.onChoose(value)}
            />
            {word}
          </label>
        ))}
      </div>
      {props.note !== undefined && <small>{props.note}</small>}
    </fieldset>
  );
}

export type Changeable = Omit<AppSettings, 'controlPort'>;

/** Errors stay at the subject of the setting. */
export function changeSetting(subject: string, change: Partial<Changeable>): Promise<boolean> {
  return attempt(subject, async () => {
    settings.value = await api().changeSettings(change);
  });
}

/** One setting that the launcher keeps, of few values. */
export function SharedChoice<K extends Exclude<keyof Changeable, 'firstPort'>>(props: {
  readonly setting: K;
  readonly legend: string;
  readonly words: Readonly<Record<AppSettings[K], string>>;
  readonly note?: string;
}) {
  const { setting } = props;
  const shown = settings.value;
  if (shown === null) return null;
  const subject = `setting:${setting}`;
  return (
    <div aria-busy={pending.value.has(subject)}>
      <Choice<AppSettings[K]>
        legend={props.legend}
        name={setting}
        words={props.words}
        value={shown[setting]}
        disabled={!connected.value}
        {...(props.note === undefined ? {} : { note: props.note })}
        onChoose={(value) => void changeSetting(subject, { [setting]: value } as Partial<Changeable>)}
      />
      <SubjectError subject={subject} />
    </div>
  );
}

/** A port that takes effect with its button, so that a half-typed number is never refused. */
export function PortField(props: {
  readonly label: string;
  readonly note: string;
  /** Null: an empty field. */
  readonly value: number | null;
  readonly subject: string;
  /** What an empty field means; without it, one is not saved. */
  readonly emptyMeans?: string;
  readonly onSave: (port: number | null) => void;
}) {
  const typed = useSignal<string | null>(null);
  const present = props.value === null ? '' : String(props.value);
  const text = typed.value ?? present;
  const unchanged = text === present && 'Nothing is changed';
  const empty = text === '' && props.emptyMeans === undefined && 'Type a port';
  const save = (): void => {
    typed.value = null;
    props.onSave(text === '' ? null : Number(text));
  };
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        if (unchanged === false && empty === false) save();
      }}
    >
      <label>
        <span>{props.label}</span>
        <span class="field-row">
          <input
            type="number"
            inputMode="numeric"
            value={text}
            placeholder={props.emptyMeans ?? ''}
            disabled={!connected.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
          <Button blocked={(!connected.value && 'No connection to the launcher') || unchanged || empty} onClick={save}>
            Save
          </Button>
        </span>
      </label>
      <small>{props.note}</small>
      <SubjectError subject={props.subject} />
    </form>
  );
}
