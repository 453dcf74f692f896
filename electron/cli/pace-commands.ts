// `muster pace` and `muster step`: slow motion of elections and heartbeats (ux.md §4.2). Entry point: `addPaceCommands`.
import type { Command } from 'commander';
import { parsePace, parseWholeNumber } from '../contract/grammar.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { paceText } from './output.ts';
import { pickCluster, withSession } from './session.ts';

export function addPaceCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'pace <pace>', 'slow motion of elections and heartbeats: x2 to x50, hold, normal').action(
    (text: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => {
        const setting = parsePace(text);
        return withSession(installation, 'look', async ({ client }) => {
          const { name } = await pickCluster(client, common.cluster);
          await client.setPace(name, setting);
          output.object({ cluster: name, ...setting });
          const normal = setting.slowdown === 1 && !setting.held;
          output.line(`${name}: ${normal ? 'time passes as usual.' : `${paceText(setting)}.`}`);
          return 0;
        });
      }),
  );
  add(program, 'step [ticks]', 'while ticks are held: let so many pass (default 1)').action(
    (text: string | undefined, _options: unknown, command: Command) =>
      run(command, (installation, output, common) => {
        const ticks = parseWholeNumber(text ?? '1');
        return withSession(installation, 'look', async ({ client }) => {
          const { name } = await pickCluster(client, common.cluster);
          await client.stepTicks(name, ticks);
          output.object({ cluster: name, ticks });
          output.line(`${name}: ${ticks === 1 ? '1 tick' : `${ticks} ticks`} of 10 ms on every node.`);
          return 0;
        });
      }),
  );
}
