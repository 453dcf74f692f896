// `muster processor ls|pause|start|split|merge|move`: event processors of connected apps (ux.md §5). Entry point: `addProcessorCommands`.
import type { Command } from 'commander';
import type { LauncherClient } from '../contract/api.ts';
import { parseWholeNumber, UsageError } from '../contract/grammar.ts';
import { claimWords, processorsOf, stateWords, steerings } from '../contract/processors.ts';
import type { ProcessorAct } from '../contract/processors.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

function list(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const { apps } = await client.getCluster((await pickCluster(client, name)).name);
    const all = processorsOf(apps);
    output.object(all);
    const rows = all.flatMap((one) =>
      one.members.map((member, index) => [
        ...(index === 0 ? [one.name, one.context, stateWords(one)] : ['', '', '']),
        member.clientId,
        member.node,
        member.claims.map(claimWords).join('; '),
      ]),
    );
    output.line(
      all.length === 0
        ? 'No app has told of an event processor.'
        : table(['PROCESSOR', 'CONTEXT', 'STATE', 'CLIENT', 'NODE', 'SEGMENTS'], rows).join('\n'),
    );
    return 0;
  });
}

function steer(
  installation: Installation,
  output: Output,
  name: string | undefined,
  processor: string,
  context: string | undefined,
  act: ProcessorAct,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const meant = { name: processor, context: context ?? (await onlyContext(client, cluster, processor)) };
    const outcome = await client.steerProcessor(cluster, meant, act);
    output.object({ cluster, ...meant, ...act, outcome });
    const what = act.kind === 'move' ? `segment ${act.segment} moves to ${act.clientId}` : act.kind;
    output.line(
      `${processor}: ${what}. ${outcome === 'done' ? 'Done.' : 'The app only confirms that it got the request.'}`,
    );
    return 0;
  });
}

/** Without --context: the one that has it; `default` when none has, so that the launcher says so. */
async function onlyContext(client: LauncherClient, cluster: string, processor: string): Promise<string> {
  const all = processorsOf((await client.getCluster(cluster)).apps).filter((one) => one.name === processor);
  if (all.length > 1) {
    throw new UsageError(
      `${processor} is in several contexts: say --context ${all.map((one) => one.context).join(' or ')}.`,
    );
  }
  return all[0]?.context ?? 'default';
}

const WORDS = {
  pause: 'stop it in every app that has it',
  start: 'let it run again in every app that has it',
  split: 'make two segments of its largest',
  merge: 'make one segment of two',
} as const;

interface ProcessorOptions {
  readonly context?: string;
}

export function addProcessorCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const group = program.command('processor').description('event processors of connected apps: see and steer them');
  add(group, 'ls', 'processors with apps, segments and positions').action((_options: unknown, command: Command) =>
    run(command, (installation, output, { cluster }) => list(installation, output, cluster)),
  );
  const inContext = (command: Command): Command =>
    command.option('--context <name>', 'when several contexts have one of that name');
  for (const kind of steerings) {
    inContext(add(group, `${kind} <name>`, WORDS[kind])).action(
      (processor: string, { context }: ProcessorOptions, command: Command) =>
        run(command, (installation, output, { cluster }) =>
          steer(installation, output, cluster, processor, context, { kind }),
        ),
    );
  }
  inContext(
    add(group, 'move <name> <segment> <client-id>', 'give a segment to another app that has the processor'),
  ).action((processor: string, segment: string, clientId: string, { context }: ProcessorOptions, command: Command) =>
    run(command, (installation, output, { cluster }) =>
      steer(installation, output, cluster, processor, context, {
        kind: 'move',
        segment: parseWholeNumber(segment, 'segment'),
        clientId,
      }),
    ),
  );
}
