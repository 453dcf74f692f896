// Logs of one node or of all, with level, search and follow; a plain-text twin for reading aloud and for copying (ux.md §7).
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { plural } from '../format.ts';
import { SEARCH_EVENT } from '../keys.ts';
import { logs } from '../logs.ts';
import { logNode } from '../store.ts';
import { Button, SubjectError, Swatch } from './controls.tsx';
import { DownIcon, SearchIcon, UpIcon } from './icons.tsx';
import type { Level } from './log-terminal.ts';
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

function PlainLog({ level }: { readonly level: Level }) {
  const text = useSignal('');
  const element = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  const node = logNode.value;
  useEffect(() => {
    const show = (): void => {
      const filter = { node, level };
      const lines = logs.all.filter((entry) => passes(filter, entry)).slice(-PLAIN_LINES_MAX);
      text.value = lines.map((entry) => plainLine(entry, node === null)).join('\n');
    };
    show();
    return logs.subscribe(show);
  }, [node, level, text]);
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
      class="plain-log"
      role="log"
      aria-label={`Log of ${node ?? 'all nodes'}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
      tabIndex={0}
    >
      {shown === '' ? 'Nothing logged yet.' : shown}
    </pre>
  );
}

export function LogPane({ view }: { readonly view: ClusterView }) {
  const host = useRef<HTMLDivElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const terminal = useRef<LogTerminal | null>(null);
  const level = useSignal<Level>('info');
  const plain = useSignal(false);
  const query = useSignal('');
  const matches = useSignal<{ readonly index: number; readonly count: number }>({ index: -1, count: 0 });
  const follow = useSignal(true);
  const unseen = useSignal(0);
  const order = useRef<readonly string[]>([]);
  order.current = view.nodes.map((node) => node.name);
  const isPlain = plain.value;

  useEffect(() => {
    if (isPlain || host.current === null) return;
    const made = new LogTerminal(
      host.current,
      { node: logNode.peek(), level: level.peek() },
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

  const filterNode = logNode.value;
  const filterLevel = level.value;
  useEffect(() => terminal.current?.setFilter({ node: filterNode, level: filterLevel }), [filterNode, filterLevel]);
  useEffect(() => {
    const focus = (): void => searchField.current?.focus();
    window.addEventListener(SEARCH_EVENT, focus);
    return () => window.removeEventListener(SEARCH_EVENT, focus);
  }, []);

  const find = (direction: 'next' | 'previous'): void => terminal.current?.find(query.value, direction);
  return (
    <div class="log-pane">
      <div class="toolbar" role="toolbar" aria-label="Log">
        <NodeTabs view={view} />
        <label class="field-inline">
          <span>Level</span>
          <select
            value={level.value}
            onChange={(event) => {
              level.value = event.currentTarget.value as Level;
            }}
          >
            {levels.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <search class="log-search">
          <SearchIcon />
          <input
            ref={searchField}
            type="search"
            placeholder="Search"
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
        {!isPlain && (
          <Button small kind="quiet" onClick={() => terminal.current?.clear()}>
            Clear
          </Button>
        )}
      </div>
      <SubjectError subject="logs" />
      <div class="log-body">
        {isPlain ? <PlainLog level={level.value} /> : <div ref={host} class="log-host" />}
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
            {unseen.value > 0 ? `${plural(unseen.value, 'new line')}` : 'Follow'} <DownIcon />
          </button>
        )}
      </div>
    </div>
  );
}
