// The bottom dock: logs, connect, timeline. Resizable by pointer and by arrow keys; hidden with Ctrl+J.
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { clockMs } from '../format.ts';
import { keyText } from '../keys.ts';
import type { DockTab } from '../store.ts';
import { DOCK_MIN_PX, dock, setDock, timeline } from '../store.ts';
import { ConnectPanel } from './connect-panel.tsx';
import { Empty } from './empty.tsx';
import { DownIcon, UpIcon } from './icons.tsx';
import { LogPane } from './log-pane.tsx';
import { TaskList } from './task-list.tsx';

const tabs: readonly { readonly id: DockTab; readonly label: string }[] = [
  { id: 'logs', label: 'Logs' },
  { id: 'connect', label: 'Connect' },
  { id: 'timeline', label: 'Timeline' },
  { id: 'tasks', label: 'Tasks' },
];
const RESIZE_STEP_PX = 24;
/** Part of the window that the dock may take. */
const DOCK_MAX_PART = 0.7;

const clamp = (px: number): number => Math.round(Math.min(innerHeight * DOCK_MAX_PART, Math.max(DOCK_MIN_PX, px)));

function Resizer() {
  const drag = (event: PointerEvent & { readonly currentTarget: HTMLElement }): void => {
    const handle = event.currentTarget;
    const startY = event.clientY;
    const startHeight = dock.peek().heightPx;
    handle.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => setDock({ heightPx: clamp(startHeight + startY - moved.clientY) });
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', move), {
      once: true,
    });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> can't be a focusable slider; this is the ARIA window splitter
    <div
      class="resizer"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the dock"
      aria-valuenow={dock.value.heightPx}
      aria-valuemin={DOCK_MIN_PX}
      aria-valuemax={clamp(Number.MAX_SAFE_INTEGER)}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowUp' ? RESIZE_STEP_PX : event.key === 'ArrowDown' ? -RESIZE_STEP_PX : 0;
        if (by !== 0) setDock({ heightPx: clamp(dock.peek().heightPx + by) });
      }}
    />
  );
}

/** A number for each event, kept as long as it is: by place, every line would be made anew when one comes on top. */
const numbers = new WeakMap<TimelineEvent, number>();
let numbered = 0;

function numberOf(event: TimelineEvent): number {
  const number = numbers.get(event) ?? ++numbered;
  numbers.set(event, number);
  return number;
}

function Entry({ event }: { readonly event: TimelineEvent }) {
  return (
    <li class={`event-${event.kind}`}>
      <time dateTime={new Date(event.at).toISOString()}>{clockMs(event.at)}</time>
      <span class="event-kind">{event.kind === 'user' ? 'you' : event.kind}</span>
      {event.kind !== 'note' && !event.text.includes(event.subject) && <strong>{event.subject} </strong>}
      {event.text}
    </li>
  );
}

function Timeline() {
  const events = timeline.value;
  if (events.length === 0)
    return (
      <Empty topic="timeline">Nothing has happened yet. Starts, kills, elections and faults will be listed here.</Empty>
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <ol class="timeline" aria-label="Timeline, newest first" tabIndex={0}>
      {[...events].reverse().map((event) => (
        <Entry key={numberOf(event)} event={event} />
      ))}
    </ol>
  );
}

export function Dock({ view }: { readonly view: ClusterView }) {
  const { open, tab, heightPx } = dock.value;
  return (
    <section class="dock" aria-label="Dock" style={open ? { height: `${clamp(heightPx)}px` } : {}}>
      {open && <Resizer />}
      <div class="dock-head">
        <div role="tablist" aria-label="Dock" class="tabs">
          {tabs.map((one, i) => (
            <button
              key={one.id}
              type="button"
              role="tab"
              id={`tab-${one.id}`}
              aria-selected={open && tab === one.id}
              aria-controls="dock-panel"
              tabIndex={tab === one.id ? 0 : -1}
              onClick={() => setDock({ open: true, tab: one.id })}
              onKeyDown={(event) => {
                const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
                const next = tabs[(i + by + tabs.length) % tabs.length];
                if (by === 0 || next === undefined) return;
                setDock({ open: true, tab: next.id });
                document.getElementById(`tab-${next.id}`)?.focus();
              }}
            >
              {one.label}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="icon-button push"
          aria-label={open ? 'Hide the dock' : 'Show the dock'}
          title={keyText('Ctrl+J')}
          aria-expanded={open}
          onClick={() => setDock({ open: !open })}
        >
          {open ? <DownIcon /> : <UpIcon />}
        </button>
      </div>
      {open && (
        <div id="dock-panel" class="dock-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
          {tab === 'logs' && <LogPane view={view} />}
          {tab === 'connect' && <ConnectPanel view={view} />}
          {tab === 'timeline' && <Timeline />}
          {tab === 'tasks' && <TaskList />}
        </div>
      )}
    </section>
  );
}
