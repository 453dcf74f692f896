// The logs in the whole window instead of the dock (ux.md §7).
import type { ClusterView } from '../../electron/contract/model.ts';
import { SubjectError } from '../parts/controls.tsx';
import { LogPane } from '../parts/log-pane.tsx';
import { logNode } from '../store.ts';

export function LogsPage({ view }: { readonly view: ClusterView }) {
  return (
    <section class="panel fill-page" aria-labelledby="logs-heading">
      <h2 id="logs-heading" class="visually-hidden">
        Logs
      </h2>
      {logNode.value !== null && <SubjectError subject={`node:${logNode.value}`} />}
      <LogPane view={view} />
    </section>
  );
}
