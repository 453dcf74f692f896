// Contexts × nodes: who has which role, changes staged and told in words before they are applied (ux.md §8).
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { ADMIN_CONTEXT } from '../../electron/contract/check-parts.ts';
import type { ClusterView, ContextView, NodeName, NodeRole } from '../../electron/contract/model.ts';
import type { RoleWish } from '../../electron/contract/role-plan.ts';
import { planRoles, roleWords } from '../../electron/contract/role-plan.ts';
import { count } from '../format.ts';
import { useAsked } from '../asked-dialog.ts';
import { AccessPanel } from '../parts/access-panel.tsx';
import { Choice } from '../parts/choice.tsx';
import { PurgeDialog, VerifyDialog } from '../parts/context-check.tsx';
import { CreateContextDialog, DeleteContextDialog, RoleOptions } from '../parts/context-dialogs.tsx';
import { Button, Counting, isBusy, SubjectError, Swatch } from '../parts/controls.tsx';
import { Empty, StartAction } from '../parts/empty.tsx';
import { Crown } from '../parts/icons.tsx';
import { Task } from '../parts/task-list.tsx';
import { api, attempt, commandsBlocked, tasks } from '../store.ts';

const SUBJECT = 'contexts';

type Staged = ReadonlyMap<string, ReadonlyMap<NodeName, NodeRole | null>>;

const wishesOf = (staged: Staged, context: string): readonly RoleWish[] =>
  [...(staged.get(context) ?? [])].map(([node, role]) => ({ node, role }));

function Cell(props: {
  readonly context: ContextView;
  readonly node: NodeName;
  readonly staged: NodeRole | null | undefined;
  readonly blocked: boolean;
  readonly onChange: (role: NodeRole | null) => void;
}) {
  const { context, node, staged } = props;
  const present = context.members.find((one) => one.node === node)?.role ?? null;
  const value = staged === undefined ? present : staged;
  return (
    <td class={value === present ? 'role-cell' : 'role-cell staged'} data-node={node}>
      <Choice
        label={`Role of ${node} in ${context.name}`}
        buttonLabel={`Role of ${node} in ${context.name}: ${value === null ? 'none' : roleWords[value]}`}
        word={value === null ? '—' : roleWords[value]}
        value={value ?? ''}
        disabled={props.blocked}
        options={RoleOptions}
        onChoose={(chosen) => props.onChange(chosen === '' ? null : (chosen as NodeRole))}
      />
      {context.leader === node && (
        <span class="leader-mark" title={`leads ${context.name}`}>
          <Crown />
          <span class="visually-hidden">leads {context.name}</span>
        </span>
      )}
    </td>
  );
}

function LeaderMover(props: {
  readonly view: ClusterView;
  readonly context: ContextView;
  readonly blocked: string | false;
}) {
  const { view, context, blocked } = props;
  const candidates = context.members.filter((one) => one.role === 'PRIMARY' && one.node !== context.leader);
  return (
    <Choice
      label={`Leader of ${context.name}`}
      buttonLabel={`Move leader of ${context.name}`}
      word="Move leader…"
      value={context.leader ?? ''}
      disabled={blocked !== false || candidates.length === 0 || context.leader === null}
      options={() =>
        [context.leader, ...candidates.map((one) => one.node)].map((node) => <option key={node}>{node}</option>)
      }
      onChoose={(node) => void attempt(SUBJECT, () => api().moveLeader(view.name, context.name, node))}
    />
  );
}

function StagedPlan(props: {
  readonly view: ClusterView;
  readonly context: string;
  readonly wishes: readonly RoleWish[];
  readonly onDone: () => void;
}) {
  const { view, context, wishes } = props;
  const plan = planRoles(view, context, wishes);
  if (plan.steps.length === 0) return null;
  const running = tasks.value.some((task) => task.cluster === view.name && task.state === 'running');
  const apply = async (): Promise<void> => {
    const started = await attempt(SUBJECT, async () => {
      await api().changeRoles(view.name, context, wishes);
    });
    if (started) props.onDone();
  };
  return (
    <section class="staged-plan" aria-label={`Plan for ${context}`} aria-live="polite">
      <h3>Plan for {context}</h3>
      <ol>
        {plan.steps.map((step) => (
          <li key={step.node}>{step.sentence}</li>
        ))}
      </ol>
      <p>{plan.outcome}</p>
      {plan.warnings.map((warning) => (
        <p key={warning} class="warning" role="note">
          {warning}
        </p>
      ))}
      {plan.refused !== null && (
        <p class="warning bad" role="note">
          {plan.refused}
        </p>
      )}
      <footer class="dialog-foot">
        <Button onClick={props.onDone}>Discard</Button>
        <Button
          kind="primary"
          blocked={plan.refused ?? (running ? 'A task is under way' : isBusy(SUBJECT) && 'Under way')}
          onClick={() => void apply()}
        >
          {`Apply ${plan.steps.length === 1 ? 'the change' : `${plan.steps.length} changes`}`}
        </Button>
      </footer>
    </section>
  );
}

type Open =
  | { readonly kind: 'create' }
  | {
      readonly kind: 'delete' | 'verify' | 'purge';
      readonly context: string;
      /** A command named the context. */
      readonly asked?: { readonly keepEvents: boolean };
    }
  | null;

const rowActions = { verify: 'Verify…', purge: 'Purge…', delete: 'Delete…' } as const;

/** `_admin` can only be compared. */
function RowActions(props: {
  readonly context: string;
  readonly blocked: string | false;
  readonly onOpen: (open: Open) => void;
}) {
  const { context } = props;
  const kinds = context === ADMIN_CONTEXT ? (['verify'] as const) : (['verify', 'purge', 'delete'] as const);
  return kinds.map((kind) => (
    <Button
      key={kind}
      small
      kind="quiet"
      blocked={props.blocked}
      aria-label={`${rowActions[kind].slice(0, -1)} context ${context}`}
      onClick={() => props.onOpen({ kind, context })}
    >
      {rowActions[kind]}
    </Button>
  ));
}

/** Fifty rows of nine cells are drawn again when a role, a leader or a wish changes; with every view only the count is. */
function ContextRow(props: RoleTableProps & { readonly context: ContextView }) {
  const { view, context, blocked } = props;
  const staged = props.staged.get(context.name);
  const roles = context.members.map((one) => `${one.node} ${one.role}`).join();
  const nodes = view.nodes.map((node) => node.name).join();
  const key = [view.name, nodes, roles, context.leader, blocked, JSON.stringify([...(staged ?? [])])].join('|');
  const cells = useMemo(
    () =>
      view.nodes.map((node) => (
        <Cell
          key={node.name}
          context={context}
          node={node.name}
          staged={staged?.get(node.name)}
          blocked={blocked !== false}
          onChange={(role) => props.onStage(context.name, node.name, role)}
        />
      )),
    [key],
  );
  const actions = useMemo(
    () => (
      <td class="role-cell">
        <LeaderMover view={view} context={context} blocked={blocked} />{' '}
        <RowActions context={context.name} blocked={blocked} onOpen={props.onOpen} />
      </td>
    ),
    [key],
  );
  return (
    <tr data-context={context.name}>
      <th scope="row">{context.name}</th>
      {cells}
      <td class="number">
        <Counting text={count(context.lastToken === null ? null : context.lastToken + 1)} />
      </td>
      {actions}
    </tr>
  );
}

interface RoleTableProps {
  readonly view: ClusterView;
  readonly staged: Staged;
  readonly blocked: string | false;
  readonly onStage: (context: string, node: NodeName, role: NodeRole | null) => void;
  readonly onOpen: (open: Open) => void;
}

function RoleTable(props: RoleTableProps) {
  const { view } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap" aria-label="Roles" tabIndex={0}>
      <table class="members">
        <caption class="visually-hidden">Role of each node in each context</caption>
        <thead>
          <tr>
            <th scope="col">Context</th>
            {view.nodes.map((node, i) => (
              <th key={node.name} scope="col">
                <Swatch index={i} /> {node.name}
              </th>
            ))}
            <th scope="col" class="number">
              Events
            </th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {view.contexts.map((context) => (
            <ContextRow key={context.name} {...props} context={context} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function OpenDialog(props: { readonly view: ClusterView; readonly open: Open; readonly onClose: () => void }) {
  const { view, open, onClose } = props;
  if (open === null) return null;
  if (open.kind === 'create') return <CreateContextDialog view={view} onClose={onClose} />;
  const { kind, context, asked = null } = open;
  if (kind === 'verify') return <VerifyDialog view={view} context={context} onClose={onClose} />;
  if (kind === 'purge') return <PurgeDialog view={view} context={context} typed={asked !== null} onClose={onClose} />;
  return <DeleteContextDialog view={view} context={context} asked={asked} onClose={onClose} />;
}

function ContextRoles({ view }: { readonly view: ClusterView }) {
  const staged = useSignal<Staged>(new Map());
  const open = useSignal<Open>(null);
  const close = (): void => {
    open.value = null;
  };
  useAsked('contexts', true, (wanted) => {
    const keepEvents = wanted.kind === 'delete' && wanted.keepEvents;
    open.value = { kind: wanted.kind, context: wanted.name, asked: { keepEvents } };
  });
  const stage = (context: string, node: NodeName, role: NodeRole | null): void => {
    const row = new Map(staged.peek().get(context) ?? []).set(node, role);
    staged.value = new Map(staged.peek()).set(context, row);
  };
  const discard = (context: string): void => {
    staged.value = new Map([...staged.peek()].filter(([name]) => name !== context));
  };
  const stopped = view.state === 'stopped';
  const blocked = commandsBlocked.value ?? (stopped ? 'The cluster is stopped' : isBusy(SUBJECT) && 'Under way');
  const shownTask = tasks.value.find((task) => task.cluster === view.name);
  const empty = stopped
    ? 'The cluster is stopped. Start it to see and change who has which role.'
    : view.contexts.length === 0
      ? 'No context yet: the nodes are still forming the cluster.'
      : null;
  return (
    <section class="panel contexts-page" aria-labelledby="contexts-heading">
      <header class="panel-head">
        <h2 id="contexts-heading">Contexts and roles</h2>
        <span class="push" />
        <Button
          small
          kind="primary"
          blocked={blocked}
          onClick={() => {
            open.value = { kind: 'create' };
          }}
        >
          New context…
        </Button>
      </header>
      <SubjectError subject={SUBJECT} />
      {empty !== null ? (
        <Empty topic="contexts" action={stopped && <StartAction name={view.name} />}>
          {empty}
        </Empty>
      ) : (
        <RoleTable
          view={view}
          staged={staged.value}
          blocked={blocked}
          onStage={stage}
          onOpen={(wanted) => {
            open.value = wanted;
          }}
        />
      )}
      {[...staged.value.keys()].map((context) => (
        <StagedPlan
          key={context}
          view={view}
          context={context}
          wishes={wishesOf(staged.value, context)}
          onDone={() => discard(context)}
        />
      ))}
      {shownTask !== undefined && <Task task={shownTask} />}
      <OpenDialog view={view} open={open.value} onClose={close} />
    </section>
  );
}

export const ContextsPage = ({ view }: { readonly view: ClusterView }) => (
  <>
    <ContextRoles view={view} />
    <AccessPanel view={view} />
  </>
);
