// Taking a node out deletes its copy of every event: it asks which one first, and names what dies (ux.md §1.5).
import { useSignal } from '@preact/signals';
import type { ClusterView } from '../../electron/contract/model.ts';
import { removeNode } from '../actions.ts';
import { dialog, dialogNode } from '../store.ts';
import { Button, Dialog, isBusy, NodeField, SubjectError } from './controls.tsx';

export function RemoveNodeDialog({ view }: { readonly view: ClusterView }) {
  // The first node stays: those that join find the cluster by it.
  const names = view.nodes.slice(1).map((node) => node.name);
  const chosen = useSignal(dialogNode.peek() ?? names.at(-1) ?? '');
  const close = (): void => {
    dialog.value = null;
  };
  const remove = async (): Promise<void> => {
    if (await removeNode(view.name, chosen.peek())) close();
  };
  return (
    <Dialog title={`Remove a node from ${view.name}?`} onClose={close}>
      <NodeField names={names} chosen={chosen} />
      <p>
        {chosen.value} leaves every context and the cluster, and its folder is deleted. The other nodes keep the events.
        This can't be undone.
      </p>
      <SubjectError subject="nodes" />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={close}>Keep it</Button>
        <Button kind="danger" blocked={isBusy('nodes') && 'Under way'} onClick={() => void remove()}>
          Remove {chosen.value}
        </Button>
      </footer>
    </Dialog>
  );
}
