// `muster timeline`: what happened, as a chaos script too, and the cluster as it was at a moment; `muster note` (ux.md §10, §18).
// Entry point: `addTimelineCommands`.
import type { Command } from 'commander';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { parseMoment, UsageError } from '../contract/grammar.ts';
import { clusterObject, statusText } from './output.ts';
import type { Output } from './output.ts';
import { eventLine } from '../contract/history.ts';
import type { TimelineEvent } from '../contract/history.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

export interface Range {
  readonly since?: string;
  readonly until?: string;
}

/** Epoch ms; without words everything there is. */
export function rangeOf({ since, until }: Range): { readonly from: number; readonly to: number } {
  const now = Date.now();
  const from = since === undefined ? 0 : parseMoment(since, now);
  const to = until === undefined ? now : parseMoment(until, now);
  if (from > to) throw new UsageError('--until is before --since.');
  return { from, to };
}

function listed(installation: Installation, output: Output, name: string | undefined, range: Range): Promise<number> {
  const { from, to } = rangeOf(range);
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    for (const event of await client.timeline(cluster.name, from)) {
      if (event.at > to) break;
      output.object(event);
      output.line(noteLine(event));
    }
    return 0;
  });
}

/** `save`: the name to keep it under, null to only print it. */
function scripted(
  installation: Installation,
  output: Output,
  name: string | undefined,
  range: Range,
  save: string | null,
): Promise<number> {
  const { from, to } = rangeOf(range);
  return withSession(installation, save === null ? 'look' : 'change', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const text = await client.timelineScript(cluster.name, from, to);
    const saved = save === null ? null : await client.saveScript(save, text);
    output.object({ text, saved });
    output.line(saved === null ? text.trimEnd() : `Script ${saved.name} saved.`);
    return 0;
  });
}

function note(
  installation: Installation,
  output: Output,
  name: string | undefined,
  text: string,
  moment: string | undefined,
): Promise<number> {
  const now = Date.now();
  const at = moment === undefined ? now : parseMoment(moment, now);
  return withSession(installation, 'change', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const pinned = await client.addNote(cluster.name, at, text);
    output.object(pinned);
    output.line(noteLine(pinned));
    return 0;
  });
}

/** With the id of a note, by which it is edited and removed. */
const noteLine = (event: TimelineEvent): string =>
  event.id === undefined ? eventLine(event) : `${eventLine(event)} (${event.id})`;

/** `text` null: removes it. */
function changeNote(
  installation: Installation,
  output: Output,
  name: string | undefined,
  id: string,
  text: string | null,
): Promise<number> {
  return withSession(installation, 'change', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    if (text === null) {
      await client.removeNote(cluster, id);
      output.object({ removed: id });
      output.line(`Note ${id} removed.`);
      return 0;
    }
    const edited = await client.editNote(cluster, id, text);
    output.object(edited);
    output.line(noteLine(edited));
    return 0;
  });
}

function asItWas(installation: Installation, output: Output, name: string | undefined, moment: string) {
  const at = parseMoment(moment, Date.now());
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const { recordedAt, view } = await client.pastView(cluster.name, at);
    output.object({ at, recordedAt, ...clusterObject(view, null) });
    if (recordedAt > at) output.note('note: nothing earlier is recorded; this is the first state.');
    output.line(`As recorded at ${new Date(recordedAt).toISOString()}:\n${statusText(view)}`);
    return 0;
  });
}

interface TimelineOptions extends Range {
  readonly at?: string;
  readonly script?: boolean;
  readonly save?: string;
}

export function addTimelineCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'timeline', 'what happened, or with --at the cluster as it was')
    .option('--since <moment>', 'for example 1m, or a date with time')
    .option('--until <moment>', 'the end of it, in the same words')
    .option('--at <moment>', 'state of the cluster then: 12s ago, or a date with time')
    .option('--script', 'what was done in that time as a chaos script')
    .option('--save <name>', 'with --script: keep it under this name')
    .action((options: TimelineOptions, command: Command) =>
      run(command, (installation, output, { cluster }) => {
        const { at, script, save = null } = options;
        if (save !== null && script !== true) throw new UsageError('--save needs --script.');
        if (script === true) return scripted(installation, output, cluster, options, save);
        return at === undefined
          ? listed(installation, output, cluster, options)
          : asItWas(installation, output, cluster, at);
      }),
    );
  const notes = add(program, 'note <text>', 'pin a note to the timeline, where every window shows it');
  notes
    .option('--at <moment>', 'not now but then: 12s ago, or a date with time')
    .action((text: string, options: { at?: string }, command: Command) =>
      run(command, (installation, output, common) => note(installation, output, common.cluster, text, options.at)),
    );
  add(notes, 'edit <id> <text>', 'write other words into a note; muster timeline tells its id').action(
    (id: string, text: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => changeNote(installation, output, common.cluster, id, text)),
  );
  add(notes, 'rm <id>', 'take a note off').action((id: string, _options: unknown, command: Command) =>
    run(command, (installation, output, common) => changeNote(installation, output, common.cluster, id, null)),
  );
}
