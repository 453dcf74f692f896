// Tells once per fault of an app that is connected and lacks what it had before (ux.md §10). Entry point: `LostHandlers`.
import type { TimelineEvent } from '../contract/history.ts';
import type { ClusterView } from '../contract/model.ts';
import { lacking } from '../contract/reconnect.ts';

/** An app that comes back registers its handlers one after the other: until then nothing is lost. */
export const REGISTERS_WITHIN_MS = 2000;
/** Names in the text of an event. */
const NAMES_MAX = 5;

export class LostHandlers {
  /** By app and context; bounded by the apps of a view. */
  #since = new Map<string, { readonly at: number; told: boolean }>();

  /** A view comes about once a second while the cluster runs, so an event may be that much late. */
  observe(view: ClusterView, now: number): readonly TimelineEvent[] {
    const found = new Map<string, { readonly at: number; told: boolean }>();
    const events: TimelineEvent[] = [];
    for (const app of view.reconnect?.apps ?? []) {
      const names = lacking(app);
      if (app.after === null || names.length === 0) continue;
      const key = `${app.before.clientId} ${app.context}`;
      const known = this.#since.get(key) ?? { at: now, told: false };
      found.set(key, known);
      if (known.told || now - known.at < REGISTERS_WITHIN_MS) continue;
      known.told = true;
      const { clientId, node } = app.after;
      const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : '';
      events.push({
        at: now,
        cluster: view.name,
        kind: 'app',
        subject: clientId,
        text: `${app.componentName} (${clientId}) is on ${node} without ${names.slice(0, NAMES_MAX).join(', ')}${more}.`,
        mark: 'lost',
      });
    }
    this.#since = found;
    return events;
  }
}
