// ⋯ of a node card: what is done to a node less often than stop and kill, its faults, and where it lives (ux.md §4.1).
import type { ClusterView, NodeView } from '../../electron/contract/model.ts';
import { act, actionsFor, openDialog, openFolder, strike } from '../actions.ts';
import { copyText } from '../announce.ts';
import { commandsBlocked, desktop } from '../store.ts';
import { isBusy } from './controls.tsx';
import { Menu, type MenuItem } from './menu.tsx';

/** Why the node cannot leave its cluster, or false. */
export function staysBecause(view: ClusterView, node: string): string | false {
  if (view.nodes.length < 2) return 'It has one node only';
  if (node === view.nodes[0]?.name) return 'The first node stays: those that join find the cluster by it';
  return view.state === 'stopped' && 'Only a running cluster can let a node go';
}

function itemsOf(view: ClusterView, node: NodeView): readonly MenuItem[] {
  const blocked: string | false = commandsBlocked.value ?? false;
  const stopped = view.state === 'stopped' && 'The cluster does not run';
  const full = view.diskFaults?.some((fault) => fault.node === node.name && fault.full) ?? false;
  return [
    {
      label: 'Restart',
      blocked:
        blocked ||
        (isBusy(`node:${node.name}`) && 'Under way') ||
        (!actionsFor(node).includes('restart') && 'It does not run'),
      run: () => void act(node.name, 'restart'),
    },
    { label: 'Slow disk…', blocked: blocked || stopped, run: () => openDialog('slow-disk', node.name) },
    {
      label: full ? 'Free its disk' : 'Fill disk',
      blocked: blocked || stopped,
      run: () => strike(node.name, { full: !full }),
    },
    { label: 'Skew clock…', blocked: blocked || stopped, run: () => openDialog('skew-clock', node.name) },
    desktop.value
      ? { label: 'Open folder', title: node.dir, run: () => void openFolder(view.name, node.name) }
      : {
          label: 'Copy folder path',
          title: `${node.dir}: a browser tab cannot open folders`,
          run: () =>
            void copyText(node.dir, `Path of the folder of ${node.name} copied: a browser tab cannot open it.`),
        },
    {
      label: 'Copy properties path',
      title: node.propertiesFile,
      run: () => void copyText(node.propertiesFile, `Path of the properties of ${node.name} copied.`),
    },
    {
      label: 'Remove…',
      blocked: blocked || staysBecause(view, node.name),
      run: () => openDialog('remove-node', node.name),
    },
  ];
}

export const NodeMenu = ({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) => (
  <Menu words="⋯" label={`More for ${node.name}`} small items={itemsOf(view, node)} />
);
