// One context at a time: selector, ring, why, lag, members (ux.md §4.2).
import { useMemo } from 'preact/hooks';
import type { ClusterView, ContextView } from '../../electron/contract/model.ts';
import { appendRate, lagOf, lagRevision } from '../history.ts';
import { connected, now, context as shownContext, wantedContext } from '../store.ts';
import { Empty, StartAction } from './empty.tsx';
import { StateGlyph } from './icons.tsx';
import { LagChart } from './lag-chart.tsx';
import { LogStrip } from './log-strip.tsx';
import { MemberTable } from './member-table.tsx';
import { PaceControl } from './pace-control.tsx';
import { type AppendRates, RaftRing } from './raft-ring.tsx';
import { headlines, WhyPanel } from './why-panel.tsx';

function Selector({ view, shown }: { readonly view: ClusterView; readonly shown: string }) {
  // Drawn again when a context comes, goes or changes its state, not with every view.
  const key = `${shown} ${view.contexts.map((one) => `${one.name}:${one.why.headline}`).join(' ')}`;
  return useMemo(() => <Choices view={view} shown={shown} />, [key]);
}

/** More contexts than this are a list to choose from. */
const SEGMENTS_MAX = 12;

function Choices({ view, shown }: { readonly view: ClusterView; readonly shown: string }) {
  if (view.contexts.length > SEGMENTS_MAX)
    return (
      <select
        aria-label="Context"
        value={shown}
        onChange={(event) => {
          wantedContext.value = event.currentTarget.value;
        }}
      >
        {view.contexts.map((one) => (
          <option key={one.name} value={one.name}>
            {one.name}, {headlines[one.why.headline].word}
          </option>
        ))}
      </select>
    );
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

/** Of the shown moment: a load that ends leaves no last rate behind. Without the launcher nothing is known. */
function ratesOf({ name, members }: ContextView): AppendRates {
  void lagRevision.value;
  const at = now.value;
  const samples = connected.value ? lagOf(name, at) : [];
  return new Map(members.map(({ node }) => [node, appendRate(samples, node, at)]));
}

export function ContextPanel({ view }: { readonly view: ClusterView }) {
  const shown = shownContext.value;
  if (shown === null) {
    return (
      <section class="panel" aria-labelledby="context-heading">
        <header class="panel-head">
          <h2 id="context-heading">Contexts</h2>
        </header>
        <Empty topic="contexts" action={view.state === 'stopped' && <StartAction name={view.name} />}>
          {view.state === 'stopped'
            ? 'The cluster is stopped. Start it to see its contexts.'
            : 'No context yet: the nodes are still forming the cluster.'}
        </Empty>
      </section>
    );
  }
  const rates = ratesOf(shown);
  return (
    <section class={connected.value ? 'panel' : 'panel is-old'} aria-labelledby="context-heading">
      <header class="panel-head">
        <h2 id="context-heading">Context</h2>
        <Selector view={view} shown={shown.name} />
        <PaceControl view={view} />
      </header>
      <div class="context-grid">
        <RaftRing view={view} context={shown} rates={rates} />
        <WhyPanel context={shown} />
        <LagChart view={view} context={shown} />
      </div>
      <MemberTable view={view} context={shown} rates={rates} />
      <LogStrip view={view} context={shown} />
    </section>
  );
}
