// `muster run file.chaos`, `muster script`, `muster record` (ux.md §11, §18). Entry point: `addChaosCommands`.
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { LauncherClient } from '../contract/api.ts';
import type { ChaosFailure, ChaosResult, ScriptRunView } from '../contract/chaos.ts';
import { parseChaos } from '../contract/chaos-script.ts';
import { failedLine } from '../contract/failed-line.ts';
import { junitOf } from '../contract/junit.ts';
import { launcherError } from '../launcher/errors.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError } from '../contract/grammar.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';
import { onInterrupt } from './signals.ts';

const SCRIPT_BYTES_MAX = 100_000;
const EXIT: Readonly<Record<ChaosFailure, number>> = { error: 1, condition: 3, assertion: 4 };
const RUN_POLL_MS = 50;
const marks: Readonly<Record<ChaosResult['state'], string>> = {
  waiting: '○',
  running: '◔',
  done: '✓',
  failed: '✕',
  skipped: '–',
};

async function runFile(
  installation: Installation,
  output: Output,
  name: string | undefined,
  file: string,
  options: { readonly junit?: string; readonly record?: boolean },
): Promise<number> {
  const { junit, record: recorded = false } = options;
  const own = path.basename(file).replace(/\.[^.]*$/, '');
  const text = existsSync(file) ? readScript(file) : await savedScript(installation, file);
  // Before this step there is no cluster to record.
  const start = parseChaos(text).findIndex((step) => step.action.kind === 'start');
  const starts = start >= 0;
  if (junit !== undefined) refuseUnwritable(junit);
  return withSession(installation, starts ? 'background' : 'change', async ({ client }) => {
    const cluster = starts ? (name ?? own) : (await pickCluster(client, name)).name;
    if (recorded && !starts) await client.record(cluster, true);
    const begun = await client.runScript(cluster, own, text);
    const run = await followed(client, begun, async (result, index) => {
      output.line(lineOf(result));
      if (recorded && index === start && result.state === 'done') await client.record(cluster, true);
    });
    const recording = recorded ? await client.recording(cluster) : null;
    if (recording !== null) {
      await client.record(cluster, false);
      output.line(recording.text.trimEnd());
    }
    output.object(recording === null ? run : { ...run, recording: recording.text });
    if (junit !== undefined) {
      writeFileSync(junit, junitOf(file, run.steps));
    }
    if (run.failure !== null) {
      await tellFailure(client, output, run);
      return EXIT[run.failure];
    }
    if (run.started) {
      await client.stopCluster(cluster);
    }
    return 0;
  });
}

/** Before anything is done: a run may take long, and its result must have a place. What the file holds stays until then. */
function refuseUnwritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

/** A first line that starts nothing leaves no cluster, and no timeline. */
async function tellFailure(client: LauncherClient, output: Output, run: ScriptRunView): Promise<void> {
  const failed = failedLine(run);
  if (failed === null) return;
  const { step, at } = failed;
  const words = `Line ${step.line}: ${step.text}: ${step.detail}`;
  const kept = (await client.listClusters()).some(({ name }) => name === run.cluster);
  output.note(kept ? `${words} The cluster ${run.cluster} is kept as it is.` : words);
  if (kept) output.note(`As it was then: muster timeline -c ${run.cluster} --at ${new Date(at).toISOString()}`);
}

/** Tells each step once it ended. The first Ctrl-C stops the run. */
async function followed(
  client: LauncherClient,
  begun: ScriptRunView,
  say: (result: ChaosResult, index: number) => Promise<void>,
): Promise<ScriptRunView> {
  const interrupts = onInterrupt();
  void interrupts.first.then(() => client.stopScript(begun.id).catch(() => undefined));
  try {
    let told = 0;
    for (;;) {
      const run = (await client.scriptRuns()).find((one) => one.id === begun.id) ?? begun;
      const ended = run.steps.filter((step) => step.state !== 'waiting' && step.state !== 'running');
      for (const step of ended.slice(told)) await say(step, told++);
      if (run.state !== 'running') return run;
      await delay(RUN_POLL_MS);
    }
  } finally {
    interrupts.release();
  }
}

function savedScript(installation: Installation, name: string): Promise<string> {
  return withSession(installation, 'look', async ({ client }) => {
    const known = (await client.scripts()).some((one) => one.name === name);
    if (!known) throw new UsageError(`There is no file ${name}, and no saved script of that name.`);
    return client.readScript(name);
  });
}

function readScript(file: string): string {
  try {
    if (statSync(file).size <= SCRIPT_BYTES_MAX) {
      return readFileSync(file, 'utf8');
    }
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  throw new UsageError(`${file} is larger than ${SCRIPT_BYTES_MAX} bytes.`);
}

function lineOf(result: ChaosResult): string {
  const time = result.state === 'skipped' ? '' : `${(result.atMs / 1000).toFixed(2)}s +${Math.round(result.tookMs)}ms`;
  return `${marks[result.state]} ${String(result.line).padStart(3)}  ${time.padEnd(16)}  ${result.text}  ${result.detail}`;
}

function listScripts(installation: Installation, output: Output): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const all = await client.scripts();
    output.object(all);
    const rows = all.map((one) => [one.name, one.savedAt, `${one.bytes} bytes`]);
    output.line(all.length === 0 ? 'No script yet.' : table(['NAME', 'SAVED', 'SIZE'], rows).join('\n'));
    return 0;
  });
}

function showScript(installation: Installation, output: Output, name: string): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const text = await client.readScript(name);
    output.object({ name, text });
    output.line(text.trimEnd());
    return 0;
  });
}

function saveScript(installation: Installation, output: Output, name: string, file: string): Promise<number> {
  const text = readScript(file);
  parseChaos(text);
  return withSession(installation, 'change', async ({ client }) => {
    const saved = await client.saveScript(name, text);
    output.object(saved);
    output.line(`Script ${name} saved.`);
    return 0;
  });
}

function removeScript(installation: Installation, output: Output, name: string, yes: boolean): Promise<number> {
  if (!yes) throw new UsageError(`This deletes the script ${name}. Say --yes to do it.`);
  return withSession(installation, 'change', async ({ client }) => {
    await client.removeScript(name);
    output.object({ name, deleted: true });
    output.line(`Script ${name} deleted.`);
    return 0;
  });
}

/** `start` forgets what was recorded before; `stop` prints the script. A recording lives in the process that hosts the clusters. */
function record(
  installation: Installation,
  output: Output,
  name: string | undefined,
  action: 'start' | 'stop' | 'show',
): Promise<number> {
  return withSession(installation, 'look', async ({ client, control }) => {
    const cluster = (await pickCluster(client, name)).name;
    if (control === null) {
      throw launcherError('CLUSTER_NOT_RUNNING', `Nothing of ${cluster} can be recorded.`, 'It does not run.', [
        `Start it: muster up ${cluster}`,
      ]);
    }
    const found =
      action === 'show' ? await client.recording(cluster) : await client.record(cluster, action === 'start');
    output.object(found ?? { running: false, text: '' });
    output.line(
      action === 'start'
        ? `Recording what is done to ${cluster}. End it: muster record stop`
        : (found?.text ?? '').trimEnd(),
    );
    return 0;
  });
}

export function addChaosCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'run <file>', 'run a chaos script; exit 3 when a wait fails, 4 when an assertion does')
    .option('--junit <file>', 'write the checklist as JUnit XML')
    .option('--record', 'print, as a script, what was done to the cluster by hand meanwhile')
    .action((file: string, options: { readonly junit?: string; readonly record?: boolean }, command: Command) =>
      run(command, (installation, output, common) => runFile(installation, output, common.cluster, file, options)),
    );
  const group = program.command('script').description('saved chaos scripts');
  add(group, 'ls', 'names of the saved scripts').action((_options: unknown, command: Command) =>
    run(command, (installation, output) => listScripts(installation, output)),
  );
  add(group, 'show <name>', 'print a saved script').action((name: string, _options: unknown, command: Command) =>
    run(command, (installation, output) => showScript(installation, output, name)),
  );
  add(group, 'save <name> <file>', 'keep a script under a name').action(
    (name: string, file: string, _options: unknown, command: Command) =>
      run(command, (installation, output) => saveScript(installation, output, name, file)),
  );
  add(group, 'rm <name>', 'delete a saved script')
    .option('--yes', 'really')
    .action((name: string, options: { yes?: boolean }, command: Command) =>
      run(command, (installation, output) => removeScript(installation, output, name, options.yes === true)),
    );
  const recorder = program.command('record').description('write down what is done to the cluster as a chaos script');
  const words = { start: 'begin', stop: 'end, and print the script', show: 'print what was written so far' } as const;
  for (const action of ['start', 'stop', 'show'] as const) {
    add(recorder, action, words[action]).action((_options: unknown, command: Command) =>
      run(command, (installation, output, common) => record(installation, output, common.cluster, action)),
    );
  }
}
