// `muster context roles`, `muster move-leader`, `muster tasks`: changes of membership with their plan, leadership, long work.
// Entry point: `addMembershipCommands`; `followTask` is for every command that starts a task.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { LauncherClient } from '../contract/api.ts';
import type { TaskView } from '../contract/model.ts';
import { LauncherError } from '../contract/model.ts';
import { planRoles } from '../contract/role-plan.ts';
import type { RoleWish } from '../contract/role-plan.ts';
import { taskTimeWords } from '../contract/words.ts';
import { rolesGiven, withCluster } from './context-commands.ts';
import type { ContextOptions } from './context-commands.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError, parseNode, parseNodeList } from '../contract/grammar.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

const TASK_POLL_MS = 100;
/** A step that takes longer says how far it is. */
const TASK_NOTE_MS = 2000;

/** Says each step as it ends; answers when the task has ended. Fails with the error of the task. */
export async function followTask(client: LauncherClient, output: Output, started: TaskView): Promise<TaskView> {
  let told = 0;
  let notedAt = Date.now();
  for (;;) {
    const task = (await client.tasks()).find((one) => one.id === started.id) ?? started;
    const done = task.steps.filter((step) => step.state === 'done');
    for (const step of done.slice(told)) {
      output.line(`✓ ${step.label}`);
    }
    told = done.length;
    if (task.state !== 'running') {
      if (task.error !== null) {
        throw new LauncherError(task.error);
      }
      output.object(task);
      if (task.state === 'cancelled') {
        output.line('Cancelled; the rest was not done.');
      }
      return task;
    }
    if (Date.now() - notedAt > TASK_NOTE_MS) {
      notedAt = Date.now();
      output.note(
        `… ${task.steps.find((step) => step.state === 'running')?.label ?? ''}: ${taskTimeWords(task, notedAt)}`,
      );
    }
    await delay(TASK_POLL_MS);
  }
}

type RoleOptions = ContextOptions & { readonly none?: string; readonly dryRun?: boolean };

function changeRoles(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  options: RoleOptions,
): Promise<number> {
  const leaving = options.none === undefined ? [] : parseNodeList(options.none);
  const wishes: readonly RoleWish[] = [...rolesGiven(options), ...leaving.map((node) => ({ node, role: null }))];
  if (wishes.length === 0) {
    throw new UsageError('Say who gets which role: --primary, --active, --passive, --messaging or --none.');
  }
  return withCluster(installation, name, async (client, cluster) => {
    const plan = planRoles(await client.getCluster(cluster), context, wishes);
    for (const warning of plan.warnings) {
      output.note(`note: ${warning}`);
    }
    if (options.dryRun === true) {
      output.object(plan);
      output.line([...plan.steps.map((step) => step.sentence), plan.refused ?? plan.outcome].join('\n'));
      return;
    }
    await followTask(client, output, await client.changeRoles(cluster, context, wishes));
    output.line(plan.outcome);
  });
}

function moveLeader(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  to: string | undefined,
): Promise<number> {
  const node = to === undefined ? null : parseNode(to);
  return withCluster(installation, name, async (client, cluster) => {
    await client.moveLeader(cluster, context, node);
    const found = (await client.getCluster(cluster)).contexts.find((one) => one.name === context);
    output.object({ cluster, context, leader: found?.leader ?? null, term: found?.term ?? null });
    output.line(`${found?.leader ?? 'Nobody'} leads ${context} (term ${found?.term ?? '?'}).`);
  });
}

function tasks(installation: Installation, output: Output, cancel: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    if (cancel !== undefined) {
      const task = await client.cancelTask(cancel);
      output.object(task);
      output.line(`${task.id} ${task.state === 'running' ? 'ends after its present step' : `is ${task.state}`}.`);
      return 0;
    }
    const list = await client.tasks();
    output.object(list);
    const rows = list.map((task) => [
      task.id,
      task.state,
      `${task.steps.filter((step) => step.state === 'done').length}/${task.steps.length}`,
      task.cluster ?? '',
      task.title,
    ]);
    output.line(rows.length === 0 ? 'No tasks.' : table(['TASK', 'STATE', 'STEPS', 'CLUSTER', ''], rows).join('\n'));
    return 0;
  });
}

function changeNodes(
  installation: Installation,
  output: Output,
  name: string | undefined,
  remove: { readonly node: string; readonly yes: boolean } | null,
): Promise<number> {
  const node = remove === null ? null : parseNode(remove.node);
  return withSession(installation, 'change', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    if (node !== null && remove?.yes !== true) {
      throw new UsageError(
        `This takes ${node} out of ${cluster} and deletes its copy of every event. Say --yes to do it.`,
      );
    }
    const begun = node === null ? await client.addNode(cluster) : await client.removeNode(cluster, node);
    await followTask(client, output, begun);
    return 0;
  });
}

export function addMembershipCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const context = program.commands.find((one) => one.name() === 'context') ?? program;
  add(context, 'roles <context>', 'change several roles, one membership change at a time; others stay')
    .option('--primary <nodes>', 'for example node-1,2,3')
    .option('--active <nodes>', 'active backups')
    .option('--passive <nodes>', 'passive backups')
    .option('--messaging <nodes>', 'messaging only')
    .option('--none <nodes>', 'leave the context')
    .option('--dry-run', 'only say what would happen')
    .action((name: string, options: RoleOptions, command: Command) =>
      run(command, (installation, output, common) => changeRoles(installation, output, common.cluster, name, options)),
    );
  add(program, 'move-leader <context> [node]', 'hand leadership to a node, or to the most up-to-date one').action(
    (name: string, node: string | undefined, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => moveLeader(installation, output, common.cluster, name, node)),
  );
  add(
    program,
    'add-node',
    'one node more: primary of every context; in a cluster made of a template it gets its roles later',
  ).action((_options: unknown, command: Command) =>
    run(command, (installation, output, common) => changeNodes(installation, output, common.cluster, null)),
  );
  add(program, 'remove-node <node>', 'take a node out of every context and of the cluster, and delete its data')
    .option('--yes', 'really')
    .action((node: string, options: { yes?: boolean }, command: Command) =>
      run(command, (installation, output, common) =>
        changeNodes(installation, output, common.cluster, { node, yes: options.yes === true }),
      ),
    );
  add(program, 'tasks', 'long work under way and done')
    .option('--cancel <task>', 'stop one after its present step')
    .action((options: { cancel?: string }, command: Command) =>
      run(command, (installation, output) => tasks(installation, output, options.cancel)),
    );
}
