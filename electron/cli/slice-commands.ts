// Registers the commands of the apps, events, timeline, chaos and checkpoint pages. Entry point: `addSliceCommands`.
import type { Command } from 'commander';
import { addAccessCommands } from './access-commands.ts';
import { apps, askApp } from './apps-commands.ts';
import { doctor } from './doctor-commands.ts';
import { checkpoint, checkpoints } from './checkpoint-commands.ts';
import { append, events, purge, scrub, verify } from './event-commands.ts';
import type { AppendOptions, EventsOptions } from './event-commands.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { addPaceCommands } from './pace-commands.ts';
import { addProcessorCommands } from './processor-commands.ts';
import { query } from './query-command.ts';
import { addSearchCommands } from './search-commands.ts';
import { addTimelineCommands } from './timeline-commands.ts';

export function addSliceCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'apps', 'connected apps, and what became of them after the last fault')
    .option('--markdown', 'the reconnect report as Markdown, for a bug report')
    .action((options: { markdown?: boolean }, command: Command) =>
      run(command, (installation, output, common) => apps(installation, output, common.cluster, options)),
    );
  const actions = { reconnect: 'ask an app to connect anew', disconnect: 'end the connections of an app' } as const;
  for (const action of ['reconnect', 'disconnect'] as const) {
    add(program, `${action} <client-id>`, actions[action]).action(
      (clientId: string, _options: unknown, command: Command) =>
        run(command, (installation, output, common) => askApp(installation, output, common.cluster, clientId, action)),
    );
  }
  add(program, 'doctor', 'go the way of an app step by step; exit 4 when a step fails')
    .option('--context <name>', 'context that the app asks for')
    .action((options: { context?: string }, command: Command) =>
      run(command, (installation, output, common) => doctor(installation, output, common.cluster, options)),
    );
  addAccessCommands(program, add, run);
  addProcessorCommands(program, add, run);
  addTimelineCommands(program, add, run);
  addPaceCommands(program, add, run);
  addEventCommands(program, add, run);
  add(
    program,
    'query <context> [text]',
    'ask events in the query language: payloadType contains "Card" | count(); see docs/queries.md',
  )
    .option('--watch', 'ask again every two seconds')
    .action((context: string, text: string | undefined, options: { watch?: boolean }, command: Command) =>
      run(command, (installation, output, common) =>
        query(installation, output, common.cluster, context, text ?? '', options.watch === true),
      ),
    );
  addSearchCommands(program, add, run);
  addCheckpointCommands(program, add, run);
}

function addCheckpointCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const group = program.command('checkpoint').description('save, restore, list and delete states of the whole cluster');
  add(group, 'ls', 'saved states with their sizes').action((_options: unknown, command: Command) =>
    run(command, (installation, output, common) => checkpoints(installation, output, common.cluster)),
  );
  const words = {
    save: 'stop the cluster, copy the data of all nodes, start it again',
    restore: 'replace the data of all nodes by a saved state',
    rm: 'delete a saved state',
  } as const;
  for (const action of ['save', 'restore', 'rm'] as const) {
    const made = add(group, `${action} <name>`, words[action]);
    if (action !== 'save') made.option('--yes', 'really');
    made.action((name: string, options: { yes?: boolean }, command: Command) =>
      run(command, (installation, output, common) =>
        checkpoint(installation, output, common.cluster, action, name, options.yes === true),
      ),
    );
  }
}

function addEventCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'events <context>', 'events of a context, with the nodes that have each')
    .option('--type <pattern>', 'payload type, * stands for anything')
    .option('--aggregate <id>', 'events of one aggregate, or with one tag')
    .option('--text <words>', 'in payload, metadata, type or id')
    .option('--meta <key=value>', 'metadata that must be there')
    .option('--where <words>', "as the filter bar has it: 'type:Card* agg:card-1 meta.user:ada from:10m issued'")
    .option('--search <name>', 'as saved under this name (muster search ls)')
    .option('--since <moment>', 'not older: 10m, or a date with time')
    .option('--until <moment>', 'not newer, in the same words')
    .option('--from-token <token>', 'begin here')
    .option('--max <events>', 'at most so many, up to 1000 (default 100)')
    .option('--payload', 'show payloads as text')
    .option('--given', 'show each as the start of an Axon test: .given(…)')
    .option('--tail', 'go on with new events until Ctrl-C')
    .action((context: string, options: EventsOptions, command: Command) =>
      run(command, (installation, output, common) => events(installation, output, common.cluster, context, options)),
    );
  add(program, 'append <context>', 'append one event by hand')
    .option('--type <type>', 'payload type, or the name of a DCB event')
    .option('--revision <revision>', 'its revision')
    .option('--aggregate <id>', 'aggregate; the sequence number follows its last')
    .option('--aggregate-type <type>', 'type of the aggregate (default "Aggregate")')
    .option('--payload <text>', 'for example JSON')
    .option('--meta <key=value...>', 'metadata')
    .option('--tag <key=value...>', 'tags, in DCB contexts')
    .action((context: string, options: AppendOptions, command: Command) =>
      run(command, (installation, output, common) => append(installation, output, common.cluster, context, options)),
    );
  add(program, 'verify [contexts...]', 'compare the logs of all members; exit 3 when they differ').action(
    (contexts: readonly string[], _options: unknown, command: Command) =>
      run(command, (installation, output, common) => verify(installation, output, common.cluster, contexts)),
  );
  add(program, 'scrub <node>', 'read the closed segments of a node again and compare checksums; exit 3 on damage')
    .option('--context <name>', 'only this context (default all that the node stores)')
    .action((node: string, options: { context?: string }, command: Command) =>
      run(command, (installation, output, common) =>
        scrub(installation, output, common.cluster, node, options.context),
      ),
    );
  add(program, 'purge [contexts...]', 'delete every event of contexts on all nodes; all contexts when none is named')
    .option('--yes', 'really')
    .action((contexts: readonly string[], options: { yes?: boolean }, command: Command) =>
      run(command, (installation, output, common) =>
        purge(installation, output, common.cluster, contexts, options.yes === true),
      ),
    );
}
