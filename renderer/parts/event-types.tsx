// Types of events and their aggregates with counts; a press on an aggregate filters by it (ux.md §9).
import type { EventTree } from '../../electron/contract/events.ts';
import { count, plural } from '../format.ts';

export function EventTypes(props: { readonly tree: EventTree; readonly onPick: (aggregate: string) => void }) {
  const { tree, onPick } = props;
  if (tree.groups.length === 0) return <p class="empty">No events yet.</p>;
  return (
    <>
      {tree.groups.map((group) => (
        <details key={group.type}>
          <summary>
            {group.type || 'without a type'} <span class="hint">{count(group.events)}</span>
          </summary>
          <ul>
            {group.aggregates.map((one) => (
              <li key={one.id}>
                <button type="button" class="tree-leaf" onClick={() => onPick(one.id)}>
                  {one.id} <span class="hint">{count(one.events)}</span>
                </button>
              </li>
            ))}
            {group.more > 0 && <li class="hint">{plural(group.more, 'more aggregate')}</li>}
          </ul>
        </details>
      ))}
      {!tree.complete && <p class="hint">Counted over the first {count(tree.scanned)} events.</p>}
    </>
  );
}
