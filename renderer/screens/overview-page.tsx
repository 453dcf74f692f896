// How the cluster is: its nodes and one context in depth (ux.md §4).
import type { ClusterView } from '../../electron/contract/model.ts';
import { NODES_MAX } from '../../electron/contract/check-parts.ts';
import { addNode, openDialog, startCluster } from '../actions.ts';
import { isLinkPurpose } from '../link-staging.ts';
import { Checklist } from '../parts/checklist.tsx';
import { ContextPanel } from '../parts/context-panel.tsx';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { PortsDialog, StartErrorButtons } from '../parts/error-buttons.tsx';
import { NodeCard } from '../parts/node-card.tsx';
import { RemoveNodeDialog } from '../parts/remove-node-dialog.tsx';
import { TourPanel } from '../parts/tour-panel.tsx';
import { commandsBlocked, dialog, errors } from '../store.ts';

/** Nodes that come and go. */
function NodesFoot({ view }: { readonly view: ClusterView }) {
  const blocked = commandsBlocked.value ?? (isBusy('nodes') && 'Under way');
  const full = view.nodes.length >= NODES_MAX && `A cluster has at most ${NODES_MAX} nodes`;
  const cannotLeave =
    (view.state === 'stopped' && 'Only a running cluster can let a node go') ||
    (view.nodes.length < 2 && 'It has one node only');
  return (
    <>
      <p class="cards-foot">
        <Button small kind="quiet" blocked={blocked || full} onClick={() => void addNode(view.name)}>
          Add a node
        </Button>
        <Button small kind="quiet" blocked={blocked || cannotLeave} onClick={() => openDialog('remove-node')}>
          Remove a node…
        </Button>
      </p>
      {dialog.value === 'remove-node' ? <RemoveNodeDialog view={view} /> : <SubjectError subject="nodes" />}
    </>
  );
}

export function OverviewPage({ view }: { readonly view: ClusterView }) {
  return (
    <>
      {dialog.value !== 'ports' && (
        <SubjectError subject="cluster">
          <StartErrorButtons view={view} error={errors.value['cluster']} retry={() => void startCluster(view.name)} />
        </SubjectError>
      )}
      {dialog.value === 'ports' && <PortsDialog view={view} />}
      {!isLinkPurpose(dialog.value) && <SubjectError subject="links" />}
      {view.leftBehind !== undefined && (
        <p class="warning" role="note">
          {view.leftBehind}
        </p>
      )}
      {view.warnings.map((warning) => (
        <p key={warning} class="warning" role="note">
          {warning}
        </p>
      ))}
      <TourPanel view={view} />
      <Checklist view={view} />
      <h2 id="nodes-heading" class="visually-hidden">
        Nodes
      </h2>
      <section class="cards" aria-labelledby="nodes-heading">
        {view.nodes.map((node, i) => (
          <NodeCard key={node.name} view={view} node={node} index={i} />
        ))}
      </section>
      <NodesFoot view={view} />
      <ContextPanel view={view} />
    </>
  );
}
