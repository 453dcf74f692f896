// What can be pressed about an error, beside what it says (ux.md §17). Entry points: `StartErrorButtons`, `CrashButtons`, `PortsDialog`.
import { useSignal } from '@preact/signals';
import { FIRST_PORT_MAX, FIRST_PORT_MIN } from '../../electron/contract/check-parts.ts';
import type { ClusterView, LauncherErrorData, NodeView } from '../../electron/contract/model.ts';
import { changePorts, copyReport, openDialog, stopThenStart } from '../actions.ts';
import { commandsBlocked, dialog, go } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';
import { ErrorSteps } from './error-steps.tsx';

/** Of a start that was refused: again, and for a taken port what would make it free. */
export function StartErrorButtons(props: {
  readonly view: ClusterView;
  readonly error: LauncherErrorData | undefined;
  readonly retry: () => void;
}) {
  const { view, error, retry } = props;
  const blocked = commandsBlocked.value ?? (isBusy('cluster') && 'Under way');
  const taken = error?.code === 'PORT_IN_USE' ? error : null;
  // Ports belong to the cluster as a whole: while some of its nodes run, they stay.
  const { free } = view.state === 'stopped' ? (taken ?? {}) : {};
  const holder = taken?.holderCluster;
  return (
    <>
      {free !== undefined && (
        <Button
          small
          kind="primary"
          blocked={blocked}
          title={`HTTP ${free.firstPort}, gRPC ${free.firstPort + 100}, internal ${free.firstPort + 200} and up`}
          onClick={() => void changePorts(view.name, free.firstPort)}
        >
          Use {free.port} block
        </Button>
      )}
      {holder !== undefined && (
        <Button small blocked={blocked} onClick={() => void stopThenStart(holder, retry)}>
          Stop {holder}, then start
        </Button>
      )}
      <Button small blocked={blocked} onClick={retry}>
        Try again
      </Button>
      {taken !== null && view.state === 'stopped' && (
        <Button small blocked={blocked} onClick={() => openDialog('ports')}>
          Other port…
        </Button>
      )}
    </>
  );
}

export function CrashButtons({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) {
  const code = node.exit?.errorCode ?? null;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a legend and a border for two buttons
    <div class="card-actions" role="group" aria-label={`About the crash of ${node.name}`}>
      {code !== null && <ErrorSteps error={{ code, node: node.name }} without="Checkpoints" />}
      <Button small onClick={() => go({ screen: 'cluster', name: view.name, page: 'checkpoints' })}>
        Restore checkpoint…
      </Button>
      <Button
        small
        blocked={isBusy(`node:${node.name}`) && 'Under way'}
        title="Versions, how it ended, the end of its log; without secrets"
        onClick={() => void copyReport(view.name, node.name)}
      >
        Copy report
      </Button>
    </div>
  );
}

/** Where else the cluster could be: the first port decides all others. */
export function PortsDialog({ view }: { readonly view: ClusterView }) {
  const first = useSignal(view.nodes[0]?.http ?? FIRST_PORT_MIN);
  const port = first.value;
  const fits = Number.isInteger(port) && port >= FIRST_PORT_MIN && port <= FIRST_PORT_MAX;
  const close = (): void => {
    dialog.value = null;
  };
  const move = async (): Promise<void> => {
    if (fits && (await changePorts(view.name, first.peek()))) close();
  };
  return (
    <Dialog title={`Other ports for ${view.name}`} onClose={close}>
      <form
        class="fault-form"
        onSubmit={(event) => {
          event.preventDefault();
          void move();
        }}
      >
        <label class="field">
          <span>First HTTP port</span>
          <input
            type="number"
            required
            autoFocus
            min={FIRST_PORT_MIN}
            max={FIRST_PORT_MAX}
            aria-describedby="ports-meaning"
            value={port}
            onInput={(event) => {
              first.value = event.currentTarget.valueAsNumber;
            }}
          />
        </label>
        <p id="ports-meaning" class="hint">
          {fits
            ? `HTTP from ${port}, gRPC from ${port + 100}, internal from ${port + 200} on. Events stay; apps have to be told.`
            : `A port from ${FIRST_PORT_MIN} to ${FIRST_PORT_MAX}.`}
        </p>
        <SubjectError subject="cluster" />
        <footer class="dialog-foot">
          <span class="push" />
          <Button onClick={close}>Cancel</Button>
          <button type="submit" class="button primary" disabled={!fits || isBusy('cluster')}>
            Start there
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
