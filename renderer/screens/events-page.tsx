// The event browser: saved searches, types and aggregates, filter, the list with a column per node, one event in full (ux.md §9).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { EVENT_SUBJECT, EVENTS_SUBJECT, eventListOf, ROWS_MAX } from '../event-list.ts';
import type { EventList, Tail } from '../event-list.ts';
import { clockMs, count, plural } from '../format.ts';
import { AppendForm } from '../parts/append-form.tsx';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { Empty, StartAction } from '../parts/empty.tsx';
import { EventDetails } from '../parts/event-details.tsx';
import { EventFilterBar, keepWords, keptWords, withTerms } from '../parts/event-filter.tsx';
import { EventTable } from '../parts/event-table.tsx';
import { EventTypes } from '../parts/event-types.tsx';
import { QueryPanel } from '../parts/query-panel.tsx';
import { SavedSearches } from '../parts/saved-searches.tsx';
import { commandsBlocked, past, context as shownContext, wantedContext } from '../store.ts';

const TAIL_MS = 1000;
/** The slider of the past is let go of before events are read again. */
const PAST_SETTLED_MS = 250;

function honest(list: EventList, tail: Tail): string {
  const page = list.page.value;
  if (page === null) return 'Reading…';
  const kept = list.dropped.value > 0 ? `the last ${count(ROWS_MAX)} of ` : '';
  const seen = `${kept}${plural(list.found, 'event')} of ${count(list.scanned.value)} looked at`;
  if (tail === 'paused') return `${seen}; the tail is paused.`;
  if (tail === 'on') return `${seen}; new ones are added.`;
  return page.next === null ? `${seen}: all there are.` : `${seen}; more follow.`;
}

function NoEvents({ list, name }: { readonly list: EventList; readonly name: string }) {
  const page = list.page.value;
  if (page === null) return null;
  const words =
    page.lastToken < 0
      ? `${name} has no events yet.`
      : page.next === null
        ? 'No event matches the filter.'
        : `No event matches among the ${count(list.scanned.value)} looked at so far.`;
  return <Empty topic="events">{words}</Empty>;
}

function TailButtons({ tail, onTail }: { readonly tail: Tail; readonly onTail: (tail: Tail) => void }) {
  return (
    <>
      <label class="field-inline">
        <input
          type="checkbox"
          checked={tail !== 'off'}
          disabled={past.value !== null}
          onChange={(event) => onTail(event.currentTarget.checked ? 'on' : 'off')}
        />
        Tail
      </label>
      {tail !== 'off' && (
        <Button small aria-pressed={tail === 'paused'} onClick={() => onTail(tail === 'paused' ? 'on' : 'paused')}>
          {tail === 'paused' ? 'Go on' : 'Pause'}
        </Button>
      )}
    </>
  );
}

function Browser({ view, name }: { readonly view: ClusterView; readonly name: string }) {
  const words = useSignal(keptWords(view.name));
  const list = eventListOf(view.name, name);
  const { tail } = list;
  const adding = useSignal(false);
  const isFirst = useRef(true);
  const at = past.value?.at ?? null;
  const refresh = (): void => void list.begin(words.peek());
  const choose = (next: string): void => {
    words.value = next;
    keepWords(view.name, next);
    refresh();
  };
  useEffect(() => {
    const comesBack = isFirst.current;
    isFirst.current = false;
    if (at !== null) tail.value = 'off';
    if (comesBack) return void list.resume(words.peek());
    if (at === null) return refresh();
    const settled = setTimeout(refresh, PAST_SETTLED_MS);
    return () => clearTimeout(settled);
  }, [list, at]);
  const isTailing = tail.value === 'on';
  useEffect(() => {
    if (!isTailing) return undefined;
    const timer = setInterval(() => {
      if (!isBusy(EVENTS_SUBJECT)) void list.follow(words.peek());
    }, TAIL_MS);
    return () => clearInterval(timer);
  }, [isTailing, list]);
  const page = list.page.value;
  return (
    <>
      <SubjectError subject={EVENTS_SUBJECT} />
      <EventFilterBar words={words.value} onWords={choose}>
        <TailButtons
          tail={tail.value}
          onTail={(next) => {
            const begins = tail.peek() === 'off';
            tail.value = next;
            if (begins) refresh();
          }}
        />
        <Button small onClick={refresh}>
          Refresh
        </Button>
        <Button
          small
          aria-expanded={adding.value}
          blocked={commandsBlocked.value ?? false}
          onClick={() => {
            adding.value = !adding.peek();
          }}
        >
          Append…
        </Button>
        <span class="hint push" role="status">
          {honest(list, tail.value)}
        </span>
      </EventFilterBar>
      {adding.value && <AppendForm cluster={view.name} context={name} onDone={refresh} />}
      {at !== null && (
        <p class="warning" role="note">
          Events up to {clockMs(at)}: the past is shown.
        </p>
      )}
      {Object.entries(page?.uncommitted ?? {}).map(([node, number]) => (
        <p key={node} class="warning" role="note">
          {plural(number, 'event')} in the log of {node}: appended, not committed.
        </p>
      ))}
      <div class="event-grid">
        <div class="event-tree">
          <SavedSearches cluster={view.name} words={words.value} onPick={choose} />
          <nav aria-label="Types and aggregates">
            <h3>Aggregates</h3>
            {list.tree.value !== null && (
              <EventTypes
                tree={list.tree.value}
                onPick={(id) => choose(withTerms(words.peek(), [{ key: 'agg', value: id }]))}
              />
            )}
          </nav>
        </div>
        {list.rows.value.length === 0 ? <NoEvents list={list} name={name} /> : <EventTable view={view} list={list} />}
        <div class="event-side">
          <SubjectError subject={EVENT_SUBJECT} />
          {list.detail.value !== null && <EventDetails detail={list.detail.value} />}
        </div>
      </div>
      {page !== null && page.next !== null && !isTailing && (
        <Button small blocked={isBusy(EVENTS_SUBJECT) && 'Under way'} onClick={() => void list.more(words.peek())}>
          Continue
        </Button>
      )}
    </>
  );
}

export function EventsPage({ view }: { readonly view: ClusterView }) {
  const names = view.contexts.map((one) => one.name).filter((one) => !one.startsWith('_'));
  const shown = names.find((one) => one === shownContext.value?.name) ?? names[0];
  const asking = useSignal(false);
  const readableNow = view.state !== 'stopped' && shown !== undefined;
  return (
    <section class="panel events-page" aria-labelledby="events-heading">
      <header class="panel-head">
        <h2 id="events-heading">Events</h2>
        <select
          aria-label="Context"
          value={shown ?? ''}
          onChange={(event) => {
            wantedContext.value = event.currentTarget.value;
          }}
        >
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <span class="hint">● durable ◐ appended, not committed – absent</span>
        <span class="push" />
        <Button
          small
          aria-expanded={asking.value}
          blocked={!readableNow && 'The cluster is stopped'}
          onClick={() => {
            asking.value = !asking.peek();
          }}
        >
          Query…
        </Button>
      </header>
      {readableNow && asking.value && <QueryPanel key={`query ${shown}`} cluster={view.name} context={shown} />}
      {readableNow ? (
        <Browser key={shown} view={view} name={shown} />
      ) : (
        <Empty topic="events" action={<StartAction name={view.name} />}>
          The cluster is stopped. Start it to read its events.
        </Empty>
      )}
    </section>
  );
}
