// What the command palette offers: the table of keys.ts, then pages, nodes, contexts and clusters. Entry point: `paletteCommands`.
import { act, actionsFor, actionWord, showLogs } from './actions.ts';
import { always, commanding, commands, inCluster } from './keys.ts';
import type { Command } from './keys.ts';
import { pages } from './screens/pages.ts';
import { clusters, go, view, wantedContext } from './store.ts';

/** Everything that the palette offers now: the table, then each node's actions, then contexts and clusters. */
export function paletteCommands(): readonly Command[] {
  const shown = view.value;
  const nodes = (shown?.nodes ?? []).flatMap((node): Command[] => [
    ...actionsFor(node).map(
      (action): Command => ({
        id: `${action}:${node.name}`,
        label: `${actionWord[action]} ${node.name}`,
        keys: null,
        scope: 'anywhere',
        available: commanding,
        run: () => void act(node.name, action),
      }),
    ),
    {
      id: `logs:${node.name}`,
      label: `Logs of ${node.name}`,
      keys: null,
      scope: 'anywhere',
      available: always,
      run: () => showLogs(node.name),
    },
  ]);
  const contexts = (shown?.contexts ?? []).map(
    (one): Command => ({
      id: `context:${one.name}`,
      label: `Show context ${one.name}`,
      keys: null,
      scope: 'anywhere',
      available: always,
      run: () => {
        wantedContext.value = one.name;
      },
    }),
  );
  const others = (clusters.value ?? []).filter((one) => one.name !== shown?.name);
  const opened = others.map(
    (one): Command => ({
      id: `open:${one.name}`,
      label: `Open cluster ${one.name}`,
      keys: null,
      scope: 'anywhere',
      available: always,
      run: () => go({ screen: 'cluster', name: one.name }),
    }),
  );
  const paths = pages.map(
    (page): Command => ({
      id: `page:${page.id}`,
      label: `Go to ${page.label}`,
      keys: null,
      scope: 'anywhere',
      available: inCluster,
      run: () => go({ screen: 'cluster', name: shown?.name ?? '', page: page.id }),
    }),
  );
  return [
    ...commands.filter((command) => command.scope !== 'card' && command.id !== 'palette'),
    ...paths,
    ...nodes,
    ...contexts,
    ...opened,
  ];
}
