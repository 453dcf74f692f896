// `muster data`, `clean`, `diagnose` and `install-cli`: what lies on disk, what may go, how Muster itself is, and its command. Entry point: `addCareCommands`.
import type { Command } from 'commander';
import type { CommandLinkWish } from '../contract/command-link.ts';
import { type DataKind, dataKinds, type DataPart } from '../contract/data-use.ts';
import type { Diagnostics, SelfTest } from '../contract/diagnostics.ts';
import { parseWholeNumber, UsageError } from '../contract/grammar.ts';
import { bytesShort, duration } from '../contract/words.ts';
import { changeCommandLink, readCommandLink } from '../launcher/command-link.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { type Output, table } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

const EXIT_FAILED = 4;
const PATHS_SHOWN = 20;

function data(installation: Installation, output: Output): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const use = await client.dataUse();
    output.object(use);
    const rows = use.parts.map((part) => [
      part.cluster ?? '(app)',
      part.kind,
      bytesShort(part.bytes),
      part.kept === undefined ? bytesShort(part.freedBytes) : '-',
      part.kept ?? part.what,
    ]);
    const free = use.freeBytes === null ? '' : `, ${bytesShort(use.freeBytes)} free on its disk`;
    output.line(`${use.dir}${free}`);
    for (const line of table(['CLUSTER', 'KIND', 'SIZE', 'CLEAN FREES', ''], rows)) output.line(line);
    return 0;
  });
}

interface CleanOptions {
  readonly yes?: boolean;
  readonly name?: string;
  readonly app?: boolean;
}

function clean(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: readonly string[],
  { yes = false, name: typed, app = false }: CleanOptions,
): Promise<number> {
  const kinds = words.map((word): DataKind => {
    const kind = dataKinds.find((one) => one === word);
    if (kind === undefined) throw new UsageError(`There is no ${word} to clean; there are ${dataKinds.join(', ')}.`);
    return kind;
  });
  return withSession(installation, yes ? 'change' : 'look', async ({ client }) => {
    const cluster = app ? null : (await pickCluster(client, name)).name;
    if (!yes) {
      const parts = (await client.dataUse()).parts.filter((one) => one.cluster === cluster && kinds.includes(one.kind));
      for (const part of parts) output.note(dyingText(part));
      throw new UsageError('Nothing was deleted. Say --yes to do it.');
    }
    const cleaned = await client.cleanData(cluster, kinds, typed ?? null);
    output.object(cleaned);
    output.line(`Freed ${bytesShort(cleaned.freedBytes)}: ${cleaned.deleted.join(', ')}`);
    return 0;
  });
}

function dyingText({ kind, what, freedBytes, paths, kept, needsName, cluster }: DataPart): string {
  if (kept !== undefined) return `${kind}: nothing goes. ${kept}`;
  const more = paths.length > PATHS_SHOWN ? [`  and ${paths.length - PATHS_SHOWN} more`] : [];
  const name = needsName ? `  It holds events: add --name ${cluster}` : '';
  const head = `${kind}: deletes ${bytesShort(freedBytes)}, ${what}:`;
  return [head, ...paths.slice(0, PATHS_SHOWN).map((file) => `  ${file}`), ...more, name]
    .filter((line) => line !== '')
    .join('\n');
}

function diagnose(
  installation: Installation,
  output: Output,
  options: { readonly log?: string | true; readonly test: boolean },
): Promise<number> {
  if (options.log !== undefined) {
    const lines = options.log === true ? 200 : parseWholeNumber(options.log, '--log');
    return withSession(installation, 'look', async ({ client }) => {
      const log = await client.appLog(lines);
      output.object(log);
      for (const line of log) output.line(line);
      return 0;
    });
  }
  return withSession(installation, options.test ? 'change' : 'look', async ({ client }) => {
    const facts = await client.diagnostics();
    if (options.test) output.note('Testing; an engine is started …');
    const test = options.test ? await client.selfTest() : null;
    output.object(test === null ? facts : { ...facts, selfTest: test });
    output.line(factsText(facts));
    if (test !== null) output.line(testText(test));
    return test?.ok === false ? EXIT_FAILED : 0;
  });
}

function factsText({ versions, paths, ports, processes }: Diagnostics): string {
  const memory = (bytes: number | null): string => (bytes === null ? '-' : `${Math.round(bytes / 1_048_576)} MB`);
  return [
    ...versions.map(({ what, version }) => `${what} ${version}`),
    '',
    ...table(
      ['FOLDER OR FILE', ''],
      paths.map((one) => [one.what, one.path]),
    ),
    '',
    ...table(
      ['PID', 'MEMORY', 'PROCESS'],
      processes.map((one) => [String(one.pid), memory(one.rssBytes), one.what]),
    ),
    '',
    ...table(
      ['PORT', 'OF', 'HELD BY'],
      ports.map((one) => [String(one.port), one.what, `${one.holder ?? 'nobody'}${one.ok ? '' : '  ✗'}`]),
    ),
    '',
  ].join('\n');
}

function testText({ ok, checks }: SelfTest): string {
  const lines = checks.flatMap((check) => [
    `${check.ok ? '✓' : '✗'} ${check.what} (${duration(check.tookMs)})${check.ok ? '' : ` [${check.code}]`}`,
    ...[check.why, check.next].filter((line) => line !== '').map((line) => `    ${line}`),
  ]);
  return [...lines, ok ? 'All is well here.' : 'Something is wrong here: see ✗.'].join('\n');
}

interface LinkOptions {
  readonly check?: boolean;
  readonly replace?: boolean;
  readonly remove?: boolean;
}

/** Not over the launcher: the host of the workspace may be of another installation, and the link shall lead to this one. */
async function installCli({ enginePath }: Installation, output: Output, options: LinkOptions): Promise<number> {
  const { check = false, replace = false, remove = false } = options;
  if ([check, replace, remove].filter(Boolean).length > 1) {
    throw new UsageError('Say one of --check, --replace and --remove.');
  }
  const wish: CommandLinkWish = remove ? 'remove' : replace ? 'replace' : 'install';
  const link = check ? await readCommandLink({ enginePath }) : await changeCommandLink({ enginePath }, wish);
  output.object(link);
  output.line(link.sentence);
  for (const step of link.next) output.line(`  ${step}`);
  return 0;
}

export function addCareCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'data', 'what lies on disk, per cluster, and what of it may go').action(
    (_options: unknown, command: Command) => run(command, (installation, output) => data(installation, output)),
  );
  add(program, 'clean <kinds...>', `delete what is not needed: ${dataKinds.join(', ')}; without --yes only told`)
    .option('--yes', 'really')
    .option('--name <name>', 'the name of the cluster, typed again, for what holds events')
    .option('--app', 'of the app, not of a cluster')
    .action((kinds: readonly string[], options: CleanOptions, command: Command) =>
      run(command, (installation, output, common) => clean(installation, output, common.cluster, kinds, options)),
    );
  add(program, 'install-cli', 'make muster a command of yours: a link in ~/.local/bin to this installation')
    .option('--check', 'only tell how it is')
    .option('--replace', 'also where the link leads to another Muster')
    .option('--remove', 'take the link away')
    .action((options: LinkOptions, command: Command) =>
      run(command, (installation, output) => installCli(installation, output, options)),
    );
  add(
    program,
    'diagnose',
    'versions, folders, ports, processes, and a self-test of this computer; exit 4 when a check fails',
  )
    .option('--no-test', 'facts only')
    .option('--log [lines]', 'only the newest lines of the log of the app (default 200)')
    .action((options: { log?: string | true; test: boolean }, command: Command) =>
      run(command, (installation, output) => diagnose(installation, output, options)),
    );
}
