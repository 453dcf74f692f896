// The bottom line: health of every context in words, active faults, what happens to the data, version.
import type { ClusterView, LinkFaultView } from '../../electron/contract/model.ts';
import { heal, setLinks } from '../actions.ts';
import { keyText } from '../keys.ts';
import { plural, seconds } from '../format.ts';
import { connected, dialog, now, version } from '../store.ts';
import { Button } from './controls.tsx';
import { CloseIcon, ScissorsIcon, StateGlyph } from './icons.tsx';
import { headlines } from './why-panel.tsx';

function faultWords(fault: LinkFaultView): string {
  const parts = [
    fault.cut ? 'cut' : null,
    fault.delayMs > 0 ? `${fault.delayMs} ms${fault.jitterMs > 0 ? ` ± ${fault.jitterMs} ms` : ''}` : null,
    fault.lossPercent > 0 ? `${fault.lossPercent} % lost` : null,
  ];
  return `${fault.from} → ${fault.to}: ${parts.filter((part) => part !== null).join(', ')}`;
}

function Faults({ view }: { readonly view: ClusterView }) {
  if (view.faults.length === 0) return <span>no faults</span>;
  return (
    <>
      <button type="button" class="status-button tone-warn" popovertarget="faults">
        <ScissorsIcon /> {plural(view.faults.length, 'active fault')}
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
        </ul>
        <Button small kind="primary" onClick={() => void heal()}>
          Heal all
        </Button>
      </section>
    </>
  );
}

export function StatusBar({ view }: { readonly view: ClusterView | null }) {
  return (
    <footer class="status-bar">
      {view?.contexts.map((one) => {
        const { word, tone, glyph } = headlines[one.why.headline];
        return (
          <span key={one.name} class={`status-item tone-${connected.value ? tone : 'idle'}`}>
            <StateGlyph state={connected.value ? glyph : 'stale'} /> {one.name} {word.toLowerCase()}
          </span>
        );
      })}
      {view !== null && <Faults view={view} />}
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
