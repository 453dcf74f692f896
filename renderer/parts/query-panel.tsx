// The query language over the events of a context: text, answer as a table, what is wrong marked in its place (ux.md §9).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { placeIn, QUERY_CHARS_MAX, valueText } from '../../electron/contract/query.ts';
import type { QueryAnswer } from '../../electron/contract/query.ts';
import { count, cutText, plural } from '../format.ts';
import { api, attempt, commandsBlocked, errors, setError } from '../store.ts';
import { Button, isBusy, SubjectError } from './controls.tsx';

const SUBJECT = 'query';
const LIVE_MS = 2000;
const CELL_CHARS_MAX = 300;
const EXAMPLES = [
  'payloadType contains "Card"',
  'groupby(payloadType, count() as events)',
  'aggregateIdentifier = "card-1"',
];
/** The last text of each cluster, for whoever comes back. */
const kept = new Map<string, string>();

function Answer({ answer }: { readonly answer: QueryAnswer }) {
  if (answer.rows.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-scroll query-answer" aria-label="Answer of the query" tabIndex={0}>
      <table class="apps">
        <thead>
          <tr>
            {answer.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.rows.map((row, i) => (
            <tr key={`${i}`}>
              {row.map((value, column) => (
                <td key={answer.columns[column]} class={typeof value === 'number' ? 'number' : ''}>
                  {cutText(valueText(value), CELL_CHARS_MAX)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function QueryPanel({ cluster, context }: { readonly cluster: string; readonly context: string }) {
  const text = useSignal(kept.get(cluster) ?? '');
  const answer = useSignal<QueryAnswer | null>(null);
  const live = useSignal(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const turn = useRef(0);
  useEffect(() => () => setError(SUBJECT, null), []);
  const run = async (again = false): Promise<void> => {
    const asked = text.peek();
    const mine = ++turn.current;
    kept.set(cluster, asked);
    const work = async (): Promise<void> => {
      const told = await api().queryEvents(cluster, context, asked);
      if (mine === turn.current) answer.value = told;
    };
    if (await attempt(SUBJECT, work, again)) return again ? setError(SUBJECT, null) : undefined;
    // What was told before is no answer to this.
    [live.value, answer.value] = [false, null];
    const place = placeIn(errors.peek()[SUBJECT]?.why ?? '');
    if (place === null || again || text.peek() !== asked) return;
    field.current?.focus();
    field.current?.setSelectionRange(place, place + 1);
  };
  useEffect(() => {
    if (!live.value) return undefined;
    const timer = setInterval(() => void (isBusy(SUBJECT) || run(true)), LIVE_MS);
    return () => clearInterval(timer);
  }, [live.value]);
  const blocked = commandsBlocked.value ?? (isBusy(SUBJECT) && !live.value && 'Under way');
  const shown = answer.value;
  return (
    <section class="query-panel" aria-label="Query">
      <label class="field">
        <span>Query of all events so far (Ctrl+Enter runs it; empty: the last 200)</span>
        <textarea
          ref={field}
          rows={2}
          spellcheck={false}
          maxLength={QUERY_CHARS_MAX}
          placeholder={EXAMPLES[0]}
          aria-invalid={errors.value[SUBJECT] !== undefined}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            if (blocked === false) void run();
          }}
        />
      </label>
      <p class="button-row">
        <Button small kind="primary" blocked={blocked} onClick={() => void run()}>
          Run
        </Button>
        <label class="field-inline">
          <input
            type="checkbox"
            checked={live.value}
            disabled={commandsBlocked.value !== null}
            onChange={(event) => {
              live.value = event.currentTarget.checked;
              if (live.peek()) void run();
            }}
          />
          Again every 2 s
        </label>
        {EXAMPLES.map((one) => (
          <Button
            key={one}
            small
            kind="quiet"
            onClick={() => {
              text.value = one;
              field.current?.focus();
            }}
          >
            <code>{one}</code>
          </Button>
        ))}
        <span class="hint push" role="status">
          {shown !== null &&
            `${plural(shown.rows.length, 'row')} in ${count(shown.tookMs)} ms${shown.more ? ', the first of more: say limit(…), or ask for less' : ''}`}
        </span>
      </p>
      <SubjectError subject={SUBJECT} />
      {shown !== null && <Answer answer={shown} />}
    </section>
  );
}
