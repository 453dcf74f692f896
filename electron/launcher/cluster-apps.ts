// What the launcher remembers of and asks from the apps of one cluster: the reconnect report, and "connect anew".
// May not know processes. Entry point: `ClusterApps`.
import type { EngineAsk } from '../../engine/control/protocol.ts';
import type { TimelineEvent } from '../contract/history.ts';
import type { ClusterView, NodeName } from '../contract/model.ts';
import { ReconnectWatch } from './reconnect.ts';
import { appNotFound } from './targets.ts';

export interface ClusterAppsOptions {
  readonly now: () => number;
  readonly view: () => ClusterView;
  readonly ask: (node: NodeName, ask: EngineAsk) => Promise<unknown>;
  readonly tell: (kind: TimelineEvent['kind'], subject: string, text: string) => void;
}

export class ClusterApps {
  readonly #options: ClusterAppsOptions;
  readonly #watch = new ReconnectWatch();

  constructor(options: ClusterAppsOptions) {
    this.#options = options;
  }

  /** Remembers what is connected before something is broken. */
  beginFault(text: string): void {
    this.#watch.begin(text, this.#options.view().apps, this.#options.now());
  }

  clear(): void {
    this.#watch.clear();
  }

  withReport(view: ClusterView): ClusterView {
    this.#watch.observe(view.apps, this.#options.now());
    const reconnect = this.#watch.report();
    return reconnect === null ? view : { ...view, reconnect };
  }

  /** Tells every node that has the client; answers them. Fails with APP_NOT_FOUND. */
  async ask(clientId: string, action: 'reconnect' | 'disconnect'): Promise<readonly NodeName[]> {
    const { view, ask, tell } = this.#options;
    const apps = view().apps.filter((app) => app.clientId === clientId);
    const [first] = apps;
    if (first === undefined) {
      throw appNotFound(clientId, view());
    }
    const text = `${action} ${first.componentName} (${clientId}).`;
    this.beginFault(text);
    tell('user', clientId, text);
    await Promise.all(apps.map(({ node, context }) => ask(node, { kind: 'client', context, clientId, action })));
    return apps.map((app) => app.node);
  }
}
