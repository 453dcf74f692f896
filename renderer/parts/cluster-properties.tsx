// Properties of every node at once: the lines that all parts share (ux.md §12).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ClusterConfigView } from '../../electron/contract/config-docs.ts';
import type { ClusterName } from '../../electron/contract/model.ts';
import { listing } from '../format.ts';
import { api, attempt, commandsBlocked, connected } from '../store.ts';
import { Judgement } from './config-tables.tsx';
import { Button, isBusy } from './controls.tsx';
import { PropertiesEditor } from './properties-editor.tsx';

/** Errors are those of `subject`, which the page shows. `news` as in the page. */
export function ClusterProperties(props: {
  readonly cluster: ClusterName;
  readonly subject: string;
  readonly news: string;
}) {
  const { cluster, subject, news } = props;
  const config = useSignal<ClusterConfigView | null>(null);
  const text = useSignal('');
  const take = (work: () => Promise<ClusterConfigView>): void => {
    void attempt(subject, async () => {
      const found = await work();
      config.value = found;
      text.value = found.yours;
    });
  };
  useEffect(() => {
    if (connected.value) take(() => api().getClusterConfig(cluster));
  }, [cluster, connected.value]);
  useEffect(() => {
    const loaded = config.peek();
    if (loaded === null || text.peek() !== loaded.yours) return;
    take(() => api().getClusterConfig(cluster));
  }, [news]);
  const shown = config.value;
  if (shown === null) return <p class="hint">Reading the files…</p>;
  const { ownLines, needsRestart } = shown;
  return (
    <div class="fields">
      <PropertiesEditor label="Yours on every node" text={text.value} onInput={(typed) => (text.value = typed)} />
      {ownLines.length > 0 && (
        <p class="hint">
          {listing(ownLines)} {ownLines.length === 1 ? 'has' : 'have'} lines of{' '}
          {ownLines.length === 1 ? 'its' : 'their'} own, which win.
        </p>
      )}
      <Judgement config={shown} />
      {needsRestart.length > 0 && (
        <p class="warning" role="status">
          {listing(needsRestart)} {needsRestart.length === 1 ? 'needs' : 'need'} a restart to apply:{' '}
          <em>Rolling restart</em> does it node by node.
        </p>
      )}
      <footer class="dialog-foot">
        <span class="push" />
        <Button
          kind="primary"
          blocked={
            commandsBlocked.value ?? (text.value === shown.yours ? 'Nothing to save' : isBusy(subject) && 'Under way')
          }
          onClick={() => take(() => api().setClusterConfig(cluster, text.peek()))}
        >
          Save on every node
        </Button>
      </footer>
    </div>
  );
}
