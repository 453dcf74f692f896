// `muster search ls|save|rename|rm`: filters of events under a name, as the event browser lists them (ux.md §9). Entry point: `addSearchCommands`.
import type { Command } from 'commander';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

function list(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const all = await client.searches((await pickCluster(client, name)).name);
    output.object(all);
    const rows = all.map((one) => [one.name, one.words]);
    output.line(all.length === 0 ? 'No search is saved yet.' : table(['NAME', 'WORDS'], rows).join('\n'));
    return 0;
  });
}

function save(
  installation: Installation,
  output: Output,
  name: string | undefined,
  search: string,
  words: readonly string[],
): Promise<number> {
  return withSession(installation, 'change', async ({ client }) => {
    const saved = await client.saveSearch((await pickCluster(client, name)).name, search, words.join(' '));
    output.object(saved);
    output.line(`Search ${saved.name} saved: ${saved.words}`);
    return 0;
  });
}

function rename(
  installation: Installation,
  output: Output,
  name: string | undefined,
  search: string,
  to: string,
): Promise<number> {
  return withSession(installation, 'change', async ({ client }) => {
    const renamed = await client.renameSearch((await pickCluster(client, name)).name, search, to);
    output.object(renamed);
    output.line(`Search ${search} is now called ${to}.`);
    return 0;
  });
}

function remove(installation: Installation, output: Output, name: string | undefined, search: string): Promise<number> {
  return withSession(installation, 'change', async ({ client }) => {
    await client.removeSearch((await pickCluster(client, name)).name, search);
    output.object({ removed: search });
    output.line(`Search ${search} deleted.`);
    return 0;
  });
}

export function addSearchCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const group = program
    .command('search')
    .description('filters of events under a name, for every window and muster events');
  add(group, 'ls', 'saved searches of the cluster').action((_options: unknown, command: Command) =>
    run(command, (installation, output, { cluster }) => list(installation, output, cluster)),
  );
  add(
    group,
    'save <name> <words...>',
    "keep a filter: muster search save cards 'type:Card* meta.user:ada from:10m'; replaces the one of that name",
  ).action((search: string, words: readonly string[], _options: unknown, command: Command) =>
    run(command, (installation, output, { cluster }) => save(installation, output, cluster, search, words)),
  );
  add(group, 'rename <name> <new-name>', 'give a search another name').action(
    (search: string, to: string, _options: unknown, command: Command) =>
      run(command, (installation, output, { cluster }) => rename(installation, output, cluster, search, to)),
  );
  add(group, 'rm <name>', 'delete a search').action((search: string, _options: unknown, command: Command) =>
    run(command, (installation, output, { cluster }) => remove(installation, output, cluster, search)),
  );
}
