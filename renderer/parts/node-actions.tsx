// What can be done to a node in its present state, each a button (ux.md §4.1, §7).
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NodeAction, NodeView } from '../../electron/contract/model.ts';
import { act, actionsFor, actionWord } from '../actions.ts';
import { keyFor } from '../keys.ts';
import { commandsBlocked } from '../store.ts';
import { Button, isBusy } from './controls.tsx';

/** Drawn again when a button changes, not with every view. `label` names the group; `without` has its place elsewhere. */
export function NodeActions(props: {
  readonly node: NodeView;
  readonly label: string;
  readonly without?: NodeAction;
  readonly children?: ComponentChildren;
}) {
  const { node, label, children } = props;
  const actions = actionsFor(node).filter((action) => action !== props.without);
  const blocked = commandsBlocked.value ?? (isBusy(`node:${node.name}`) && 'Under way');
  const buttons = useMemo(
    () =>
      actions.map((action) => (
        <Button
          key={action}
          small
          kind={action === 'start' || action === 'resume' ? 'primary' : undefined}
          blocked={blocked}
          title={keyFor(action)}
          aria-label={`${actionWord[action]} ${node.name}`}
          onClick={() => void act(node.name, action)}
        >
          {actionWord[action]}
        </Button>
      )),
    [node.name, actions.join(), blocked],
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a legend and a border for four buttons
    <div class="card-actions" role="group" aria-label={label}>
      {buttons}
      {children}
    </div>
  );
}
