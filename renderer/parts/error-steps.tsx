// Where the window helps with an error, by its code (ux.md §17). Beside what a place adds of its own: error-buttons.tsx.
import type { LauncherErrorData } from '../../electron/contract/model.ts';
import { showLogs, startCluster } from '../actions.ts';
import { type Destination, dialog, go, openCluster, route, view } from '../store.ts';

interface ErrorStep {
  readonly label: string;
  readonly run: () => void;
}

/** Of launcher and engine: docs/errors.md, docs/engine-codes.md. */
const DIAGNOSTICS =
  /^(INTERNAL|UNEXPECTED|WORKSPACE_UNUSABLE|ENGINE_START_FAILED|ENGINE_MISSING|ENGINE_BUG|DISK_FAILED|DATA_FOLDER_UNWRITABLE)$/;
const DATA = /^(DISK_FULL|DISK_LOW|WIPED_FIRST_NODE|CLUSTER_BUSY)$/;
const CONFIGURATION =
  /^(CONFIG_REFUSED|PROPERTIES_.+|SETTING_.+|AUTOCLUSTER_AND_.+|CLUSTER_TEMPLATE_INVALID|NODE_ADDRESS_CHANGED|TLS_.+)$/;
const CHECKPOINTS = /^(CHECKPOINTS_FULL|CHECKPOINT_DAMAGED|WIPED_FIRST_NODE|DATA_DAMAGED|DATA_WITHOUT_CONTROL)$/;
const LOGS = /^(ENGINE_CRASHED|ENGINE_REFUSED|ENGINE_START_FAILED|NOT_READY_IN_TIME)$/;

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

export function errorSteps({ code, node }: Pick<LauncherErrorData, 'code' | 'node'>): readonly ErrorStep[] {
  const name = openCluster.value;
  const page = (label: string, wanted: string): ErrorStep | null =>
    name === null ? null : leading(label, { screen: 'cluster', name, page: wanted });
  const found = [
    code === 'CLUSTER_NOT_RUNNING' && name !== null && view.value?.state === 'stopped'
      ? { label: 'Start the cluster', run: () => void startCluster(name) }
      : null,
    LOGS.test(code) && name !== null && node !== undefined
      ? { label: `Log of ${node}`, run: () => showLogs(node) }
      : null,
    CHECKPOINTS.test(code) ? page('Checkpoints', 'checkpoints') : null,
    CONFIGURATION.test(code) ? page('Configuration', 'configuration') : null,
    DATA.test(code) ? leading('Data on disk', { screen: 'settings' }) : null,
    DIAGNOSTICS.test(code) ? leading('Diagnostics', { screen: 'diagnostics' }) : null,
  ];
  return found.filter((one) => one !== null);
}

/** `without`: a place has that button itself. */
export const ErrorSteps = (props: {
  readonly error: Pick<LauncherErrorData, 'code' | 'node'>;
  readonly without?: string;
}) => (
  <>
    {errorSteps(props.error)
      .filter(({ label }) => label !== props.without)
      .map(({ label, run }) => (
        <button key={label} type="button" class="button small" onClick={run}>
          {label}
        </button>
      ))}
  </>
);
