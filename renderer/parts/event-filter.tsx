// The filter bar of the event browser: free text, and chips for what has a key (ux.md §9). Entry points: `EventFilterBar`, `keptWords`, `keepWords`.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { FILTER_CHARS_MAX, filterOf, parseTerms, termWords } from '../../electron/contract/event-words.ts';
import type { EventTerm } from '../../electron/contract/event-words.ts';
import { UsageError } from '../../electron/contract/grammar.ts';
import { CloseIcon } from './icons.tsx';

const KEY = 'muster.event-filters';
const KEPT_MAX = 50;

/** By cluster: a filter is found again by whoever comes back, also after the window was closed. */
function stored(): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

export function keptWords(cluster: string): string {
  const words = stored()[cluster];
  if (typeof words !== 'string') return '';
  try {
    filterOf(parseTerms(words), 0);
    return words;
  } catch {
    return '';
  }
}

export function keepWords(cluster: string, words: string): void {
  const others = Object.entries(stored()).filter(([name]) => name !== cluster);
  const all = words === '' ? others : [...others, [cluster, words]];
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(all.slice(-KEPT_MAX))));
}

/** New terms take the place of those with their key. */
export function withTerms(words: string, added: readonly EventTerm[]): string {
  const kindOf = ({ key }: EventTerm): string => (key.startsWith('meta.') ? 'meta' : key);
  const replaced = new Set(added.map(kindOf));
  const all = [...parseTerms(words).filter((term) => !replaced.has(kindOf(term))), ...added];
  return termWords([...all.filter(({ key }) => key !== 'text'), ...all.filter(({ key }) => key === 'text')]);
}

export function EventFilterBar(props: {
  readonly words: string;
  readonly onWords: (words: string) => void;
  readonly children: ComponentChildren;
}) {
  const { words, onWords } = props;
  const problem = useSignal<string | null>(null);
  const terms = parseTerms(words);
  const chips = terms.filter(({ key }) => key !== 'text');
  const text = termWords(terms.filter(({ key }) => key === 'text'));
  /** What is typed replaces the free text, and chips of the same key. */
  const take = (typed: string): void => {
    try {
      const next = withTerms(termWords(chips), parseTerms(typed));
      filterOf(parseTerms(next), Date.now());
      problem.value = null;
      if (next !== words) onWords(next);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problem.value = error.message;
    }
  };
  return (
    <>
      <form
        class="button-row event-filter"
        aria-label="Filter events"
        onSubmit={(event) => {
          event.preventDefault();
          const field = new FormData(event.currentTarget).get('words');
          take(String(field ?? ''));
        }}
      >
        {chips.map((term) => (
          <button
            key={term.key}
            type="button"
            class="removable-chip"
            aria-label={`Remove the filter ${termWords([term])}`}
            title="Remove"
            onClick={() => onWords(termWords(terms.filter((one) => one !== term)))}
          >
            {termWords([term])} <CloseIcon />
          </button>
        ))}
        <input
          key={words}
          type="search"
          name="words"
          class="event-words"
          maxLength={FILTER_CHARS_MAX}
          placeholder="Text, type:Card* agg:card-1 meta.user:ada from:10m to:2m"
          aria-label="Filter: text, and type: agg: meta.key: from: to:"
          aria-invalid={problem.value !== null}
          aria-describedby="event-filter-problem"
          defaultValue={text}
          onBlur={(event) => take(event.currentTarget.value)}
          onInput={(event) => event.currentTarget.value === '' && take('')}
        />
        {props.children}
      </form>
      <p id="event-filter-problem" class="warning" role="alert" hidden={problem.value === null}>
        {problem.value}
      </p>
    </>
  );
}
