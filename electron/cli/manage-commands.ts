// `muster settings`: what every window shares. Entry point: `addManageCommands`.
import type { Command } from 'commander';
import { manageChecks } from '../contract/check-manage.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { UsageError } from '../contract/grammar.ts';
import type { Output } from './output.ts';
import { withSession } from './session.ts';
import type { Installation } from './session.ts';

const SETTINGS = { 'close-window': 'closeWindow' } as const;

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
  const change = key === undefined || value === undefined ? null : manageChecks.changeSettings([{ [key]: value }])[0];
  return withSession(installation, change === null ? 'look' : 'change', async ({ client }) => {
    const now = change === null ? await client.settings() : await client.changeSettings(change);
    output.object(now);
    for (const [word, one] of Object.entries(SETTINGS)) {
      if (name === undefined || name === word) output.line(`${word} ${now[one]}`);
    }
    return 0;
  });
}

export function addManageCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(
    program,
    'settings [name] [value]',
    'show or change settings of the app; close-window: quit (stops the clusters) or tray (they run on)',
  ).action((name: string | undefined, value: string | undefined, _options: unknown, command: Command) =>
    run(command, (installation, output) => settings(installation, output, name, value)),
  );
}
