// `muster export`, `import` and `bundle`: a cluster as a file, and back. Entry points: `addExportCommands`, `specFromFile`.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { exportKinds, type ClusterFile, type ExportKind } from '../contract/manage.ts';
import { readClusterFile } from '../launcher/cluster-import.ts';
import { messageOf } from '../launcher/errors.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError } from '../contract/grammar.ts';
import { table } from './output.ts';
import { rangeOf } from './timeline-commands.ts';
import type { Range } from './timeline-commands.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

const FILE_BYTES_MAX = 256 * 1024;

/** Fails with UsageError when the file cannot be read, and as `readClusterFile`. */
export function specFromFile(file: string, name: string): ClusterFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`The file ${file} cannot be read: ${messageOf(error)}`);
  }
  if (text.length > FILE_BYTES_MAX)
    throw new UsageError(`The file ${file} is longer than ${FILE_BYTES_MAX} characters.`);
  return readClusterFile(text, name);
}

function kindOf(text: string): ExportKind {
  const found = exportKinds.find((kind) => kind === text);
  if (found === undefined) throw new UsageError(`There is no export ${text}; there are ${exportKinds.join(', ')}.`);
  return found;
}

function exportTo(
  installation: Installation,
  output: Output,
  name: string | undefined,
  kind: ExportKind,
  file: string | undefined,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const made = await client.exportCluster((await pickCluster(client, name)).name, kind);
    for (const note of made.notes) output.note(`note: ${note}`);
    if (file === undefined) {
      output.object(made);
      output.line(made.text.trimEnd());
      return 0;
    }
    try {
      writeFileSync(file, made.text, { flag: 'wx' });
    } catch (error) {
      throw new UsageError(`The file ${file} was not written: ${messageOf(error)}`);
    }
    output.object({ ...made, file: path.resolve(file) });
    output.line(`Written to ${path.resolve(file)}`);
    return 0;
  });
}

function importFrom(
  installation: Installation,
  output: Output,
  file: string,
  name: string | undefined,
): Promise<number> {
  const base = path
    .basename(file)
    .replace(/\..*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-');
  const { spec, notes } = specFromFile(file, name ?? (/^[a-z]/.test(base) ? base : `cluster-${base}`));
  return withSession(installation, 'change', async ({ client }) => {
    const plan = await client.createCluster(spec);
    output.object({ ...plan, notes: [...notes, ...(plan.notes ?? [])] });
    for (const note of [...notes, ...(plan.notes ?? [])]) output.note(`note: ${note}`);
    const layout = spec.layout ?? [];
    const rows = layout.map((context) => [
      context.name,
      context.roles.map((one) => `${one.node} ${one.role}`).join(', '),
    ]);
    output.line(`Cluster ${spec.name} of ${spec.nodes} nodes is made, not started. Start it: muster up ${spec.name}`);
    if (rows.length > 0) output.line(table(['CONTEXT', 'ROLES'], rows).join('\n'));
    return 0;
  });
}

interface BundleOptions extends Range {
  readonly dryRun?: boolean;
  readonly app?: boolean;
}

function bundle(
  installation: Installation,
  output: Output,
  name: string | undefined,
  { dryRun = false, app = false, ...words }: BundleOptions,
): Promise<number> {
  const range = words.since === undefined && words.until === undefined ? undefined : rangeOf(words);
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = app ? null : (await pickCluster(client, name)).name;
    const saved = dryRun ? null : await client.saveBundle(cluster, range);
    const entries = saved?.entries ?? (await client.bundleContents(cluster));
    output.object(saved ?? { entries });
    const rows = entries.map((entry) => [entry.name, String(entry.bytes), entry.what]);
    output.line(table(['FILE', 'BYTES', ''], rows).join('\n'));
    output.line(saved === null ? 'Nothing is saved.' : `Saved without secrets: ${saved.file}`);
    return 0;
  });
}

export function addExportCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'export <kind>', 'the cluster as a file: compose, k8s (official image), template, spec')
    .option('-o, --output <file>', 'write it there instead of printing it; a file that exists stays')
    .action((kind: string, options: { output?: string }, command: Command) =>
      run(command, (installation, output, common) =>
        exportTo(installation, output, common.cluster, kindOf(kind), options.output),
      ),
    );
  add(program, 'import <file>', 'make a cluster of a file: muster export spec, or a cluster template')
    .option('--name <name>', 'its name (default: the name of the file)')
    .action((file: string, options: { name?: string }, command: Command) =>
      run(command, (installation, output) => importFrom(installation, output, file, options.name)),
    );
  add(program, 'bundle', 'diagnostics of the cluster as one file: properties, logs, state; without secrets')
    .option('--dry-run', 'only say what would be in it')
    .option('--app', 'of the app alone, without a cluster')
    .option('--since <moment>', 'with this part of the timeline as text and as a chaos script: from 5m ago')
    .option('--until <moment>', 'its end')
    .action((options: BundleOptions, command: Command) =>
      run(command, (installation, output, common) => bundle(installation, output, common.cluster, options)),
    );
  add(program, 'duplicate <cluster> <name>', 'a new cluster like this one, with ports of its own and no events').action(
    (cluster: string, name: string, _options: unknown, command: Command) =>
      run(command, (installation, output) =>
        withSession(installation, 'change', async ({ client }) => {
          const plan = await client.duplicateCluster(cluster, name);
          output.object(plan);
          output.line(`Cluster ${name} is made, not started. Start it: muster up ${name}`);
          return 0;
        }),
      ),
  );
}
