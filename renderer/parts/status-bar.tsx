// The bottom line: health of every context in words, active faults, what happens to the data, version.
import type { DiskFaultView, LinkFaultView } from '../../electron/contract/faults.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { activeFaults, frozenNodes, skewWords } from '../../electron/contract/words.ts';
import { version } from '../about.ts';
import { act, heal, healDisk, healLinks, skewClock } from '../actions.ts';
import { keyText } from '../keys.ts';
import { plural, seconds } from '../format.ts';
import { commandsBlocked, connected, dialog, now, route } from '../store.ts';
import { Button, SubjectError } from './controls.tsx';
import { CloseIcon, ScissorsIcon, StateGlyph } from './icons.tsx';
import { headlines } from './why-panel.tsx';

const CONTEXTS_NAMED_MAX = 4;

function faultWords(fault: LinkFaultView): string {
  const parts = [
    fault.cut ? 'cut' : null,
    fault.delayMs > 0 ? `${fault.delayMs} ms${fault.jitterMs > 0 ? ` ± ${fault.jitterMs} ms` : ''}` : null,
    fault.lossPercent > 0 ? `${fault.lossPercent} % lost` : null,
  ];
  return `${fault.from} → ${fault.to}: ${parts.filter((part) => part !== null).join(', ')}`;
}

function diskWords({ node, slowMs, failing, full }: DiskFaultView): string {
  const parts = [
    slowMs > 0 ? `every flush ${slowMs} ms longer` : null,
    full ? 'full' : null,
    failing ? 'the next flush fails' : null,
  ];
  return `Disk of ${node}: ${parts.filter((part) => part !== null).join(', ')}`;
}

function Fault(props: {
  readonly words: string;
  /** Null: not told. */
  readonly since: number | null;
  readonly healWords: string;
  readonly onHeal: () => Promise<boolean>;
}) {
  return (
    <li>
      {props.words} {props.since !== null && <span class="hint">for {seconds(now.value - props.since)}</span>}
      <button
        type="button"
        class="icon-button push"
        aria-label={props.healWords}
        disabled={commandsBlocked.value !== null}
        onClick={() => void props.onHeal()}
      >
        <CloseIcon />
      </button>
    </li>
  );
}

function Faults({ view }: { readonly view: ClusterView }) {
  const { diskFaults: disks = [], clockFaults: clocks = [] } = view;
  const active = activeFaults(view);
  if (active === 0) return <span>no faults</span>;
  return (
    <>
      <button type="button" class="status-button tone-warn" popovertarget="faults">
        <ScissorsIcon /> {plural(active, 'active fault')}
      </button>
      <section id="faults" popover="auto" class="popover" aria-label="Active faults">
        <ul class="faults">
          {view.faults.map((fault) => (
            <Fault
              key={`${fault.from} ${fault.to}`}
              words={faultWords(fault)}
              since={fault.since}
              healWords={`Heal ${fault.from} to ${fault.to}`}
              onHeal={() => healLinks([fault])}
            />
          ))}
          {disks.map((fault) => (
            <Fault
              key={`disk ${fault.node}`}
              words={diskWords(fault)}
              since={fault.since}
              healWords={`Heal the disk of ${fault.node}`}
              onHeal={() => healDisk(fault.node)}
            />
          ))}
          {clocks.map(({ node, skewMs, since }) => (
            <Fault
              key={`clock ${node}`}
              words={`Clock of ${node}: ${skewWords(skewMs)}`}
              since={since}
              healWords={`Heal the clock of ${node}`}
              onHeal={() => skewClock(node, 0)}
            />
          ))}
          {frozenNodes(view).map(({ node, since }) => (
            <Fault
              key={`frozen ${node}`}
              words={`${node} is frozen`}
              since={since}
              healWords={`Resume ${node}`}
              onHeal={() => act(node, 'resume')}
            />
          ))}
        </ul>
        <Button small kind="primary" blocked={commandsBlocked.value ?? false} onClick={() => void heal()}>
          Heal all
        </Button>
        {route.value.screen !== 'cluster' && <SubjectError subject="links" />}
      </section>
    </>
  );
}

/** Few contexts each by name; of many only those in trouble, and how many are well. */
function Health({ view }: { readonly view: ClusterView }) {
  const few = view.contexts.length <= CONTEXTS_NAMED_MAX;
  const troubled = view.contexts.filter((one) => one.why.headline !== 'healthy');
  const named = few ? view.contexts : troubled.slice(0, CONTEXTS_NAMED_MAX);
  return (
    <>
      {!few && (
        <span class="status-item">
          {view.contexts.length - troubled.length} of {plural(view.contexts.length, 'context')} healthy
        </span>
      )}
      {named.map((one) => {
        const { word, tone, glyph } = headlines[one.why.headline];
        return (
          <span key={one.name} class={`status-item tone-${connected.value ? tone : 'idle'}`}>
            <StateGlyph state={connected.value ? glyph : 'stale'} /> {one.name} {word.toLowerCase()}
          </span>
        );
      })}
      {!few && troubled.length > named.length && <span>and {troubled.length - named.length} more</span>}
    </>
  );
}

export function StatusBar({ view }: { readonly view: ClusterView | null }) {
  return (
    <footer class="status-bar">
      {view !== null && <Health view={view} />}
      {view !== null && <Faults view={view} />}
      {view?.pace !== undefined && (
        <span class="tone-warn status-item">
          {view.pace.held ? 'ticks held' : `slow motion ×${view.pace.slowdown}`}
        </span>
      )}
      {view !== null && (
        <span class={view.data === 'keep' ? '' : 'tone-warn'} title={view.dir}>
          data: {view.data === 'keep' ? 'kept' : 'thrown away when stopped'}
        </span>
      )}
      {view !== null && view.apps.length > 0 && <span>{plural(view.apps.length, 'app')} connected</span>}
      <span class="push" />
      <button
        type="button"
        class="status-button"
        onClick={() => {
          dialog.value = 'palette';
        }}
      >
        Commands <kbd>{keyText('Ctrl+K')}</kbd>
      </button>
      <button
        type="button"
        class="status-button"
        onClick={() => {
          dialog.value = 'help';
        }}
      >
        Keys <kbd>F1</kbd>
      </button>
      {version.value !== null && <span>Muster {version.value}</span>}
    </footer>
  );
}
