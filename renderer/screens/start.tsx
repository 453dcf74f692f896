// First screen: one primary button, one line of what it will do, and the clusters that exist (ux.md §3.1, §3.3).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isTold } from '../../electron/contract/words.ts';
import type { BrokenCluster } from '../../electron/contract/data-use.ts';
import type { ClusterPlan, ClusterState, ClusterSummary, NodeState } from '../../electron/contract/model.ts';
import { createAndStart, duplicateCluster, firstSpec, openDialog, startCluster, stopCluster } from '../actions.ts';
import { brokenClusters } from '../about.ts';
import { ago, listing, plural, ports } from '../format.ts';
import { Button, CopyButton, isBusy, SubjectError } from '../parts/controls.tsx';
import { planPorts } from '../parts/create-dialog.tsx';
import { FilesDialog } from '../parts/files-dialog.tsx';
import { Mark, StateGlyph } from '../parts/icons.tsx';
import { Menu } from '../parts/menu.tsx';
import { RouteLink } from '../parts/rail.tsx';
import { RemoveDialog } from '../parts/remove-dialog.tsx';
import { startTour } from '../tour.ts';
import { api, clusters, connected, go, now } from '../store.ts';

export const clusterWords: Readonly<
  Record<
    ClusterState,
    { readonly word: string; readonly tone: 'ok' | 'warn' | 'bad' | 'idle'; readonly glyph: NodeState }
  >
> = {
  stopped: { word: 'Stopped', tone: 'idle', glyph: 'stopped' },
  starting: { word: 'Starting', tone: 'warn', glyph: 'starting' },
  usable: { word: 'Usable', tone: 'ok', glyph: 'ready' },
  degraded: { word: 'Usable, but degraded', tone: 'warn', glyph: 'catching-up' },
  unusable: { word: 'Not usable', tone: 'bad', glyph: 'crashed' },
  stopping: { word: 'Stopping', tone: 'idle', glyph: 'stopping' },
};

/** What the list asks about one cluster in a dialog. */
interface Question {
  readonly kind: 'export' | 'remove';
  readonly one: Pick<ClusterSummary, 'name' | 'dir'> & { readonly nodes: number | null };
}

/** In no list of the launcher, and yet in the way of a cluster of that name. */
function BrokenRow({ one, ask }: { readonly one: BrokenCluster; readonly ask: (question: Question) => void }) {
  return (
    <li class="cluster-row" data-cluster={one.name}>
      <span class="state tone-bad">
        <StateGlyph state="crashed" />
      </span>
      <div class="cluster-words">
        <h3>{one.name}</h3>
        <p>
          Cannot be read: {one.why} <code>CLUSTER_FILE_BROKEN</code>
        </p>
        <p class="path">{one.dir}</p>
      </div>
      <CopyButton text={one.dir} label={`Copy the path of ${one.name}`} />
      <Button
        blocked={!connected.value && 'No connection to the launcher'}
        onClick={() => ask({ kind: 'remove', one: { ...one, nodes: null } })}
      >
        Delete…
      </Button>
    </li>
  );
}

function Row({ one, ask }: { readonly one: ClusterSummary; readonly ask: (question: Question) => void }) {
  const { word, tone, glyph } = clusterWords[one.state];
  const running = one.state !== 'stopped';
  const blocked = !connected.value ? 'No connection to the launcher' : isBusy('cluster') && 'Under way';
  return (
    <li class="cluster-row" data-cluster={one.name}>
      <span class={`state tone-${tone}`}>
        <StateGlyph state={glyph} />
      </span>
      <div class="cluster-words">
        <h3>
          <RouteLink to={{ screen: 'cluster', name: one.name }}>{one.name}</RouteLink>
        </h3>
        <p>
          {running
            ? `${word}, ${one.readyNodes} of ${plural(one.nodes, 'node')} ready`
            : `${word}, ${plural(one.nodes, 'node')}`}
          {`${one.contexts.length === 0 ? '' : ` · ${listing(one.contexts)}`} · gRPC ${ports(one.grpcPorts)} · data ${one.data === 'keep' ? 'kept' : 'thrown away'} · ${ago(one.lastUsed, now.value)}`}
        </p>
        {isTold(one.state) && <p class={`tone-${tone}`}>{one.sentence}</p>}
        {one.leftBehind !== undefined && (
          <p class="warning" role="note">
            {one.leftBehind}
          </p>
        )}
      </div>
      <Button kind="quiet" aria-label={`Open ${one.name}`} onClick={() => go({ screen: 'cluster', name: one.name })}>
        Open
      </Button>
      {running ? (
        <Button blocked={blocked} aria-label={`Stop ${one.name}`} onClick={() => void stopCluster(one.name)}>
          Stop
        </Button>
      ) : (
        <Button blocked={blocked} aria-label={`Start ${one.name}`} onClick={() => void startCluster(one.name)}>
          Start
        </Button>
      )}
      <Menu
        words="⋯"
        label={`More for ${one.name}`}
        items={[
          { label: 'Duplicate', blocked, run: () => void duplicateCluster(one.name, clusters.peek() ?? []) },
          { label: 'Export…', blocked, run: () => ask({ kind: 'export', one }) },
          { label: 'Checkpoints', run: () => go({ screen: 'cluster', name: one.name, page: 'checkpoints' }) },
          { label: 'Delete…', blocked: running ? 'Stop it first' : blocked, run: () => ask({ kind: 'remove', one }) },
        ]}
      />
    </li>
  );
}

function KnownClusters({ list }: { readonly list: readonly ClusterSummary[] }) {
  const query = useSignal('');
  const asked = useSignal<Question | null>(null);
  const close = (): void => {
    asked.value = null;
  };
  const broken = brokenClusters.value;
  if (list.length === 0 && broken.length === 0) return null;
  const wanted = query.value.trim().toLowerCase();
  const shown = list.filter((one) => `${one.name} ${one.contexts.join(' ')}`.toLowerCase().includes(wanted));
  const shownBroken = broken.filter((one) => one.name.toLowerCase().includes(wanted));
  const ask = (question: Question): void => {
    asked.value = question;
  };
  return (
    <section class="known" aria-labelledby="known-heading">
      <header>
        <h2 id="known-heading">Your clusters</h2>
        <input
          type="search"
          placeholder="Search"
          aria-label="Search clusters"
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
          }}
        />
      </header>
      {asked.value === null && <SubjectError subject="cluster" />}
      <ul>
        {shown.map((one) => (
          <Row key={one.name} one={one} ask={ask} />
        ))}
        {shownBroken.map((one) => (
          <BrokenRow key={one.name} one={one} ask={ask} />
        ))}
      </ul>
      {asked.value?.kind === 'remove' && (
        <RemoveDialog
          name={asked.value.one.name}
          dir={asked.value.one.dir}
          nodes={asked.value.one.nodes}
          onClose={close}
        />
      )}
      {asked.value?.kind === 'export' && <FilesDialog name={asked.value.one.name} onClose={close} />}
      {shown.length + shownBroken.length === 0 && <p class="empty">No cluster matches “{query.value}”.</p>}
    </section>
  );
}

export function StartScreen() {
  const button = useRef<HTMLButtonElement>(null);
  const plan = useSignal<ClusterPlan | null>(null);
  const list = clusters.value;
  const spec = firstSpec(list ?? []);
  const ready = connected.value && list !== null;
  const busy = isBusy('start');

  useEffect(() => {
    if (!ready) return;
    button.current?.focus();
    let alive = true;
    // Only the line of what will happen needs it; an error is shown when the button is pressed.
    api()
      .planCluster(spec)
      .then((made) => {
        if (alive) plan.value = made;
      })
      .catch(() => {
        plan.value = null;
      });
    return () => {
      alive = false;
    };
  }, [ready, spec.name, plan]);

  return (
    <main class="start">
      <div class="hero">
        <Mark />
        <h1>Muster</h1>
        <p class="tagline">
          A real cluster on this computer, compatible with Axon Server. Start it, break it, see why.
        </p>
        <button
          ref={button}
          type="button"
          class="button primary large"
          disabled={!ready || busy}
          aria-describedby="what-happens"
          aria-busy={busy}
          onClick={() => void createAndStart(spec)}
        >
          {busy ? 'Starting…' : 'Start a 3-node cluster'}
        </button>
        <p class="hint" id="what-happens">
          {plan.value === null
            ? `3 processes on this computer, context default, data kept.`
            : `${spec.name === 'dev' ? '' : `New cluster ${spec.name}: `}3 processes on this computer, ports ${planPorts(plan.value)}, context default, data kept.`}
          <br />
          Nothing is sent anywhere.
        </p>
        <div class="links-row">
          <Button kind="quiet" blocked={!ready && 'No connection to the launcher'} onClick={() => openDialog('create')}>
            Change…
          </Button>
          <Button kind="quiet" blocked={!ready && 'No connection to the launcher'} onClick={() => openDialog('import')}>
            Import…
          </Button>
          <Button kind="quiet" blocked={!ready && 'No connection to the launcher'} onClick={startTour}>
            Five-minute tour
          </Button>
        </div>
        <SubjectError subject="start" />
        <SubjectError subject="launcher" />
      </div>
      <KnownClusters list={list ?? []} />
    </main>
  );
}
