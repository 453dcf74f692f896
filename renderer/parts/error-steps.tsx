// Where the window helps with an error, by its code (ux.md §17). Beside what a place adds of its own: error-buttons.tsx.
import type { LauncherErrorData } from '../../electron/contract/model.ts';
import { showLogs, startCluster } from '../actions.ts';
import { type Destination, dialog, go, openCluster, route, view } from '../store.ts';

interface ErrorStep {
  readonly label: string;
  readonly run: () => void;
}

const DIAGNOSTICS = new Set(['INTERNAL', 'WORKSPACE_UNUSABLE', 'ENGINE_START_FAILED', 'ENGINE_MISSING', 'UNEXPECTED']);
const DATA = new Set(['DISK_FULL', 'DISK_LOW', 'WIPED_FIRST_NODE', 'CLUSTER_BUSY']);
const CONFIGURATION = new Set([
  'CONFIG_REFUSED',
  'PROPERTIES_CONFLICT',
  'PROPERTIES_UNREADABLE',
  'PROPERTIES_FOREIGN',
  'SETTING_INVALID',
]);
const CHECKPOINTS = new Set(['CHECKPOINTS_FULL', 'CHECKPOINT_DAMAGED', 'WIPED_FIRST_NODE']);
const LOGS = new Set(['ENGINE_CRASHED', 'ENGINE_REFUSED', 'ENGINE_START_FAILED', 'NOT_READY_IN_TIME', 'JOIN_REFUSED']);

/** A dialog that stands over the place is closed with it. Null: it is shown already. */
function leading(label: string, to: Destination): ErrorStep | null {
  const shown = route.value;
  const there =
    shown.screen === to.screen &&
    (shown.screen !== 'cluster' || to.screen !== 'cluster' || shown.page === to.page || to.page === undefined);
  if (there) return null;
  return {
    label,
    run: () => {
      dialog.value = null;
      go(to);
    },
  };
}

export function errorSteps({ code, node }: LauncherErrorData): readonly ErrorStep[] {
  const name = openCluster.value;
  const page = (label: string, wanted: string): ErrorStep | null =>
    name === null ? null : leading(label, { screen: 'cluster', name, page: wanted });
  const found = [
    code === 'CLUSTER_NOT_RUNNING' && name !== null && view.value?.state === 'stopped'
      ? { label: 'Start the cluster', run: () => void startCluster(name) }
      : null,
    LOGS.has(code) && name !== null && node !== undefined
      ? { label: `Log of ${node}`, run: () => showLogs(node) }
      : null,
    CHECKPOINTS.has(code) ? page('Checkpoints', 'checkpoints') : null,
    CONFIGURATION.has(code) ? page('Configuration', 'configuration') : null,
    DATA.has(code) ? leading('Data on disk', { screen: 'settings' }) : null,
    DIAGNOSTICS.has(code) ? leading('Diagnostics', { screen: 'diagnostics' }) : null,
  ];
  return found.filter((one) => one !== null);
}

export const ErrorSteps = ({ error }: { readonly error: LauncherErrorData }) => (
  <>
    {errorSteps(error).map(({ label, run }) => (
      <button key={label} type="button" class="button small" onClick={run}>
        {label}
      </button>
    ))}
  </>
);
