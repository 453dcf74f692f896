// The dialog that makes a user or an application, or changes what one may do. Entry point: `AccountForm`.
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Account, AccountKind } from '../../electron/contract/access.ts';
import { accessRoles } from '../../electron/contract/access.ts';
import { ACCOUNT_NAME_CHARS_MAX, ACCOUNT_TEXT_CHARS_MAX } from '../../electron/contract/check-access.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { api, attempt } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';
import { CloseIcon } from './icons.tsx';
import { closing } from './typed-name-dialog.tsx';

const SUBJECT = 'access:form';

interface RolesProps {
  readonly view: ClusterView;
  readonly roles: readonly string[];
  readonly onRoles: (roles: readonly string[]) => void;
}

/** What is given, as chips; a role and a context to give. */
function Roles({ view, roles, onRoles }: RolesProps) {
  const role = useSignal<string>('USE_CONTEXT');
  const context = useSignal('*');
  const text = `${role.value}@${context.value}`;
  return (
    <fieldset class="account-form-roles">
      <legend>Roles</legend>
      <p class="button-row">
        {roles.length === 0 && <span class="hint">None: it may do nothing.</span>}
        {roles.map((one) => (
          <button
            key={one}
            type="button"
            class="removable-chip"
            aria-label={`Take away ${one}`}
            onClick={() => onRoles(roles.filter((other) => other !== one))}
          >
            {one} <CloseIcon />
          </button>
        ))}
      </p>
      <p class="button-row">
        <select
          aria-label="Role"
          value={role.value}
          onChange={(event) => {
            role.value = event.currentTarget.value;
          }}
        >
          {accessRoles.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <select
          aria-label="In context"
          value={context.value}
          onChange={(event) => {
            context.value = event.currentTarget.value;
          }}
        >
          <option value="*">in every context</option>
          {view.contexts.map((one) => (
            <option key={one.name} value={one.name}>
              in {one.name}
            </option>
          ))}
        </select>
        <Button small blocked={roles.includes(text) && 'It has this role'} onClick={() => onRoles([...roles, text])}>
          Give
        </Button>
      </p>
    </fieldset>
  );
}

function TextField(props: {
  readonly label: string;
  readonly value: string;
  readonly max: number;
  readonly type?: 'text' | 'password';
  readonly note?: string;
  readonly onText: (text: string) => void;
}) {
  const id = useId();
  const common = {
    id,
    maxLength: props.max,
    value: props.value,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => props.onText(event.currentTarget.value),
  };
  return (
    <label class="field" for={id}>
      <span>{props.label}</span>
      {props.type === 'password' ? (
        <input type="password" autocomplete="new-password" {...common} />
      ) : (
        <input type="text" autocomplete="off" {...common} />
      )}
      {props.note !== undefined && <small>{props.note}</small>}
    </label>
  );
}

export function AccountForm(props: {
  readonly view: ClusterView;
  /** One that exists, or the kind of a new one. */
  readonly of: Account | AccountKind;
  readonly known: readonly Account[];
  readonly onClose: () => void;
  readonly onDone: (kind: AccountKind, name: string, secret: string | null) => void;
}) {
  const { view, of, onDone } = props;
  const before = typeof of === 'string' ? null : of;
  const kind = typeof of === 'string' ? of : of.kind;
  const name = useSignal(before?.name ?? '');
  const description = useSignal(before?.description ?? '');
  const password = useSignal('');
  const roles = useSignal<readonly string[]>(before?.roles ?? []);
  const onClose = closing(SUBJECT, props.onClose);
  const isTaken = before === null && props.known.some((one) => one.kind === kind && one.name === name.value.trim());
  const blocked =
    (name.value.trim() === '' && 'It needs a name') ||
    (isTaken && 'There is one of this name') ||
    (isBusy(SUBJECT) && 'Under way');
  const save = async (): Promise<void> => {
    const account = { kind, name: name.peek().trim(), description: description.peek().trim(), roles: roles.peek() };
    await attempt(SUBJECT, async () => {
      const { secret } = await api().putAccount(view.name, account, password.peek() === '' ? null : password.peek());
      onDone(kind, account.name, secret);
    });
  };
  return (
    <Dialog title={before === null ? `New ${kind}` : `Roles of ${before.name}`} onClose={onClose}>
      <form
        class="account-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (blocked === false) void save();
        }}
      >
        {before === null && (
          <TextField
            label="Name"
            value={name.value}
            max={ACCOUNT_NAME_CHARS_MAX}
            onText={(text) => {
              name.value = text;
            }}
          />
        )}
        {kind === 'application' ? (
          <TextField
            label="Description"
            value={description.value}
            max={ACCOUNT_TEXT_CHARS_MAX}
            onText={(text) => {
              description.value = text;
            }}
          />
        ) : (
          <TextField
            label="Password"
            type="password"
            value={password.value}
            max={ACCOUNT_TEXT_CHARS_MAX}
            note={before === null ? 'Empty: one is made and shown once.' : 'Empty: it stays.'}
            onText={(text) => {
              password.value = text;
            }}
          />
        )}
        <Roles
          view={view}
          roles={roles.value}
          onRoles={(next) => {
            roles.value = next;
          }}
        />
        {isTaken && <p class="hint">There is a {kind} of this name.</p>}
        <SubjectError subject={SUBJECT} />
        <footer class="dialog-foot">
          <span class="push" />
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" class="button primary" disabled={blocked !== false} title={blocked || undefined}>
            {before === null ? `Make the ${kind}` : 'Save'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
