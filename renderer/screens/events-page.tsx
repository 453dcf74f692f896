// The event browser: types and aggregates, filters, the list with a column per node, and one event in full (ux.md §9).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type {
  EventDetail,
  EventFilter,
  EventPage,
  EventRow,
  EventTree,
  ReplicaMark,
} from '../../electron/contract/events.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { clockMs, count, plural } from '../format.ts';
import { EventTypes } from '../parts/event-types.tsx';
import { Button, CopyButton, isBusy, SubjectError } from '../parts/controls.tsx';
import { api, attempt, commandsBlocked, context as shownContext, wantedContext } from '../store.ts';

const PAGE_EVENTS = 200;
/** Rows kept in the page; older ones leave. */
const ROWS_MAX = 2000;
const TAIL_MS = 1000;
const marks: Readonly<Record<ReplicaMark, { readonly glyph: string; readonly word: string }>> = {
  durable: { glyph: '●', word: 'durable' },
  appended: { glyph: '◐', word: 'appended, not committed' },
  absent: { glyph: '–', word: 'absent' },
  unknown: { glyph: '?', word: 'not known' },
};

/** Filters stay when one comes back to the page (per context). */
const kept = new Map<string, EventFilter>();

const readable = (payload: string): string => {
  const text = new TextDecoder().decode(Uint8Array.from(atob(payload), (character) => character.charCodeAt(0)));
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const hex = (payload: string): string =>
  [...atob(payload)].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');

function Detail({ detail }: { readonly detail: EventDetail }) {
  const raw = useSignal(false);
  const text = readable(detail.payload);
  return (
    <section class="event-detail" aria-label={`Event ${detail.token}`}>
      <header class="button-row">
        <h3>
          {detail.type} <span class="hint">#{detail.token}</span>
        </h3>
        <CopyButton text={text} label="Copy the payload" />
        <CopyButton
          text={`.given(new ${detail.type.split('.').at(-1) ?? ''}(${JSON.stringify(text)}))`}
          label="Copy as test given"
        />
        <label class="field-inline push">
          <input
            type="checkbox"
            checked={raw.value}
            onChange={(event) => {
              raw.value = event.currentTarget.checked;
            }}
          />
          Hex
        </label>
      </header>
      <dl class="facts">
        <dt>Id</dt>
        <dd>{detail.id}</dd>
        {detail.aggregateId !== '' && (
          <>
            <dt>Aggregate</dt>
            <dd>
              {detail.aggregateType} {detail.aggregateId} #{count(detail.sequence)}
            </dd>
          </>
        )}
        {detail.tags.length > 0 && (
          <>
            <dt>Tags</dt>
            <dd>{detail.tags.join(', ')}</dd>
          </>
        )}
        {Object.entries(detail.metaData).map(([key, value]) => (
          <>
            <dt>{key}</dt>
            <dd>{String(value)}</dd>
          </>
        ))}
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0}>{raw.value ? hex(detail.payload) : text}</pre>
    </section>
  );
}

const fields = [
  { key: 'text', label: 'Text' },
  { key: 'type', label: 'Type' },
  { key: 'aggregate', label: 'Aggregate or tag' },
  { key: 'meta', label: 'Metadata key=value' },
] as const;

function Table(props: {
  readonly view: ClusterView;
  readonly rows: readonly EventRow[];
  readonly picked: number | null;
  readonly onPick: (token: number) => void;
}) {
  const { view, rows, picked, onPick } = props;
  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const next = rows[rows.findIndex((row) => row.token === picked) + by];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    onPick(next.token);
  };
  return (
    <section
      class="table-scroll events-scroll"
      aria-label="Events; arrow keys choose one"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
      tabIndex={0}
      onKeyDown={move}
    >
      <table class="events">
        <thead>
          <tr>
            <th scope="col" class="number">
              Token
            </th>
            <th scope="col">Time</th>
            <th scope="col">Type</th>
            <th scope="col">Aggregate</th>
            <th scope="col" class="number">
              Seq
            </th>
            <th scope="col" class="number">
              Bytes
            </th>
            {view.nodes.map((node) => (
              <th key={node.name} scope="col" title={node.name}>
                n{node.name.slice(5)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.token} class={row.token === picked ? 'is-picked' : ''} onClick={() => onPick(row.token)}>
              <td class="number">
                <button
                  type="button"
                  class="token"
                  aria-pressed={row.token === picked}
                  onClick={() => onPick(row.token)}
                >
                  {row.token}
                </button>
              </td>
              <td>{clockMs(row.timestamp)}</td>
              <td>{row.type}</td>
              <td>{row.aggregateId === '' ? row.tags.join(', ') : row.aggregateId}</td>
              <td class="number">{row.sequence ?? ''}</td>
              <td class="number">{count(row.size)}</td>
              {view.nodes.map((node) => {
                const mark = marks[row.replicas[node.name] ?? 'absent'];
                return (
                  <td key={node.name} title={`${node.name}: ${mark.word}`}>
                    <span aria-hidden="true">{mark.glyph}</span>
                    <span class="visually-hidden">{mark.word}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function AppendForm({
  cluster,
  context,
  onDone,
}: {
  readonly cluster: string;
  readonly context: string;
  readonly onDone: () => void;
}) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(data.get(name) ?? '');
    void attempt('append', async () => {
      await api().appendEvent(cluster, context, {
        type: text('type'),
        revision: '',
        aggregateType: text('aggregateType'),
        aggregateId: text('aggregateId'),
        sequence: null,
        payload: text('payload'),
        metaData: {},
        tags: text('tags')
          .split(/[\s,]+/)
          .filter((tag) => tag !== ''),
      });
      onDone();
    });
  };
  return (
    <form class="append-form button-row" onSubmit={submit} aria-label="Append an event">
      <input type="text" name="type" required placeholder="Type" aria-label="Type of the event" />
      <input type="text" name="aggregateType" placeholder="Aggregate type" aria-label="Aggregate type" />
      <input type="text" name="aggregateId" placeholder="Aggregate" aria-label="Aggregate" />
      <input type="text" name="tags" placeholder="Tags key=value (DCB)" aria-label="Tags" />
      <input type="text" name="payload" placeholder='Payload, {"amount": 5}' aria-label="Payload" />
      <button type="submit" class="button small" disabled={isBusy('append') || commandsBlocked.value !== null}>
        Append
      </button>
      <SubjectError subject="append" />
    </form>
  );
}

function honest(page: EventPage, shown: number): string {
  const seen = `${plural(shown, 'event')} of ${count(page.scanned)} looked at`;
  return page.next === null ? `${seen}: all there are.` : `${seen}; more follow.`;
}

function Browser({ view, name }: { readonly view: ClusterView; readonly name: string }) {
  const filter = useSignal<EventFilter>(kept.get(`${view.name} ${name}`) ?? {});
  const rows = useSignal<readonly EventRow[]>([]);
  const page = useSignal<EventPage | null>(null);
  const tree = useSignal<EventTree | null>(null);
  const detail = useSignal<EventDetail | null>(null);
  const tail = useSignal(false);
  const adding = useSignal(false);
  const read = (from: number | null, keep: boolean): Promise<boolean> =>
    attempt('events', async () => {
      const answer = await api().readEvents(view.name, name, {
        filter: filter.peek(),
        fromToken: from,
        max: PAGE_EVENTS,
      });
      rows.value = [...(keep ? rows.peek() : []), ...answer.events].slice(-ROWS_MAX);
      page.value = answer;
    });
  const refresh = (): void => {
    kept.set(`${view.name} ${name}`, filter.peek());
    void read(null, false);
    void attempt('events', async () => {
      tree.value = await api().eventTree(view.name, name);
    });
  };
  useEffect(refresh, [name, view.name]);
  useEffect(() => {
    if (!tail.value) return undefined;
    const timer = setInterval(() => {
      const last = page.peek();
      if (!isBusy('events')) void read(last === null ? null : (last.next ?? last.lastToken + 1), true);
    }, TAIL_MS);
    return () => clearInterval(timer);
  }, [tail.value]);
  const pick = (token: number): void => {
    void attempt('events', async () => {
      detail.value = await api().readEvent(view.name, name, token);
    });
  };
  const choose = (change: EventFilter): void => {
    filter.value = { ...filter.peek(), ...change };
    refresh();
  };
  const open = page.value === null ? [] : Object.entries(page.value.uncommitted);
  return (
    <>
      <SubjectError subject="events" />
      <form
        class="button-row"
        aria-label="Filter events"
        onSubmit={(event) => {
          event.preventDefault();
          refresh();
        }}
      >
        {fields.map(({ key, label }) => (
          <input
            key={key}
            type="search"
            placeholder={label}
            aria-label={label}
            value={filter.value[key] ?? ''}
            onChange={(event) => choose({ [key]: event.currentTarget.value })}
          />
        ))}
        <label class="field-inline">
          <input
            type="checkbox"
            checked={tail.value}
            onChange={(event) => {
              tail.value = event.currentTarget.checked;
            }}
          />
          Tail
        </label>
        <Button small onClick={refresh}>
          Refresh
        </Button>
        <Button
          small
          aria-expanded={adding.value}
          onClick={() => {
            adding.value = !adding.peek();
          }}
        >
          Append…
        </Button>
        <span class="hint push" role="status">
          {page.value === null ? 'Reading…' : honest(page.value, rows.value.length)}
        </span>
      </form>
      {adding.value && <AppendForm cluster={view.name} context={name} onDone={refresh} />}
      {open.map(([node, number]) => (
        <p key={node} class="warning" role="note">
          {plural(number, 'event')} in the log of {node}: appended, not committed.
        </p>
      ))}
      <div class="event-grid">
        <nav class="event-tree" aria-label="Types and aggregates">
          {tree.value !== null && <EventTypes tree={tree.value} onPick={choose} />}
        </nav>
        {page.value !== null && rows.value.length === 0 ? (
          <p class="empty">
            {page.value.lastToken < 0 ? `${name} has no events yet.` : 'No event matches the filter.'}
          </p>
        ) : (
          <Table view={view} rows={rows.value} picked={detail.value?.token ?? null} onPick={pick} />
        )}
        {detail.value !== null && <Detail detail={detail.value} />}
      </div>
      {page.value?.next !== null && page.value !== null && (
        <Button
          small
          blocked={isBusy('events') && 'Under way'}
          onClick={() => void read(page.peek()?.next ?? null, true)}
        >
          Show more
        </Button>
      )}
    </>
  );
}

export function EventsPage({ view }: { readonly view: ClusterView }) {
  const names = view.contexts.map((one) => one.name).filter((one) => !one.startsWith('_'));
  const shown = names.find((one) => one === shownContext.value?.name) ?? names[0];
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
      </header>
      {readableNow ? (
        <Browser key={shown} view={view} name={shown} />
      ) : (
        <p class="empty">The cluster is stopped. Start it to read its events.</p>
      )}
    </section>
  );
}
