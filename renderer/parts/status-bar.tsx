// The bottom line: health of every context in words, active faults, what happens to the data, version.
import type { ClusterView, DiskFaultView, LinkFaultView } from '../../electron/contract/model.ts';
import { heal, healDisk, setLinks } from '../actions.ts';
import { keyText } from '../keys.ts';
import { plural, seconds } from '../format.ts';
import { commandsBlocked, connected, dialog, now, version } from '../store.ts';
import { Button } from './controls.tsx';
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

function Faults({ view }: { readonly view: ClusterView }) {
  const disks = view.diskFaults ?? [];
  if (view.faults.length + disks.length === 0) return <span>no faults</span>;
  return (
    <>
      <button type="button" class="status-button tone-warn" popovertarget="faults">
        <ScissorsIcon /> {plural(view.faults.length + disks.length, 'active fault')}
      </button>
      <section id="faults" popover="auto" class="popover" aria-label="Active faults">
        <ul class="faults">
          {view.faults.map((fault) => (
            <li key={`${fault.from} ${fault.to}`}>
              {faultWords(fault)} <span class="hint">for {seconds(now.value - fault.since)}</span>
              <button
                type="button"
                class="icon-button push"
                aria-label={`Heal ${fault.from} to ${fault.to}`}
                disabled={commandsBlocked.value !== null}
                onClick={() =>
                  void setLinks([
                    { from: fault.from, to: fault.to, cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 },
                  ])
                }
              >
                <CloseIcon />
              </button>
            </li>
          ))}
          {disks.map((fault) => (
            <li key={`disk ${fault.node}`}>
              {diskWords(fault)} <span class="hint">for {seconds(now.value - fault.since)}</span>
              <button
                type="button"
                class="icon-button push"
                aria-label={`Heal the disk of ${fault.node}`}
                disabled={commandsBlocked.value !== null}
                onClick={() => void healDisk(fault.node)}
              >
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
        <Button small kind="primary" blocked={commandsBlocked.value ?? false} onClick={() => void heal()}>
          Heal all
        </Button>
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
