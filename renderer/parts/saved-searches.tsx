// Filters under a name, shared by every window and `muster search` (ux.md §9).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { SEARCH_NAME_CHARS_MAX } from '../../electron/contract/check-records.ts';
import type { SavedSearch } from '../../electron/contract/records.ts';
import { tellDone } from '../announce.ts';
import { api, attempt, connected, searches } from '../store.ts';
import { Button, isBusy, SubjectError } from './controls.tsx';
import { CloseIcon } from './icons.tsx';

const SUBJECT = 'searches';

function NameForm(props: {
  readonly label: string;
  readonly act: string;
  readonly name: string;
  readonly onName: (name: string) => Promise<boolean>;
  readonly onDone: () => void;
}) {
  const name = useSignal(props.name);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="search-name"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = name.peek().trim();
        if (wanted !== '' && !isBusy(SUBJECT)) void props.onName(wanted).then((done) => done && props.onDone());
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        props.onDone();
      }}
    >
      <input
        type="text"
        ref={field}
        autocomplete="off"
        maxLength={SEARCH_NAME_CHARS_MAX}
        aria-label={props.label}
        placeholder={props.label}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="button small" disabled={name.value.trim() === '' || isBusy(SUBJECT)}>
        {props.act}
      </button>
    </form>
  );
}

const change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>): Promise<boolean> =>
  attempt(SUBJECT, async () => {
    await work();
    tellDone(done, undo && (() => void change(undo, 'That is taken back.')));
  });

function Search({ cluster, one, words, onPick }: SearchProps) {
  const renaming = useSignal(false);
  if (renaming.value) {
    return (
      <NameForm
        label={`New name of ${one.name}`}
        act="Rename"
        name={one.name}
        onName={(to) =>
          change(
            () => api().renameSearch(cluster, one.name, to),
            `The search is now called ${to}.`,
            () => api().renameSearch(cluster, to, one.name),
          )
        }
        onDone={() => {
          renaming.value = false;
        }}
      />
    );
  }
  return (
    <div class="saved-search">
      <button
        type="button"
        class="tree-leaf"
        aria-pressed={one.words === words}
        title={one.words}
        onClick={() => onPick(one.words)}
      >
        {one.name}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={`Rename search ${one.name}`}
        title="Rename"
        disabled={!connected.value}
        onClick={() => {
          renaming.value = true;
        }}
      >
        ✎
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={`Delete search ${one.name}`}
        title="Delete"
        disabled={!connected.value}
        onClick={() =>
          void change(
            () => api().removeSearch(cluster, one.name),
            `Search ${one.name} is deleted.`,
            () => api().saveSearch(cluster, one.name, one.words),
          )
        }
      >
        <CloseIcon />
      </button>
    </div>
  );
}

interface SearchProps {
  readonly cluster: string;
  readonly one: SavedSearch;
  /** The filter that is shown. */
  readonly words: string;
  readonly onPick: (words: string) => void;
}

export function SavedSearches({ cluster, words, onPick }: Omit<SearchProps, 'one'>) {
  const naming = useSignal(false);
  useEffect(() => {
    if (!connected.value) return;
    void attempt(SUBJECT, async () => {
      searches.value = await api().searches(cluster);
    });
  }, [cluster, connected.value]);
  const all = searches.value ?? [];
  const saved = all.some((one) => one.words === words);
  return (
    <section class="saved-searches" aria-label="Saved searches">
      <h3>Saved searches</h3>
      {searches.value !== null && all.length === 0 && <p class="hint">None yet. Filter, then save it here.</p>}
      <ul>
        {all.map((one) => (
          <li key={one.name}>
            <Search cluster={cluster} one={one} words={words} onPick={onPick} />
          </li>
        ))}
      </ul>
      {naming.value ? (
        <NameForm
          label="Name of the search"
          act="Save"
          name=""
          onName={(name) => change(() => api().saveSearch(cluster, name, words), `Search ${name} is saved.`)}
          onDone={() => {
            naming.value = false;
          }}
        />
      ) : (
        <Button
          small
          blocked={
            !connected.value
              ? 'No connection to the launcher'
              : words === ''
                ? 'Filter first: the filter is what is saved'
                : saved && 'This filter is saved already'
          }
          onClick={() => {
            naming.value = true;
          }}
        >
          Save this search…
        </Button>
      )}
      <SubjectError subject={SUBJECT} />
    </section>
  );
}
