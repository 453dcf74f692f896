// The pages of a cluster, in the order of the rail (ux.md §3). A new page is one line here; rail, palette and routes follow.
import type { ComponentType } from 'preact';
import type { ClusterView } from '../../electron/contract/model.ts';
import { ChaosPage } from './chaos-page.tsx';
import { CheckpointsPage } from './checkpoints-page.tsx';
import { ConfigPage } from './config-page.tsx';
import { ContextsPage } from './contexts-page.tsx';
import { AppsPage } from './apps-page.tsx';
import { EventsPage } from './events-page.tsx';
import { LogsPage } from './logs-page.tsx';
import { OverviewPage } from './overview-page.tsx';
import { TimelinePage } from './timeline-page.tsx';

export interface Page {
  readonly id: string;
  readonly label: string;
  /** Path of a 16×16 drawing, stroked. */
  readonly icon: string;
  readonly component: ComponentType<{ readonly view: ClusterView }>;
  /** Takes the whole height and scrolls by itself; the dock is hidden. */
  readonly fill?: true;
}

export const pages: readonly Page[] = [
  { id: 'overview', label: 'Overview', icon: 'M2 3h5v5H2zM9 3h5v3H9zM9 8h5v5H9zM2 10h5v3H2z', component: OverviewPage },
  { id: 'apps', label: 'Apps', icon: 'M2 3h12v10H2zM2 6h12M4.5 9h3M4.5 11h5', component: AppsPage },
  { id: 'contexts', label: 'Contexts', icon: 'M2 3h12v10H2zM2 6.5h12M6 3v10M10 3v10', component: ContextsPage },
  { id: 'events', label: 'Events', icon: 'M3 2v12M3 5h9l-2-2M3 9h7M3 13h9', component: EventsPage },
  { id: 'timeline', label: 'Timeline', icon: 'M8 4v4l3 2M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z', component: TimelinePage },
  { id: 'logs', label: 'Logs', icon: 'M2 4h12M2 7h8M2 10h11M2 13h6', component: LogsPage, fill: true },
  {
    id: 'configuration',
    label: 'Configuration',
    icon: 'M3 2h7l3 3v9H3zM10 2v3h3M5.5 8h5M5.5 10.5h5',
    component: ConfigPage,
  },
  { id: 'checkpoints', label: 'Checkpoints', icon: 'M4 2h8v12l-4-3-4 3zM6 5.5h4', component: CheckpointsPage },
  { id: 'chaos', label: 'Chaos', icon: 'M9 2L4 9h4l-1 5 5-7H8z', component: ChaosPage },
];
