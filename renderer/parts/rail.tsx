// The left rail: clusters, the pages of the open one, settings, help (ux.md §3). Folds to icons.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { pages } from '../screens/pages.ts';
import type { Destination } from '../store.ts';
import { go, openCluster, route } from '../store.ts';

const FOLDED_KEY = 'muster.rail';
const folded = signal(localStorage.getItem(FOLDED_KEY) === 'folded');

const icons = {
  clusters: 'M8 2l5 3v6l-5 3-5-3V5zM3 5l5 3 5-3M8 8v6',
  settings: 'M2 5h7M13 5h1M2 11h1M7 11h7M11 3v4M5 9v4',
  diagnostics: 'M1 8h3l2-5 3 10 2-5h4',
  help: 'M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1.1M8 11.5v.2M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  fold: 'M10 4L6 8l4 4',
  unfold: 'M6 4l4 4-4 4',
} as const;

export const Drawing = ({ path }: { readonly path: string }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
    <path d={path} />
  </svg>
);

/** A link within the window: the address never changes, the history entry does. */
export function RouteLink(props: {
  readonly to: Destination;
  readonly current?: boolean;
  readonly title?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a
      href="./"
      aria-current={props.current ? 'page' : undefined}
      title={props.title}
      onClick={(event) => {
        event.preventDefault();
        go(props.to);
      }}
    >
      {props.children}
    </a>
  );
}

function Item(props: {
  readonly to: Destination;
  readonly label: string;
  readonly icon: string;
  readonly current: boolean;
}) {
  return (
    <li>
      <RouteLink to={props.to} current={props.current} title={props.label}>
        <Drawing path={props.icon} />
        <span class="rail-label">{props.label}</span>
      </RouteLink>
    </li>
  );
}

export function Rail() {
  const where = route.value;
  const cluster = openCluster.value;
  return (
    <nav class={folded.value ? 'rail folded' : 'rail'} aria-label="Main">
      <ul>
        <Item to={{ screen: 'start' }} label="Clusters" icon={icons.clusters} current={where.screen === 'start'} />
        {cluster !== null && (
          <li class="rail-cluster">
            <span class="rail-name" title={cluster}>
              {cluster}
            </span>
            <ul aria-label={`Pages of ${cluster}`}>
              {pages.map((page) => (
                <Item
                  key={page.id}
                  to={{ screen: 'cluster', name: cluster, page: page.id }}
                  label={page.label}
                  icon={page.icon}
                  current={where.screen === 'cluster' && where.page === page.id}
                />
              ))}
            </ul>
          </li>
        )}
      </ul>
      <ul class="push-down">
        <Item
          to={{ screen: 'settings' }}
          label="Settings"
          icon={icons.settings}
          current={where.screen === 'settings'}
        />
        <Item
          to={{ screen: 'diagnostics' }}
          label="Diagnostics"
          icon={icons.diagnostics}
          current={where.screen === 'diagnostics'}
        />
        <Item to={{ screen: 'help' }} label="Help" icon={icons.help} current={where.screen === 'help'} />
        <li>
          <button
            type="button"
            aria-expanded={!folded.value}
            aria-label="Words beside the icons"
            title={folded.value ? 'Show words' : 'Show icons only'}
            onClick={() => {
              folded.value = !folded.peek();
              localStorage.setItem(FOLDED_KEY, folded.peek() ? 'folded' : 'open');
            }}
          >
            <Drawing path={folded.value ? icons.unfold : icons.fold} />
          </button>
        </li>
      </ul>
    </nav>
  );
}
