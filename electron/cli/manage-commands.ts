// `muster settings` and `muster control-port`: what every window shares; `muster folder`, `ports`, `report`: where a node lives, other ports, how it ended. Entry point: `addManageCommands`.
import type { Command } from 'commander';
import { settingRules, settingsChangeOf } from '../contract/check-settings.ts';
import { LauncherError } from '../contract/model.ts';
import type { AppSettings } from '../contract/settings.ts';
import { nodeNotFound } from '../launcher/targets.ts';
import { DOCKER_HOST } from '../contract/reach.ts';
import { followTask } from './membership-commands.ts';
import { parseWholeNumber, UsageError } from '../contract/grammar.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { errorText, type Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

/** The words of the command line for the settings. */
const SETTINGS = {
  'close-window': 'closeWindow',
  clock: 'clock',
  'time-zone': 'zone',
  ages: 'ages',
  theme: 'theme',
  density: 'density',
  motion: 'motion',
  'letter-keys': 'letterKeys',
  hints: 'hints',
  'first-port': 'firstPort',
} as const satisfies Readonly<Record<string, Exclude<keyof AppSettings, 'controlPort'>>>;

const numberOr = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

/** A refused value is named as it was typed. */
function typed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof LauncherError ? new UsageError(`${name} cannot be that: ${error.data.why}`) : error;
  }
}

function settings(
  installation: Installation,
  output: Output,
  name: string | undefined,
  value: string | undefined,
): Promise<number> {
  const key = name === undefined ? undefined : SETTINGS[name as keyof typeof SETTINGS];
  if (name !== undefined && key === undefined) {
    throw new UsageError(`There is no setting ${name}; there are ${Object.keys(SETTINGS).join(', ')}.`);
  }
  const change =
    key === undefined || value === undefined
      ? null
      : typed(String(name), () => settingsChangeOf({ [key]: numberOr(value) }, 'change'));
  return withSession(installation, change === null ? 'look' : 'change', async ({ client }) => {
    const now = change === null ? await client.settings() : await client.changeSettings(change);
    if (now.problem !== undefined) output.note(errorText(now.problem));
    output.object(now);
    for (const [word, one] of Object.entries(SETTINGS)) {
      if (name === undefined || name === word) output.line(`${word} ${now[one]}`);
    }
    return 0;
  });
}

function controlPort(
  installation: Installation,
  output: Output,
  word: string | undefined,
  { newToken = false }: { readonly newToken?: boolean },
): Promise<number> {
  const wish =
    word === undefined
      ? null
      : typed('The control port', () => settingRules.controlPort(word === 'on' ? 0 : numberOr(word), 'wish'));
  return withSession(installation, wish === null && !newToken ? 'look' : 'change', async ({ client, host }) => {
    if (wish !== null) await client.changeControlPort(wish);
    const view = newToken ? await client.newToken() : await client.controlPort();
    // A port that only this command opened is gone with it.
    const { url, page } = host === null ? view : { url: null, page: null };
    output.object({ ...view, url, page, token: url === null ? null : view.token });
    output.line(`set to ${view.wish === 0 ? 'any free port' : view.wish}`);
    output.line(url === null ? 'Nothing listens now.' : `listens at ${url}, token in ${view.tokenFile}`);
    if (page !== null) output.line(`for a browser: ${page}`);
    if (view.problem !== undefined) output.note(errorText(view.problem));
    if (url !== null && view.fixed !== undefined && wish !== null) output.note(`note: ${view.fixed}`);
    return 0;
  });
}

/** The folder alone on standard output, for `cd "$(muster folder node-2)"`. */
function folder(installation: Installation, output: Output, name: string | undefined, node: string): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const view = await client.getCluster((await pickCluster(client, name)).name);
    const found = view.nodes.find((one) => one.name === node);
    if (found === undefined) throw nodeNotFound(view.name, node, view.nodes);
    const { dir, propertiesFile, logFile } = found;
    output.object({ cluster: view.name, node, dir, propertiesFile, logFile });
    output.line(dir);
    return 0;
  });
}

function ports(
  installation: Installation,
  output: Output,
  name: string | undefined,
  first: string | undefined,
): Promise<number> {
  const firstPort = first === undefined ? null : parseWholeNumber(first, 'The first port');
  return withSession(installation, 'background', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    await followTask(client, output, await client.changePorts(cluster.name, firstPort));
    output.line(`Tell your apps: muster connect -c ${cluster.name}`);
    return 0;
  });
}

/** `this-computer` and `docker` are words for what most people mean. */
function host(installation: Installation, output: Output, name: string | undefined, wish: string): Promise<number> {
  const wanted = wish === 'this-computer' ? null : wish === 'docker' ? DOCKER_HOST : wish;
  return withSession(installation, 'background', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    await followTask(client, output, await client.changeHost(cluster.name, wanted));
    output.line(`Tell your apps: muster connect -c ${cluster.name}`);
    return 0;
  });
}

function report(installation: Installation, output: Output, name: string | undefined, node: string): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const text = await client.nodeReport(cluster.name, node);
    output.object({ cluster: cluster.name, node, text });
    output.line(text.trimEnd());
    return 0;
  });
}

export function addManageCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(
    program,
    'settings [name] [value]',
    'show or change settings of the app: close-window (quit, tray), clock (24h, 12h), time-zone (local, utc), ages (relative, time), theme (system, light, dark, contrast), density (compact, comfortable), motion (system, reduced), letter-keys (on, off), hints (on, off), first-port',
  ).action((name: string | undefined, value: string | undefined, _options: unknown, command: Command) =>
    run(command, (installation, output) => settings(installation, output, name, value)),
  );
  add(
    program,
    'control-port [wish]',
    'where browsers and commands reach the clusters: on (any free port), a port, or off',
  )
    .option('--new-token', 'the former token opens nothing any more')
    .action((wish: string | undefined, options: { newToken?: boolean }, command: Command) =>
      run(command, (installation, output) => controlPort(installation, output, wish, options)),
    );
  add(
    program,
    'ports [first]',
    'give a stopped cluster another block of ports (without a number: the next free one) and start it',
  ).action((first: string | undefined, _options: unknown, command: Command) =>
    run(command, (installation, output, common) => ports(installation, output, common.cluster, first)),
  );
  add(
    program,
    'host <name>',
    'host name that apps are told: this-computer, docker, or any; a cluster that runs is stopped and started again',
  ).action((wish: string, _options: unknown, command: Command) =>
    run(command, (installation, output, common) => host(installation, output, common.cluster, wish)),
  );
  add(
    program,
    'report <node>',
    'print what a report about a node needs: versions, how it ended, the end of its log',
  ).action((node: string, _options: unknown, command: Command) =>
    run(command, (installation, output, common) => report(installation, output, common.cluster, node)),
  );
  add(program, 'folder <node>', 'print the folder of a node; with --json also its properties file and log').action(
    (node: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => folder(installation, output, common.cluster, node)),
  );
}
