// Saved states of the whole cluster: save, restore, delete (ux.md §3.3, §18; row B9).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CHECKPOINT_NAME_RULE } from '../../electron/contract/check-parts.ts';
import type { CheckpointView } from '../../electron/contract/checkpoints.ts';
import type { ClusterView, LauncherErrorData } from '../../electron/contract/model.ts';
import { ago, bytesShort, count, dayClock, listing, plural } from '../format.ts';
import { useAsked } from '../asked-dialog.ts';
import { Button, Dialog, isBusy, SubjectError } from '../parts/controls.tsx';
import { Empty } from '../parts/empty.tsx';
import { Task } from '../parts/task-list.tsx';
import { closing, TypedNameDialog } from '../parts/typed-name-dialog.tsx';
import { api, attempt, commandsBlocked, connected, now, setError, tasks } from '../store.ts';

const SUBJECT = 'checkpoints';

type Open = {
  readonly kind: 'restore' | 'delete';
  readonly one: CheckpointView;
  /** A command named it. */
  readonly asked?: boolean;
} | null;

const heldIn = (view: ClusterView): readonly string[] =>
  view.contexts.map((one) => `${one.name} (${count((one.lastToken ?? -1) + 1)} events)`);

const taskOf = (view: ClusterView) =>
  tasks.value.find((task) => task.cluster === view.name && /checkpoint/.test(task.title));

function RestoreDialog({
  view,
  one,
  onClose,
}: {
  readonly view: ClusterView;
  readonly one: CheckpointView;
  readonly onClose: () => void;
}) {
  const close = closing(SUBJECT, onClose);
  const held = heldIn(view);
  const stopped = view.state === 'stopped';
  const restore = async (): Promise<void> => {
    const begun = await attempt(SUBJECT, async () => {
      await api().restoreCheckpoint(view.name, one.name);
    });
    if (begun) close();
  };
  return (
    <Dialog title={`Restore ${one.name}?`} onClose={close}>
      <dl class="replaced">
        <dt>Is deleted</dt>
        <dd>
          {held.length === 0 ? 'All events, contexts and roles' : listing(held)} on {listing(one.nodes)}, with
          everything that happened since.
        </dd>
        <dt>Takes its place</dt>
        <dd>
          {one.name}, saved {dayClock(Date.parse(one.createdAt))}: {bytesShort(one.bytes)} in{' '}
          {plural(one.files, 'file')}.
        </dd>
        <dt>Steps</dt>
        <dd>
          {stopped ? '' : 'The cluster stops. '}The checkpoint is copied and verified, then put in place of the present
          data{stopped ? '.' : ', and the cluster starts again.'}
        </dd>
      </dl>
      <p class="hint">
        A checkpoint that turns out damaged changes nothing. Save the present state first if you may need it.
      </p>
      <SubjectError subject={SUBJECT} />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={close}>Keep the present data</Button>
        <Button
          kind="danger"
          blocked={commandsBlocked.value ?? (isBusy(SUBJECT) && 'Under way')}
          onClick={() => void restore()}
        >
          Restore
        </Button>
      </footer>
    </Dialog>
  );
}

function DeleteDialog({
  view,
  one,
  typed,
  onClose,
  onDone,
}: {
  readonly view: ClusterView;
  readonly one: CheckpointView;
  readonly typed: boolean;
  readonly onClose: () => void;
  readonly onDone: () => void;
}) {
  const close = closing(SUBJECT, onClose);
  const remove = async (): Promise<void> => {
    const removed = await attempt(SUBJECT, async () => {
      await api().removeCheckpoint(view.name, one.name);
    });
    if (!removed) return;
    close();
    onDone();
  };
  return (
    <TypedNameDialog
      title={`Delete checkpoint ${one.name}?`}
      name={one.name}
      typed={typed}
      subject={SUBJECT}
      keepWords="Keep it"
      actWords="Delete checkpoint"
      act={remove}
      onClose={close}
    >
      <p>
        {bytesShort(one.bytes)} in <span class="path">{one.dir}</span> are deleted. The data of {view.name} stays. This
        can't be undone.
      </p>
    </TypedNameDialog>
  );
}

function SaveForm({
  view,
  taken,
  blocked,
}: {
  readonly view: ClusterView;
  readonly taken: readonly CheckpointView[];
  readonly blocked: string | false;
}) {
  const name = useSignal('');
  const stopped = view.state === 'stopped';
  const problem =
    name.value === ''
      ? null
      : !CHECKPOINT_NAME_RULE.test(name.value)
        ? '1 to 40 lower-case letters, digits and dashes; a letter or digit first.'
        : taken.some((one) => one.name === name.value)
          ? 'A checkpoint of that name exists.'
          : null;
  const save = async (): Promise<void> => {
    const begun = await attempt(SUBJECT, async () => {
      await api().saveCheckpoint(view.name, name.peek());
    });
    if (begun) name.value = '';
  };
  return (
    <form
      class="save-checkpoint"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <label>
        <span>Name</span>
        <input
          type="text"
          autocomplete="off"
          placeholder="before-the-change"
          aria-invalid={problem !== null}
          aria-describedby="save-hint"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <button
        type="submit"
        class="button small primary"
        disabled={blocked !== false || name.value === '' || problem !== null}
        title={blocked === false ? undefined : blocked}
      >
        Save checkpoint
      </button>
      <p class="hint" id="save-hint">
        {problem ??
          `${stopped ? '' : 'The cluster stops, is copied and starts again. '}${
            view.data === 'keep' ? '' : 'It is thrown away together with this cluster.'
          }`}
      </p>
    </form>
  );
}

function Rows({
  all,
  blocked,
  onOpen,
}: {
  readonly all: readonly CheckpointView[];
  readonly blocked: string | false;
  readonly onOpen: (wanted: NonNullable<Open>) => void;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap" aria-label="Saved checkpoints" tabIndex={0}>
      <table>
        <caption class="visually-hidden">Checkpoints, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Saved</th>
            <th scope="col">Nodes</th>
            <th scope="col" class="number">
              Files
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {[...all].reverse().map((one) => (
            <tr key={one.name}>
              <th scope="row">
                <strong>{one.name}</strong>
                {one.problem !== null && <p class="tone-bad problem">✕ {one.problem}</p>}
              </th>
              <td title={one.createdAt}>{ago(one.createdAt, now.value)}</td>
              <td>{one.nodes.length}</td>
              <td class="number">{count(one.files)}</td>
              <td class="number">{bytesShort(one.bytes)}</td>
              <td class="row-actions">
                <Button
                  small
                  aria-label={`Restore ${one.name}`}
                  blocked={one.problem ?? blocked}
                  onClick={() => onOpen({ kind: 'restore', one })}
                >
                  Restore…
                </Button>
                <Button
                  small
                  kind="quiet"
                  aria-label={`Delete ${one.name}`}
                  blocked={blocked}
                  onClick={() => onOpen({ kind: 'delete', one })}
                >
                  Delete…
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const unknownName = (name: string): LauncherErrorData => ({
  code: 'CHECKPOINT_NOT_FOUND',
  what: `There is no checkpoint ${name}.`,
  why: 'It was never saved, or was removed.',
  next: ['Choose one of the list.'],
});
const damaged = ({ name, problem }: CheckpointView): LauncherErrorData => ({
  code: 'CHECKPOINT_DAMAGED',
  what: `${name} can't be restored.`,
  why: problem ?? '',
  next: ['Choose another one of the list.'],
});

export function CheckpointsPage({ view }: { readonly view: ClusterView }) {
  const all = useSignal<readonly CheckpointView[] | null>(null);
  const open = useSignal<Open>(null);
  const task = taskOf(view);
  const load = (): void =>
    void attempt(SUBJECT, async () => {
      all.value = await api().checkpoints(view.name);
    });
  useEffect(() => {
    if (connected.value) load();
  }, [view.name, task?.id, task?.state, connected.value]);
  // Removed by another window or a command.
  useEffect(() => api().on('checkpoints', ({ cluster }) => void (cluster === view.name && load())), [view.name]);
  useAsked('checkpoints', all.value !== null, ({ kind, name }) => {
    const one = all.peek()?.find((known) => known.name === name);
    if (one !== undefined && (kind === 'delete' || one.problem === null)) open.value = { kind, one, asked: true };
    else setError(SUBJECT, one === undefined ? unknownName(name) : damaged(one));
  });
  const blocked =
    commandsBlocked.value ?? (task?.state === 'running' ? 'A checkpoint is under way' : isBusy(SUBJECT) && 'Under way');
  const close = (): void => {
    open.value = null;
  };
  return (
    <section class="panel checkpoints-page" aria-labelledby="checkpoints-heading" aria-busy={all.value === null}>
      <header class="panel-head">
        <h2 id="checkpoints-heading">Checkpoints</h2>
        <span class="hint">The data of all nodes, kept to be put back later.</span>
      </header>
      <SaveForm view={view} taken={all.value ?? []} blocked={blocked} />
      {open.value === null && <SubjectError subject={SUBJECT} />}
      {task !== undefined && <Task task={task} />}
      {all.value !== null &&
        (all.value.length === 0 ? (
          <Empty topic="checkpoints">
            No checkpoint yet. Save one before you break something on purpose: it brings every event, context and role
            back.
          </Empty>
        ) : (
          <Rows
            all={all.value}
            blocked={blocked}
            onOpen={(wanted) => {
              open.value = wanted;
            }}
          />
        ))}
      {open.value?.kind === 'restore' && <RestoreDialog view={view} one={open.value.one} onClose={close} />}
      {open.value?.kind === 'delete' && (
        <DeleteDialog
          view={view}
          one={open.value.one}
          typed={open.value.asked === true}
          onClose={close}
          onDone={load}
        />
      )}
    </section>
  );
}
