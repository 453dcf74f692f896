// Users and applications of a cluster with access control: who may do what in which context; secrets are shown once (console A6).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Account, AccountKind } from '../../electron/contract/access.ts';
import { accountKinds, secretWord } from '../../electron/contract/access.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { announce } from '../announce.ts';
import { api, attempt, commandsBlocked, past } from '../store.ts';
import { AccountForm } from './account-form.tsx';
import { Button, CopyButton, Dialog, isBusy, SubjectError } from './controls.tsx';
import { Empty } from './empty.tsx';
import { closing } from './typed-name-dialog.tsx';

export const ACCESS_SUBJECT = 'access';
const DELETE_SUBJECT = 'access:delete';

interface Shown {
  readonly kind: AccountKind;
  readonly name: string;
  readonly secret: string;
}

function SecretNote({ shown, onDone }: { readonly shown: Shown; readonly onDone: () => void }) {
  const word = secretWord(shown.kind);
  return (
    <section class="secret-note" aria-label={`New ${word} of ${shown.name}`}>
      <p>
        The {word} of <strong>{shown.name}</strong>, shown this once: nodes keep only its hash.
      </p>
      <p class="button-row">
        <code>{shown.secret}</code>
        <CopyButton text={shown.secret} label={`Copy the ${word}`} words="Copy" />
        <Button small onClick={onDone}>
          I have it
        </Button>
      </p>
    </section>
  );
}

function DeleteDialog(props: {
  readonly cluster: string;
  readonly account: Account;
  readonly onClose: () => void;
  readonly onDone: () => void;
}) {
  const { cluster, account, onDone } = props;
  const onClose = closing(DELETE_SUBJECT, props.onClose);
  const remove = async (): Promise<void> => {
    if (await attempt(DELETE_SUBJECT, () => api().removeAccount(cluster, account.kind, account.name))) {
      announce(`The ${account.kind} ${account.name} was deleted.`);
      onDone();
    }
  };
  return (
    <Dialog title={`Delete ${account.kind} ${account.name}?`} onClose={onClose}>
      <p>Whoever uses its {secretWord(account.kind)} is refused from now on, and open streams end.</p>
      <SubjectError subject={DELETE_SUBJECT} />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" blocked={isBusy(DELETE_SUBJECT) && 'Under way'} onClick={() => void remove()}>
          Delete
        </Button>
      </footer>
    </Dialog>
  );
}

interface RowProps {
  readonly account: Account;
  readonly blocked: string | false;
  readonly onEdit: () => void;
  readonly onRenew: () => void;
  readonly onDelete: () => void;
}

function Row({ account, blocked, onEdit, onRenew, onDelete }: RowProps) {
  const { kind, name } = account;
  const label = (act: string): string => `${act} ${kind} ${name}`;
  return (
    <tr>
      <th scope="row">
        {name} {account.description !== '' && <span class="hint">{account.description}</span>}
      </th>
      <td>{kind}</td>
      <td class="account-roles">{account.roles.join(', ') || 'none'}</td>
      <td class="row-actions">
        <Button small aria-label={label('Roles of')} blocked={blocked} onClick={onEdit}>
          Roles…
        </Button>
        <Button small aria-label={`New ${secretWord(kind)} of ${name}`} blocked={blocked} onClick={onRenew}>
          New {secretWord(kind)}
        </Button>
        <Button small aria-label={label('Delete')} blocked={blocked} onClick={onDelete}>
          Delete…
        </Button>
      </td>
    </tr>
  );
}

function Accounts({ view }: { readonly view: ClusterView }) {
  const all = useSignal<readonly Account[] | null>(null);
  const secret = useSignal<Shown | null>(null);
  const editing = useSignal<Account | AccountKind | null>(null);
  const deleting = useSignal<Account | null>(null);
  const read = (): void => {
    void attempt(ACCESS_SUBJECT, async () => {
      all.value = await api().accounts(view.name);
    });
  };
  useEffect(read, [view.name]);
  const showSecret = (kind: AccountKind, name: string, told: string | null): void => {
    if (told === null) return;
    secret.value = { kind, name, secret: told };
    announce(`The new ${secretWord(kind)} of ${name} is shown below.`);
  };
  const renew = ({ kind, name }: Account): void => {
    void attempt(ACCESS_SUBJECT, async () => {
      const told = await api().renewSecret(view.name, kind, name);
      showSecret(kind, name, told.secret);
    });
  };
  const blocked = commandsBlocked.value ?? (isBusy(ACCESS_SUBJECT) && 'Under way');
  return (
    <>
      <p class="button-row access-actions">
        {accountKinds.map((kind) => (
          <Button
            key={kind}
            small
            blocked={blocked}
            onClick={() => {
              editing.value = kind;
            }}
          >
            New {kind}…
          </Button>
        ))}
        <Button small blocked={isBusy(ACCESS_SUBJECT) && 'Under way'} onClick={read}>
          Refresh
        </Button>
      </p>
      <SubjectError subject={ACCESS_SUBJECT} />
      {secret.value !== null && (
        <SecretNote
          shown={secret.value}
          onDone={() => {
            secret.value = null;
          }}
        />
      )}
      {all.value?.length === 0 && (
        <Empty topic="access">No users and no applications yet. Apps use the token of the Connect panel.</Empty>
      )}
      {all.value !== null && all.value.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <section class="table-scroll" aria-label="List of users and applications" tabIndex={0}>
          <table class="apps">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                <th scope="col">Roles</th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {all.value.map((account) => (
                <Row
                  key={`${account.kind} ${account.name}`}
                  account={account}
                  blocked={blocked}
                  onEdit={() => {
                    editing.value = account;
                  }}
                  onRenew={() => renew(account)}
                  onDelete={() => {
                    deleting.value = account;
                  }}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {editing.value !== null && (
        <AccountForm
          view={view}
          of={editing.value}
          known={all.value ?? []}
          onClose={() => {
            editing.value = null;
          }}
          onDone={(kind, name, told) => {
            editing.value = null;
            showSecret(kind, name, told);
            read();
          }}
        />
      )}
      {deleting.value !== null && (
        <DeleteDialog
          cluster={view.name}
          account={deleting.value}
          onClose={() => {
            deleting.value = null;
          }}
          onDone={() => {
            deleting.value = null;
            read();
          }}
        />
      )}
    </>
  );
}

/** Nothing where everybody may do everything; of the past nothing is kept. */
export function AccessPanel({ view }: { readonly view: ClusterView }) {
  if (view.accessControl !== true || view.state === 'stopped') return null;
  return (
    <section class="panel access-panel" aria-labelledby="access-heading">
      <header class="panel-head">
        <h2 id="access-heading">Users and applications</h2>
        <span class="hint">Access control is on: who may do what in which context.</span>
      </header>
      {past.value !== null ? (
        <p class="empty">They are not recorded: go back to now (End) to see them.</p>
      ) : (
        <Accounts view={view} />
      )}
    </section>
  );
}
