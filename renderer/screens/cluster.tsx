// One cluster: how it is, what can be done to it, one of its pages, and the dock (ux.md §3).
import { useEffect } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { activeFaults } from '../../electron/contract/words.ts';
import { openDialog, showDock, startCluster, stopCluster } from '../actions.ts';
import { seconds } from '../format.ts';
import { keyText } from '../keys.ts';
import { BreakMenu } from '../parts/break-menu.tsx';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { Dock } from '../parts/dock.tsx';
import { ElsewhereErrors } from '../parts/elsewhere-errors.tsx';
import { PortsDialog } from '../parts/error-buttons.tsx';
import { FaultDialog } from '../parts/fault-dialog.tsx';
import { FilesDialog } from '../parts/files-dialog.tsx';
import { StateGlyph } from '../parts/icons.tsx';
import { LinkMatrix } from '../parts/link-matrix.tsx';
import { PaceBanner } from '../parts/pace-control.tsx';
import { PastBar } from '../parts/past-bar.tsx';
import { ReconnectBanner } from '../parts/reconnect-banner.tsx';
import { RemoveDialog } from '../parts/remove-dialog.tsx';
import { isLinkPurpose } from '../link-staging.ts';
import { startup } from '../startup.ts';
import { commandsBlocked, connection, dialog, gone, go, now, openCluster, view } from '../store.ts';
import { pages } from './pages.ts';
import { clusterWords } from './start.tsx';

/** The word of the state stands before the sentence already. Names of nodes and contexts stay as they are. */
function afterState(sentence: string): string {
  const rest = sentence.replace(/^(Starting|Stopping|Stopped)[:;.] */, '');
  return /^(node-\d|[\w-]+: )/.test(rest) || rest === sentence ? rest : rest.charAt(0).toUpperCase() + rest.slice(1);
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
  const blocked = commandsBlocked.value ?? (isBusy('cluster') && 'Under way');
  const stopped = shown.state === 'stopped';
  return (
    <div class="head-actions">
      <Button kind="quiet" onClick={() => openDialog('files')}>
        Files…
      </Button>
      {!stopped && (
        <>
          <Button title={keyText('Ctrl+Shift+C')} onClick={() => showDock('connect')}>
            Connect
          </Button>
          <BreakMenu view={shown} />
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

const closeDialog = (): void => {
  dialog.value = null;
};

export function ClusterScreen({ page }: { readonly page: string }) {
  const shown = view.value;
  const finished = startup.value?.finished === true;
  useEffect(() => {
    if (finished) showDock('connect');
  }, [finished]);
  if (shown !== null && gone.value) return <Gone name={shown.name} />;
  if (shown === null) return <Loading name={openCluster.value ?? ''} />;
  const present = pages.find((one) => one.id === page) ?? pages[0];
  if (present === undefined) return null;
  const Body = present.component;
  return (
    <>
      <main class={`cluster${activeFaults(shown) > 0 ? ' has-faults' : ''}`}>
        <header class="cluster-head">
          <h1>{shown.name}</h1>
          <StateSentence shown={shown} />
          <HeaderActions shown={shown} />
        </header>
        {present.id !== 'timeline' && <PastBar />}
        <PaceBanner view={shown} />
        <ReconnectBanner view={shown} />
        <div class={present.fill ? 'cluster-body fill' : 'cluster-body'} data-page={present.id}>
          <ElsewhereErrors page={present.id} view={shown} />
          <Body view={shown} />
        </div>
      </main>
      {!present.fill && <Dock view={shown} />}
      {isLinkPurpose(dialog.value) && <LinkMatrix view={shown} purpose={dialog.value} />}
      {present.id !== 'overview' && dialog.value === 'ports' && <PortsDialog view={shown} />}
      {(dialog.value === 'slow-disk' || dialog.value === 'skew-clock') && (
        <FaultDialog view={shown} kind={dialog.value} />
      )}
      {dialog.value === 'files' && <FilesDialog name={shown.name} onClose={closeDialog} />}
      {dialog.value === 'remove' && (
        <RemoveDialog name={shown.name} dir={shown.dir} nodes={shown.nodes.length} onClose={closeDialog} />
      )}
    </>
  );
}
