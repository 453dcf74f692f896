// The command `muster`: argv in, exit code out. 0 done, 1 error, 2 usage, 3 condition not met, 4 assertion failed (ux.md §18).
// Entry point of the bundle dist/cli/muster.js. All work is in up.ts and commands.ts, over the same LauncherApi as the window.
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import type { NodeAction } from '../contract/model.ts';
import { errorData } from '../launcher/errors.ts';
import { addCareCommands } from './care-commands.ts';
import * as commands from './commands.ts';
import { addContext, removeContext, setRole } from './context-commands.ts';
import type { ContextOptions, RoleOptions } from './context-commands.ts';
import { addChaosCommands } from './chaos-command.ts';
import { addExplainCommand } from './explain-command.ts';
import { addExportCommands } from './export-commands.ts';
import { addFaultCommands } from './fault-commands.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError } from '../contract/grammar.ts';
import { addSliceCommands } from './slice-commands.ts';
import { createOutput, errorText } from './output.ts';
import type { Output } from './output.ts';
import { findInstallation } from './session.ts';
import type { Installation } from './session.ts';
import { addConfigCommands } from './config-commands.ts';
import { addManageCommands } from './manage-commands.ts';
import { addMembershipCommands } from './membership-commands.ts';
import { down, plan, serve, up } from './up.ts';
import type { UpOptions } from './up-spec.ts';

const EXIT_OK = 0;
const EXIT_ERROR = 1;
const EXIT_USAGE = 2;
const EXIT_NOT_MET = 3;

interface Common {
  readonly json?: boolean;
  readonly cluster?: string;
}

type Run = (installation: Installation, output: Output, common: Common) => Promise<number>;

interface Outcome {
  code: number;
}

function buildProgram(installation: Installation, outcome: Outcome): Command {
  const program = new Command('muster')
    .description('Local development clusters compatible with Axon Server')
    .version(installation.version)
    .exitOverride()
    .showHelpAfterError('(muster --help lists the commands)');
  const run = async (command: Command, work: Run): Promise<void> => {
    const common = command.optsWithGlobals<Common>();
    outcome.code = await guarded(createOutput(common.json === true), (output) => work(installation, output, common));
  };
  const add: AddCommand = (parent, usage, description) =>
    parent
      .command(usage)
      .description(description)
      .option('--json', 'print JSON on standard output')
      .option('-c, --cluster <name>', 'the cluster meant, when several run')
      .exitOverride();
  addClusterCommands(program, add, run);
  addNodeCommands(program, add, run);
  addLookCommands(program, add, run);
  addFaultCommands(program, add, run);
  addChaosCommands(program, add, run);
  addMembershipCommands(program, add, run);
  addConfigCommands(program, add, run);
  addSliceCommands(program, add, run);
  addManageCommands(program, add, run);
  addCareCommands(program, add, run);
  addExportCommands(program, add, run);
  addExplainCommand(program, add, run);
  return program;
}

function upOptions(command: Command): Command {
  return command
    .option('--nodes <count>', 'number of nodes, 1 to 9 (default 3)')
    .option('--contexts <names>', 'comma-separated contexts (default "default")')
    .option('--template <file>', 'nodes, contexts and roles of a cluster template, or of muster export spec')
    .option('--scenario <id>', 'roles worth trying: 3p, 3p-1a, 3p-2a, 3p-1b, 3p-edge or 5p')
    .option(
      '--host <name>',
      'host name told to apps: docker, or a name of this computer; opens the ports to other hosts',
    )
    .option('--throw-away', 'delete the data when the cluster stops')
    .option('--dcb', 'make DCB contexts, for Axon Framework 5')
    .option('--access-control', 'clients need a token; muster connect shows it')
    .option('--tls', 'all ports speak TLS, with certificates made here')
    .option(
      '--timing <profile>',
      'dev (fast elections), axon (documented defaults), or slow (dev in slow motion, once it is usable)',
    )
    .option('--first-port <port>', 'HTTP port of node-1; gRPC is 100 higher, internal 200');
}

function addClusterCommands(program: Command, add: AddCommand, run: RunCommand): void {
  upOptions(add(program, 'up [name]', 'create the cluster if it is new, start it, wait until it is usable'))
    .option('--detach', 'leave it running in the background')
    .option('--wait <duration>', 'how long it may take to become usable (default 30s)')
    .action((name: string | undefined, options: UpOptions, command: Command) =>
      run(command, (installation, output, common) => up(installation, output, name ?? common.cluster, options)),
    );
  upOptions(add(program, 'plan [name]', 'show folders and ports that `up` would use')).action(
    (name: string | undefined, options: UpOptions, command: Command) =>
      run(command, (installation, output, common) => plan(installation, output, name ?? common.cluster, options)),
  );
  add(program, 'down [name]', 'stop every node of the cluster')
    .option('--throw-away', 'delete its data, too')
    .action((name: string | undefined, options: { throwAway?: boolean }, command: Command) =>
      run(command, (installation, output, common) => down(installation, output, name ?? common.cluster, options)),
    );
  add(program, 'rm <name>', 'delete a stopped cluster and its data')
    .option('--yes', 'really')
    .action((name: string, options: { yes?: boolean }, command: Command) =>
      run(command, (installation, output) => commands.remove(installation, output, name, options.yes === true)),
    );
  add(program, 'serve', 'host clusters and the user interface on loopback')
    .option('--port <port>', 'port to listen on, 0 = any (default: as muster control-port)')
    .option('--background', 'leave by itself when no cluster runs')
    .action((options: { port?: string; background?: boolean }, command: Command) =>
      run(command, (installation, output) => serve(installation, output, options)),
    );
}

const NODE_COMMANDS: readonly (readonly [NodeAction, string])[] = [
  ['kill', 'end processes at once (SIGKILL)'],
  ['stop', 'stop nodes gracefully'],
  ['start', 'start nodes that do not run'],
  ['restart', 'stop gracefully, then start'],
  ['freeze', 'stop the clock of processes (SIGSTOP)'],
  ['resume', 'let frozen processes go on'],
];

function addNodeCommands(program: Command, add: AddCommand, run: RunCommand): void {
  for (const [action, description] of NODE_COMMANDS) {
    add(
      program,
      `${action} <targets...>`,
      `${description}; targets: node-2, leader:default, follower:default, all`,
    ).action((targets: readonly string[], _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        commands.act(installation, output, common.cluster, action, targets),
      ),
    );
  }
  const context = program.command('context').description('contexts of a cluster');
  add(context, 'add <context>', 'create a context; every node is primary unless roles are given')
    .option('--primary <nodes>', 'for example node-1,2,3')
    .option('--active <nodes>', 'active backups')
    .option('--passive <nodes>', 'passive backups')
    .option('--messaging <nodes>', 'messaging only')
    .option('--dcb', 'a DCB context, for Axon Framework 5; without a word as the cluster was made')
    .option('--classic', 'a classic context, for Axon Framework 4')
    .action((name: string, options: ContextOptions, command: Command) =>
      run(command, (installation, output, common) => addContext(installation, output, common.cluster, name, options)),
    );
  add(context, 'rm <context>', 'delete a context on all its nodes')
    .option('--yes', 'really delete its events')
    .option('--keep-events', 'nodes keep their copies; a context of that name created again has them')
    .action((name: string, options: Parameters<typeof removeContext>[4], command: Command) =>
      run(command, (installation, output, common) =>
        removeContext(installation, output, common.cluster, name, options),
      ),
    );
  add(
    program,
    'role <node> <context> <role>',
    'change what a node does in a context: primary, active-backup, passive-backup, messaging-only, none',
  )
    .option('--keep-events', 'with none: the node keeps its copy')
    .option('--timeout <duration>', 'how long the change may take (default 10s)')
    .action((node: string, context: string, role: string, options: RoleOptions, command: Command) =>
      run(command, (installation, output, common) =>
        setRole(installation, output, common.cluster, { node, context, role }, options),
      ),
    );
}

function addLookCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'ls', 'list clusters').action((_options: unknown, command: Command) =>
    run(command, (installation, output) => commands.list(installation, output)),
  );
  add(program, 'status [name]', 'nodes, contexts, leaders')
    .option('--watch', 'show changes until Ctrl-C')
    .action((name: string | undefined, options: { watch?: boolean }, command: Command) =>
      run(command, (installation, output, common) =>
        commands.status(installation, output, name ?? common.cluster, options.watch === true),
      ),
    );
  add(
    program,
    'wait <condition>',
    'ready, leader:<context>, caught-up[:<node>], apps:<count>, apps-reconnected; exit 3 when not met in time',
  )
    .option('--timeout <duration>', 'default 10s')
    .option('--after-term <term>', 'a leader of a higher term than this')
    .action((condition: string, options: { timeout?: string; afterTerm?: string }, command: Command) =>
      run(command, (installation, output, common) =>
        commands.wait(installation, output, common.cluster, condition, options),
      ),
    );
  add(program, 'logs [nodes...]', 'show the log of nodes')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--tail <lines>', 'lines per node (default 200)')
    .option('--level <level>', 'debug, info, warn or error and worse')
    .option('--grep <pattern>', 'only lines that match')
    .option('--context <context>', 'only lines of this context')
    .option('--path', 'not the lines but where they are kept')
    .action((nodes: readonly string[], options: Parameters<typeof commands.logs>[4], command: Command) =>
      run(command, (installation, output, common) =>
        commands.logs(installation, output, common.cluster, nodes, options),
      ),
    );
  add(program, 'connect', 'configuration for an app')
    .option('--for <kind>', 'spring, quarkus, java, python, env or cli')
    .option('--context <context>', 'context of the app')
    .action((options: { for?: string; context?: string }, command: Command) =>
      run(command, (installation, output, common) => commands.connect(installation, output, common.cluster, options)),
    );
}

/** Errors become one message and an exit code; with --json also one object on standard output. */
async function guarded(output: Output, work: (output: Output) => Promise<number>): Promise<number> {
  try {
    return await work(output);
  } catch (error) {
    if (error instanceof UsageError) {
      output.object(badArgument(error.message, []));
      output.note(`muster: ${error.message}`);
      return EXIT_USAGE;
    }
    const data = errorData(error);
    output.object({ error: data });
    output.note(errorText(data));
    switch (data.code) {
      case 'NOT_READY_IN_TIME':
        return EXIT_NOT_MET;
      case 'BAD_ARGUMENT':
      case 'SCRIPT_INVALID':
      case 'CLUSTER_AMBIGUOUS':
        return EXIT_USAGE;
      default:
        return EXIT_ERROR;
    }
  }
}

const badArgument = (what: string, next: readonly string[]) => ({
  error: { code: 'BAD_ARGUMENT', what, why: '', next },
});

async function main(argv: readonly string[]): Promise<number> {
  // The reader of a pipe may leave early (`muster logs | head`), or the terminal is closed: that is not an error. A command that waits for
  // Ctrl-C then ends as after one, so that what runs here is stopped in order.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (process.listenerCount('SIGHUP') > 0) process.emit('SIGHUP', 'SIGHUP');
    else process.exit(error.code === 'EPIPE' || error.code === 'EIO' ? EXIT_OK : EXIT_ERROR);
  });
  process.stderr.on('error', () => undefined);
  const outcome: Outcome = { code: EXIT_OK };
  const installation = findInstallation(fileURLToPath(import.meta.url), process.env);
  try {
    await buildProgram(installation, outcome).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    if (error.exitCode !== 0 && argv.includes('--json')) {
      const what = error.message === '(outputHelp)' ? 'A command is missing.' : error.message.replace(/^error: /, '');
      createOutput(true).object(badArgument(what, ['See the commands: muster --help']));
    }
    return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  }
  return outcome.code;
}

process.exitCode = await main(process.argv.slice(2));
