// Logs of one node or of all, with level, search and follow; a plain-text twin for reading aloud and for copying (ux.md §7).
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { count } from '../format.ts';
import { SEARCH_EVENT } from '../keys.ts';
import { logs } from '../logs.ts';
import { timeFormat } from '../settings.ts';
import { assistive, logNode } from '../store.ts';
import { SubjectError, Swatch } from './controls.tsx';
import { Clear, TakeAway } from './log-actions.tsx';
import { DownIcon, SearchIcon, UpIcon } from './icons.tsx';
import type { Level, LogFilter } from './log-terminal.ts';
import { NodeActions } from './node-actions.tsx';
import { LogTerminal, levels, PLAIN_LINES_MAX, passes, plainLine } from './log-terminal.ts';

/** Rounding of a scaled display may leave the end this far below the window. */
const SCROLL_SLACK_PX = 4;

function NodeTabs({ view }: { readonly view: ClusterView }) {
  const tabs = [null, ...view.nodes.map((node) => node.name)];
  return (
    <fieldset class="segments small">
      <legend class="visually-hidden">Log of</legend>
      {tabs.map((name, i) => (
        <label key={name ?? ''} class="segment">
          <input
            type="radio"
            name="log-node"
            checked={logNode.value === name}
            onChange={() => {
              logNode.value = name;
            }}
          />
          {name !== null && <Swatch index={i - 1} />}
          {name ?? 'All'}
        </label>
      ))}
    </fieldset>
  );
}

function PlainLog(props: Pick<LogFilter, 'level' | 'context'> & { readonly wrap: boolean }) {
  const { level, context, wrap } = props;
  const text = useSignal('');
  const element = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  const node = logNode.value;
  useEffect(() => {
    const show = (): void => {
      const filter = { node, level, context };
      const lines = logs.all.filter((entry) => passes(filter, entry)).slice(-PLAIN_LINES_MAX);
      text.value = lines.map((entry) => plainLine(entry, node === null)).join('\n');
    };
    show();
    return logs.subscribe(show);
  }, [node, level, context, text, timeFormat.value]);
  const shown = text.value;
  useLayoutEffect(() => {
    if (shown !== '' && following.current && element.current !== null)
      element.current.scrollTop = element.current.scrollHeight;
  }, [shown]);
  const onScroll = (): void => {
    const pre = element.current;
    if (pre !== null) following.current = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - SCROLL_SLACK_PX;
  };
  return (
    <pre
      ref={element}
      onScroll={onScroll}
      class={wrap ? 'plain-log' : 'plain-log unwrapped'}
      role="log"
      aria-label={`Log of ${node ?? 'all nodes'}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
      tabIndex={0}
    >
      {shown === '' ? 'Nothing logged yet.' : shown}
    </pre>
  );
}

/** One of a few words; the first is for all. */
function Picked(props: {
  readonly label: string;
  readonly value: string;
  readonly words: readonly (readonly [value: string, word: string])[];
  readonly onPick: (value: string) => void;
}) {
  return (
    <label class="field-inline">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onPick(event.currentTarget.value)}>
        {props.words.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

export function LogPane({ view }: { readonly view: ClusterView }) {
  const host = useRef<HTMLDivElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const terminal = useRef<LogTerminal | null>(null);
  const level = useSignal<Level>('info');
  const wanted = useSignal('');
  /** Null: not chosen here. A terminal that much is written to can hold a screen reader up (ux.md §7). */
  const plain = useSignal<boolean | null>(null);
  const wrap = useSignal(true);
  const query = useSignal('');
  const matches = useSignal<{ readonly index: number; readonly count: number }>({ index: -1, count: 0 });
  const follow = useSignal(true);
  const unseen = useSignal(0);
  const order = useRef<readonly string[]>([]);
  order.current = view.nodes.map((node) => node.name);
  const isPlain = plain.value ?? assistive.value;
  // A context that is gone, with its cluster or by itself, hides nothing.
  const context = view.contexts.some(({ name }) => name === wanted.value) ? wanted.value : null;
  const shownContext = useRef(context);
  shownContext.current = context;

  useEffect(() => {
    if (isPlain || host.current === null) return;
    const made = new LogTerminal(
      host.current,
      { node: logNode.peek(), level: level.peek(), context: shownContext.current },
      (node) => order.current.indexOf(node),
      {
        onFollow: (atEnd) => {
          follow.value = atEnd;
          if (atEnd) unseen.value = 0;
        },
        onNewLines: (added) => {
          if (!follow.peek()) unseen.value += added;
        },
        onMatches: (index, count) => {
          matches.value = { index, count };
        },
      },
    );
    terminal.current = made;
    return () => {
      made.dispose();
      terminal.current = null;
    };
  }, [isPlain, follow, level, matches, unseen]);

  const filter: LogFilter = { node: logNode.value, level: level.value, context };
  useEffect(() => terminal.current?.setFilter(filter), [filter.node, filter.level, context]);
  useEffect(() => {
    const focus = (): void => searchField.current?.focus();
    window.addEventListener(SEARCH_EVENT, focus);
    return () => window.removeEventListener(SEARCH_EVENT, focus);
  }, []);

  const shownNode = view.nodes.find((one) => one.name === filter.node);
  const find = (direction: 'next' | 'previous'): void => terminal.current?.find(query.value, direction);
  return (
    <div class="log-pane">
      <div class="toolbar" role="toolbar" aria-label="Log">
        <NodeTabs view={view} />
        <Picked
          label="Level"
          value={level.value}
          words={levels.map((one) => [one, one])}
          onPick={(picked) => {
            level.value = picked as Level;
          }}
        />
        <Picked
          label="Context"
          value={context ?? ''}
          words={[['', 'all'], ...view.contexts.map(({ name }) => [name, name] as const)]}
          onPick={(picked) => {
            wanted.value = picked;
          }}
        />
        <search class="log-search">
          <SearchIcon />
          <input
            ref={searchField}
            type="search"
            placeholder="Search, or /regex/"
            aria-label="Search the log"
            disabled={isPlain}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
              find('next');
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') find(event.shiftKey ? 'previous' : 'next');
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
          />
          {query.value !== '' && (
            <>
              <output>
                {matches.value.count === 0 ? 'none' : `${matches.value.index + 1}/${matches.value.count}`}
              </output>
              <button type="button" class="icon-button" aria-label="Previous match" onClick={() => find('previous')}>
                <UpIcon />
              </button>
              <button type="button" class="icon-button" aria-label="Next match" onClick={() => find('next')}>
                <DownIcon />
              </button>
            </>
          )}
        </search>
        <span class="push" />
        <label class="field-inline">
          <input
            type="checkbox"
            checked={isPlain}
            onChange={(event) => {
              plain.value = event.currentTarget.checked;
            }}
          />
          Plain text
        </label>
        {isPlain && (
          <label class="field-inline">
            <input
              type="checkbox"
              checked={wrap.value}
              onChange={(event) => {
                wrap.value = event.currentTarget.checked;
              }}
            />
            Wrap
          </label>
        )}
        <TakeAway view={view} filter={filter} />
        <Clear />
      </div>
      <SubjectError subject="logs" />
      <div class="log-body">
        {isPlain ? (
          <PlainLog level={level.value} context={context} wrap={wrap.value} />
        ) : (
          <div ref={host} class="log-host" />
        )}
        {shownNode !== undefined && <NodeActions node={shownNode} label={`Commands of ${shownNode.name}`} />}
        {!isPlain && !follow.value && (
          <button
            type="button"
            class="chip follow-chip"
            onClick={() => {
              terminal.current?.toEnd();
              follow.value = true;
              unseen.value = 0;
            }}
          >
            {unseen.value > 0 ? `${count(unseen.value)} new` : 'Follow'} <DownIcon />
          </button>
        )}
      </div>
    </div>
  );
}
