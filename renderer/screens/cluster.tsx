// One cluster: how it is, its nodes, one context in depth, and the dock (ux.md §3, §4).
import { useEffect } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { openDialog, showDock, startCluster, stopCluster } from '../actions.ts';
import { seconds } from '../format.ts';
import { keyText } from '../keys.ts';
import { Checklist } from '../parts/checklist.tsx';
import { ContextPanel } from '../parts/context-panel.tsx';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { Dock } from '../parts/dock.tsx';
import { StateGlyph } from '../parts/icons.tsx';
import { LinkMatrix } from '../parts/link-matrix.tsx';
import { NodeCard } from '../parts/node-card.tsx';
import { RemoveDialog } from '../parts/remove-dialog.tsx';
import { startup } from '../startup.ts';
import { connected, connection, dialog, gone, go, now, route, view } from '../store.ts';
import { clusterWords } from './start.tsx';

/** The word of the state stands before the sentence already. */
function afterState(sentence: string): string {
  const rest = sentence.replace(/^(Starting|Stopping|Stopped)[:;.] */, '');
  return /^node-\d/.test(rest) || rest === sentence ? rest : rest.charAt(0).toUpperCase() + rest.slice(1);
}

function StateSentence({ shown }: { readonly shown: ClusterView }) {
  const { word, tone, glyph } = clusterWords[shown.state];
  const state = connection.value;
  if (state.kind !== 'connected') {
    const since = state.kind === 'lost' ? `, last seen ${seconds(now.value - state.since)} ago` : '';
    return (
      <p class="cluster-state tone-idle">
        <StateGlyph state="stale" /> <span>Not known{since}</span>
      </p>
    );
  }
  return (
    <p class={`cluster-state tone-${tone}`} data-cluster-state={shown.state}>
      <StateGlyph state={glyph} />
      <strong>{word}.</strong> <span>{afterState(shown.sentence)}</span>
    </p>
  );
}

function HeaderActions({ shown }: { readonly shown: ClusterView }) {
  const blocked = !connected.value ? 'No connection to the launcher' : isBusy('cluster') && 'Under way';
  const stopped = shown.state === 'stopped';
  return (
    <div class="head-actions">
      {!stopped && (
        <>
          <Button title={keyText('Ctrl+Shift+C')} onClick={() => showDock('connect')}>
            Connect
          </Button>
          <Button onClick={() => openDialog('links')}>Links…</Button>
        </>
      )}
      {stopped ? (
        <>
          <Button kind="quiet" onClick={() => openDialog('remove')}>
            Delete…
          </Button>
          <Button kind="primary" blocked={blocked} onClick={() => void startCluster(shown.name)}>
            Start cluster
          </Button>
        </>
      ) : (
        <Button
          blocked={shown.state === 'stopping' ? 'Stopping' : blocked}
          onClick={() => void stopCluster(shown.name)}
        >
          Stop cluster
        </Button>
      )}
    </div>
  );
}

function Loading({ name }: { readonly name: string }) {
  return (
    <main class="cluster loading">
      <header class="cluster-head">
        <nav aria-label="Where you are">
          <a href="#/">Clusters</a>
        </nav>
        <h1>{name}</h1>
      </header>
      <div class="cluster-body">
        <SubjectError subject="cluster" />
        <SubjectError subject="view">
          <Button small onClick={() => go({ screen: 'start' })}>
            All clusters
          </Button>
        </SubjectError>
      </div>
    </main>
  );
}

function Gone({ name }: { readonly name: string }) {
  return (
    <main class="start">
      <div class="hero">
        <h1>{name} is no more</h1>
        <p class="tagline">Its data was thrown away or deleted.</p>
        <Button kind="primary" onClick={() => go({ screen: 'start' })}>
          All clusters
        </Button>
      </div>
    </main>
  );
}

export function ClusterScreen() {
  const shown = view.value;
  const finished = startup.value?.finished === true;
  useEffect(() => {
    if (finished) showDock('connect');
  }, [finished]);
  if (shown !== null && gone.value) return <Gone name={shown.name} />;
  if (shown === null) return <Loading name={route.value.screen === 'cluster' ? route.value.name : ''} />;
  return (
    <>
      <main class={`cluster${shown.faults.length > 0 ? ' has-faults' : ''}`}>
        <header class="cluster-head">
          <nav aria-label="Where you are">
            <a href="#/">Clusters</a>
          </nav>
          <h1>{shown.name}</h1>
          <StateSentence shown={shown} />
          <HeaderActions shown={shown} />
        </header>
        <div class="cluster-body">
          <SubjectError subject="cluster">
            <Button small onClick={() => void startCluster(shown.name)}>
              Try again
            </Button>
          </SubjectError>
          {dialog.value !== 'links' && <SubjectError subject="links" />}
          {shown.warnings.map((warning) => (
            <p key={warning} class="warning" role="note">
              {warning}
            </p>
          ))}
          <Checklist view={shown} />
          <section class="cards" aria-label="Nodes">
            {shown.nodes.map((node, i) => (
              <NodeCard key={node.name} view={shown} node={node} index={i} />
            ))}
          </section>
          <ContextPanel view={shown} />
        </div>
      </main>
      <Dock view={shown} />
      {dialog.value === 'links' && <LinkMatrix view={shown} />}
      {dialog.value === 'remove' && <RemoveDialog name={shown.name} dir={shown.dir} nodes={shown.nodes.length} />}
    </>
  );
}
