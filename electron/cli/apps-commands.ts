// `muster apps`, `reconnect`, `disconnect` (ux.md §5). Entry points: the functions.
import type { AppView } from '../contract/model.ts';
import { reportMarkdown } from '../contract/reconnect.ts';
import type { AppChange, ReconnectReport } from '../contract/reconnect.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

export function apps(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: { readonly markdown?: boolean },
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const view = await client.getCluster((await pickCluster(client, name)).name);
    const report = view.reconnect;
    output.object({ cluster: view.name, apps: view.apps, reconnect: report ?? null });
    if (options.markdown === true) {
      output.line(report === undefined ? 'No app was connected at a fault yet.' : reportMarkdown(report));
      return 0;
    }
    output.line(view.apps.length === 0 ? 'No app is connected. Settings for one: muster connect' : appsText(view.apps));
    if (report !== undefined) {
      output.line(reportText(report));
    }
    return 0;
  });
}

function appsText(list: readonly AppView[]): string {
  const rows = list.map((app) => [
    app.componentName,
    app.clientId,
    app.node,
    app.context,
    String(app.commands.length),
    String(app.queries.length),
    [app.commandPermits, app.queryPermits].map((one) => one ?? '-').join('/'),
    app.processors.map((one) => `${one.name}@${one.token ?? '-'}${one.error ? '!' : ''}`).join(' '),
  ]);
  return table(['APP', 'CLIENT', 'NODE', 'CONTEXT', 'COMMANDS', 'QUERIES', 'PERMITS', 'PROCESSORS'], rows).join('\n');
}

function reportText(report: ReconnectReport): string {
  return [`\nAfter "${report.fault}": ${report.sentence}`, ...report.apps.flatMap(changeText)].join('\n');
}

function changeText(app: AppChange): readonly string[] {
  const lost = [...app.missingCommands, ...app.missingQueries];
  const time = app.reconnectedAfterMs === null ? '' : ` after ${(app.reconnectedAfterMs / 1000).toFixed(1)} s`;
  const node = app.after === null ? '' : ` on ${app.after.node}`;
  return [
    `  ${app.componentName} (${app.clientId}): ${app.state}${node}${time}`,
    ...(lost.length > 0 ? [`    missing: ${lost.join(', ')}`] : []),
    ...app.processors
      .filter(({ state }) => state !== 'resumed')
      .map((one) => `    processor ${one.name}: ${one.state} (${one.before ?? '-'} -> ${one.after ?? '-'})`),
  ];
}

export function askApp(
  installation: Installation,
  output: Output,
  name: string | undefined,
  clientId: string,
  action: 'reconnect' | 'disconnect',
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const nodes = await client.askApp(cluster, clientId, action);
    output.object({ cluster, clientId, action, nodes });
    const done = action === 'reconnect' ? 'was asked to connect anew; it was on' : 'was disconnected from';
    output.line(`${clientId} ${done} ${nodes.join(', ')}. See: muster apps`);
    return 0;
  });
}
