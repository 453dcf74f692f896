// Make a context, and delete one by typing its name (ux.md §8, §1.5).
import { useSignal } from '@preact/signals';
import { CONTEXT_NAME_RULE } from '../../electron/contract/check-parts.ts';
import type { ClusterView, NodeRole } from '../../electron/contract/model.ts';
import { roleWords } from '../../electron/contract/role-plan.ts';
import { count } from '../format.ts';
import { api, attempt } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';
import { closing, TypedNameDialog } from './typed-name-dialog.tsx';

const SUBJECT = 'context-dialog';

export const RoleOptions = () => (
  <>
    <option value="">—</option>
    {Object.entries(roleWords).map(([role, word]) => (
      <option key={role} value={role}>
        {word}
      </option>
    ))}
  </>
);

/** Why this name can't be used; null = it can. */
function nameProblem(view: ClusterView, name: string): string | null {
  if (name === '') return 'A name is needed.';
  if (!CONTEXT_NAME_RULE.test(name)) return "A letter first, then letters, digits, '_' or '-'.";
  return view.contexts.some((one) => one.name === name) ? `${name} exists already.` : null;
}

function votersSentence(voters: number): string {
  if (voters === 0) return 'At least one primary is needed.';
  const even = voters % 2 === 0 ? ` No safer than ${voters - 1}.` : '';
  return `Voters ${voters}, majority ${Math.floor(voters / 2) + 1}.${even}`;
}

interface DialogProps {
  readonly view: ClusterView;
  readonly onClose: () => void;
}

export function CreateContextDialog({ view, onClose }: DialogProps) {
  const name = useSignal('');
  const chosen = useSignal<ReadonlyMap<string, NodeRole | ''>>(
    new Map(view.nodes.map((node): [string, NodeRole] => [node.name, 'PRIMARY'])),
  );
  const dcb = useSignal(view.dcb === true);
  const problem = nameProblem(view, name.value);
  const given = [...chosen.value].flatMap(([node, role]) => (role === '' ? [] : [{ node, role }]));
  const voters = given.filter((one) => one.role === 'PRIMARY').length;
  const close = closing(SUBJECT, onClose);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await attempt(SUBJECT, () => api().createContext(view.name, name.peek(), given, { dcb: dcb.peek() }))) close();
  };
  return (
    <Dialog title="New context" onClose={close}>
      <form class="fields" onSubmit={(event) => void create(event)}>
        <label class="field">
          <span>Name</span>
          <input
            type="text"
            autoFocus
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
          <small>{problem ?? 'Apps name it in axon.axonserver.context.'}</small>
        </label>
        {view.nodes.map((node) => (
          <label key={node.name} class="field-inline">
            <span>{node.name}</span>
            <select
              value={chosen.value.get(node.name) ?? ''}
              onChange={(event) => {
                const role = event.currentTarget.value as NodeRole | '';
                chosen.value = new Map(chosen.peek()).set(node.name, role);
              }}
            >
              <RoleOptions />
            </select>
          </label>
        ))}
        <label class="field-inline">
          <span>Events</span>
          <select
            value={dcb.value ? 'dcb' : 'classic'}
            onChange={(event) => {
              dcb.value = event.currentTarget.value === 'dcb';
            }}
          >
            <option value="classic">classic, for Axon Framework 4</option>
            <option value="dcb">DCB, for Axon Framework 5</option>
          </select>
        </label>
        <p class="hint">{votersSentence(voters)}</p>
        <SubjectError subject={SUBJECT} />
        <footer class="dialog-foot">
          <span class="push" />
          <Button onClick={close}>Cancel</Button>
          <button type="submit" class="button primary" disabled={problem !== null || voters === 0 || isBusy(SUBJECT)}>
            Create context
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

interface DeleteContextProps extends DialogProps {
  readonly context: string;
  /** Asked for by a command, which named the context. */
  readonly asked: { readonly keepEvents: boolean } | null;
}

export function DeleteContextDialog({ view, context, asked, onClose }: DeleteContextProps) {
  const keep = useSignal(asked?.keepEvents === true);
  const last = view.contexts.find((one) => one.name === context)?.lastToken ?? null;
  const close = closing(SUBJECT, onClose);
  const remove = async (): Promise<void> => {
    const options = { keepEvents: keep.peek() };
    if (await attempt(SUBJECT, () => api().deleteContext(view.name, context, options))) close();
  };
  return (
    <TypedNameDialog
      title={`Delete context ${context}?`}
      name={context}
      typed={asked !== null}
      subject={SUBJECT}
      keepWords="Keep it"
      actWords="Delete context"
      act={remove}
      onClose={close}
    >
      <p>
        {keep.value
          ? 'Apps lose the context. Its members keep their copies of the events.'
          : `Its ${count(last === null ? 0 : last + 1)} events are deleted on every node. This can't be undone.`}
      </p>
      <label class="field-inline">
        <input
          type="checkbox"
          checked={keep.value}
          onChange={(event) => {
            keep.value = event.currentTarget.checked;
          }}
        />
        Keep the events for a context of that name made again
      </label>
    </TypedNameDialog>
  );
}
