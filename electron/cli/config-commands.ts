// `muster config` and `muster rolling-restart`: your part of each node's properties. Entry point: `addConfigCommands`.
import type { Command } from 'commander';
import { withCluster } from './context-commands.ts';
import { effectWords, unsupportedWords } from '../contract/config-docs.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError, parseNode } from '../contract/grammar.ts';
import { followTask } from './membership-commands.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { withSession } from './session.ts';
import type { Installation } from './session.ts';

const keyOf = (line: string): string | null => /^\s*([^#!\s:=]+)/.exec(line)?.[1] ?? null;

const ALL = 'all';

function get(installation: Installation, output: Output, name: string | undefined, node: string): Promise<number> {
  return withCluster(installation, name, async (client, cluster) => {
    if (node === ALL) {
      const shared = await client.getClusterConfig(cluster);
      output.object(shared);
      output.line(`# yours on every node\n${shared.yours.trimEnd()}`);
      if (shared.ownLines.length > 0) output.line(`# lines of their own, which win: ${shared.ownLines.join(', ')}`);
      return;
    }
    const config = await client.getConfig(cluster, parseNode(node));
    output.object(config);
    output.line(config.generated.map(({ key, value }) => `${key}=${value}`).join('\n'));
    output.line(`\n# yours (${config.file})\n${config.yours.trimEnd()}`);
    for (const key of config.unknownKeys) {
      output.note(`note: ${unsupportedWords(key, config.meantKeys)}`);
    }
  });
}

function set(
  installation: Installation,
  output: Output,
  name: string | undefined,
  node: string,
  pairs: readonly string[],
): Promise<number> {
  const changes = pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) {
      throw new UsageError(`'${pair}' is not key=value; key= takes the key out.`);
    }
    return { key: pair.slice(0, at), value: pair.slice(at + 1) };
  });
  return withCluster(installation, name, async (client, cluster) => {
    const all = node === ALL;
    const read = all ? client.getClusterConfig(cluster) : client.getConfig(cluster, parseNode(node));
    const before = (await read).yours.split('\n');
    const kept = before.filter((line) => !changes.some((change) => change.key === keyOf(line)) && line !== '');
    const lines = [...kept, ...changes.filter((one) => one.value !== '').map((one) => `${one.key}=${one.value}`)];
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    const config = all ? await client.setClusterConfig(cluster, text) : await client.setConfig(cluster, node, text);
    output.object(config);
    for (const key of config.unknownKeys.filter((unknown) => changes.some((change) => change.key === unknown))) {
      output.note(`note: ${unsupportedWords(key, config.meantKeys)}`);
    }
    if ('file' in config) {
      output.line(`Saved in ${config.file}.${config.needsRestart ? ` To apply: muster restart ${node}` : ''}`);
      return;
    }
    const apply = config.needsRestart.length > 0 ? ' To apply: muster rolling-restart' : '';
    output.line(`Saved on every node.${apply}`);
    if (config.ownLines.length > 0) {
      const have = config.ownLines.length === 1 ? 'has' : 'have';
      output.note(
        `note: ${config.ownLines.join(', ')} ${have} lines of ${have === 'has' ? 'its' : 'their'} own, which win.`,
      );
    }
  });
}

/** What the running node does not know yet, what wins over generated lines, and what has no meaning here. */
function diff(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withCluster(installation, name, async (client, cluster) => {
    const { nodes } = await client.getCluster(cluster);
    const configs = await Promise.all(nodes.map((node) => client.getConfig(cluster, node.name)));
    output.object(
      configs.map(({ node, needsRestart, unknownKeys, differences }) => {
        const overridden = differences.filter((one) => one.generated !== null && one.yours !== null);
        return { node, needsRestart, overridden: overridden.map(({ key }) => key), unknownKeys, differences };
      }),
    );
    for (const { node, needsRestart, differences } of configs) {
      output.line(`${node}: ${needsRestart ? 'changed since it started' : 'as it started'}`);
      const cell = (value: string | null): string => value ?? '-';
      const rows = differences.map((one) => [
        one.key,
        cell(one.generated),
        cell(one.yours),
        cell(one.inForce),
        one.sentence,
      ]);
      for (const line of rows.length === 0 ? [] : table(['key', 'generated', 'yours', 'in force', 'means'], rows))
        output.line(`  ${line}`);
    }
  });
}

/** Every key whose name or text has all the words; without words all keys. */
function docs(installation: Installation, output: Output, words: readonly string[]): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const wanted = words.map((word) => word.toLowerCase());
    const found = (await client.configDocs()).filter(({ key, text }) =>
      wanted.every((word) => `${key} ${text}`.toLowerCase().includes(word)),
    );
    output.object(found);
    for (const { key, type, fallback, text, effect } of found) {
      output.line(`${key}\n  ${text}`);
      output.line(`  ${type}; default ${fallback === '' ? 'none' : fallback}; takes effect ${effectWords[effect]}\n`);
    }
    if (found.length === 0) output.note('No key that the engine knows has these words.');
    return 0;
  });
}

export function addConfigCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const config = program.command('config').description('properties of the nodes');
  add(config, 'get <node>', 'generated and your own properties; all: yours on every node').action(
    (node: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => get(installation, output, common.cluster, node)),
  );
  add(
    config,
    'set <node> <pairs...>',
    'key=value puts a key into your part, key= takes it out; node all: on every node at once',
  ).action((node: string, pairs: readonly string[], _options: unknown, command: Command) =>
    run(command, (installation, output, common) => set(installation, output, common.cluster, node, pairs)),
  );
  add(
    config,
    'docs [words...]',
    'what each key means: type, default, when it takes effect; only keys with these words',
  ).action((words: readonly string[], _options: unknown, command: Command) =>
    run(command, (installation, output) => docs(installation, output, words)),
  );
  add(config, 'diff', 'per node and key: generated, yours, and what the running process was started with').action(
    (_options: unknown, command: Command) =>
      run(command, (installation, output, common) => diff(installation, output, common.cluster)),
  );
  add(program, 'rolling-restart', 'restart node after node, each caught up before the next').action(
    (_options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        withCluster(installation, common.cluster, async (client, cluster) => {
          await followTask(client, output, await client.rollingRestart(cluster));
        }),
      ),
  );
}
