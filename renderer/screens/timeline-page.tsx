// What happened, as lanes and as a table, and the way back to any recorded moment (ux.md §10).
import { useEffect } from 'preact/hooks';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import { eventLine } from '../../electron/contract/history.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { clockMs, duration } from '../format.ts';
import { Button, CopyButton, SubjectError } from '../parts/controls.tsx';
import { Empty, StartAction } from '../parts/empty.tsx';
import { Lanes, signOf } from '../parts/lanes.tsx';
import { NoteCell } from '../parts/note-cell.tsx';
import { PastControls, Slider } from '../parts/past-bar.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import { loadHistory, lookAt, PAST_SUBJECT, recorded, showWindow, WINDOWS_MS, windowMs } from '../past.ts';
import { connected, past, timeline, wall } from '../store.ts';

const who = (event: TimelineEvent): string => (event.kind === 'user' ? 'you' : event.kind);
const textOf = (events: readonly TimelineEvent[]): string => events.map(eventLine).join('\n');

function Zoom() {
  return (
    <label class="inline-field">
      Shown{' '}
      <select
        value={String(windowMs.value)}
        onChange={(event) => {
          showWindow(Number(event.currentTarget.value));
        }}
      >
        {WINDOWS_MS.map((ms) => (
          <option key={ms} value={String(ms)}>
            {duration(ms).replace(/ 0[sm]$/, '')}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The event at or before the shown moment. */
function presentIndex(events: readonly TimelineEvent[]): number {
  const at = past.value?.at;
  return at === undefined ? -1 : events.findLastIndex((event) => event.at <= at);
}

function Events() {
  const events = timeline.value;
  const present = presentIndex(events);
  const first = recorded.value?.range?.from ?? Number.POSITIVE_INFINITY;
  const rows = events.map((event, index) => ({ event, index })).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap timeline-table" aria-label="What happened" tabIndex={0}>
      <table>
        <caption class="visually-hidden">What happened, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">
              <span class="visually-hidden">Show</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ event, index }) => (
            <tr key={event.id ?? `${event.at}:${index}`} aria-current={index === present ? 'true' : undefined}>
              <td>
                <time dateTime={new Date(event.at).toISOString()}>{clockMs(event.at)}</time>
              </td>
              <td class={`event-${event.kind}`}>{who(event)}</td>
              <th scope="row" class="what">
                <span class={`sign mark-${event.mark ?? 'none'}`} aria-hidden="true">
                  {signOf(event)}
                </span>
                {event.id === undefined ? event.text : <NoteCell id={event.id} at={event.at} text={event.text} />}
              </th>
              <td class="number">
                <Button
                  small
                  kind="quiet"
                  aria-label={`Show ${clockMs(event.at)}`}
                  blocked={event.at < first && 'Before the recording began'}
                  onClick={() => void lookAt(event.at)}
                >
                  Show
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function TimelinePage({ view }: { readonly view: ClusterView }) {
  const history = recorded.value;
  const live = past.value === null;
  const second = live ? Math.floor(wall.value / 1000) : 0;
  useEffect(() => {
    if (connected.value) void loadHistory();
  }, [view.name, second, connected.value]);
  const empty = history !== null && history.range === null;
  return (
    <section class="panel timeline-page" aria-labelledby="timeline-heading" aria-busy={history === null}>
      <header class="panel-head">
        <h2 id="timeline-heading">Timeline</h2>
        <span class="push" />
        {timeline.value.length > 0 && <CopyButton text={textOf(timeline.value)} label="Copy as text" />}
        <Zoom />
      </header>
      <SubjectError subject={PAST_SUBJECT} />
      {empty && (
        <Empty topic="timeline" action={view.state === 'stopped' && <StartAction name={view.name} />}>
          {view.state === 'stopped'
            ? 'No state is recorded yet. Start the cluster: from then on every change can be looked at again.'
            : 'The first state is about to be recorded.'}
        </Empty>
      )}
      {history !== null && !empty && (
        <div class="past-panel">
          <PastControls />
          <Lanes view={view} history={history} />
          <Slider />
          <RangeBar cluster={view.name} />
        </div>
      )}
      {timeline.value.length === 0 ? (
        <p class="empty">Nothing has happened yet. Starts, kills, elections and faults will be listed here.</p>
      ) : (
        <Events />
      )}
    </section>
  );
}
