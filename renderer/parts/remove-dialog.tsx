// Deleting data is the one thing that asks first, and names what dies (ux.md §1.5).
import { plural } from '../format.ts';
import { removeCluster } from '../actions.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';
import { closing } from './typed-name-dialog.tsx';

export function RemoveDialog({
  name,
  dir,
  nodes,
  onClose,
}: {
  readonly name: string;
  readonly dir: string;
  /** Null: nobody knows how many. */
  readonly nodes: number | null;
  readonly onClose: () => void;
}) {
  const close = closing('cluster', onClose);
  const remove = async (): Promise<void> => {
    if (await removeCluster(name)) close();
  };
  return (
    <Dialog title={`Delete cluster ${name}?`} onClose={close}>
      <p>
        All events, snapshots, settings and logs of {nodes === null ? 'the folder' : `its ${plural(nodes, 'node')}`} are
        deleted. This can't be undone.
      </p>
      <p class="hint path">{dir}</p>
      <SubjectError subject="cluster" />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={close}>Keep it</Button>
        <Button kind="danger" blocked={isBusy('cluster') && 'Under way'} onClick={() => void remove()}>
          Delete {name}
        </Button>
      </footer>
    </Dialog>
  );
}
