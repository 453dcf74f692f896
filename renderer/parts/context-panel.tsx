// One context at a time: selector, ring, why, lag, members (ux.md §4.2).
import type { ClusterView } from '../../electron/contract/model.ts';
import { connected, context as shownContext, wantedContext } from '../store.ts';
import { StateGlyph } from './icons.tsx';
import { LagChart } from './lag-chart.tsx';
import { MemberTable } from './member-table.tsx';
import { RaftRing } from './raft-ring.tsx';
import { headlines, WhyPanel } from './why-panel.tsx';

function Selector({ view, shown }: { readonly view: ClusterView; readonly shown: string }) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Context</legend>
      {view.contexts.map((one) => {
        const { word, tone, glyph } = headlines[one.why.headline];
        return (
          <label key={one.name} class={`segment tone-${tone}`} title={word}>
            <input
              type="radio"
              name="context"
              value={one.name}
              checked={one.name === shown}
              onChange={() => {
                wantedContext.value = one.name;
              }}
            />
            <StateGlyph state={glyph} />
            {one.name}
            <span class="visually-hidden">, {word}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

export function ContextPanel({ view }: { readonly view: ClusterView }) {
  const shown = shownContext.value;
  if (shown === null) {
    return (
      <section class="panel" aria-labelledby="context-heading">
        <header class="panel-head">
          <h2 id="context-heading">Contexts</h2>
        </header>
        <p class="empty">
          {view.state === 'stopped'
            ? 'The cluster is stopped. Start it to see its contexts.'
            : 'No context yet: the nodes are still forming the cluster.'}
        </p>
      </section>
    );
  }
  return (
    <section class={connected.value ? 'panel' : 'panel is-old'} aria-labelledby="context-heading">
      <header class="panel-head">
        <h2 id="context-heading">Context</h2>
        <Selector view={view} shown={shown.name} />
      </header>
      <div class="context-grid">
        <RaftRing view={view} context={shown} />
        <WhyPanel context={shown} />
        <LagChart view={view} context={shown} />
      </div>
      <MemberTable view={view} context={shown} />
    </section>
  );
}
