// Properties of one node: what Muster generates, what is yours and wins, and what needs a restart (ux.md §12).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ClusterView, NodeConfigView } from '../../electron/contract/model.ts';
import { act } from '../actions.ts';
import { seconds } from '../format.ts';
import { ClusterProperties } from '../parts/cluster-properties.tsx';
import { ConfigDiff, ConfigDifferences, ConfigDocs, Judgement } from '../parts/config-tables.tsx';
import { Button, CopyButton, isBusy, SubjectError } from '../parts/controls.tsx';
import { PropertiesEditor } from '../parts/properties-editor.tsx';
import { Task } from '../parts/task-list.tsx';
import { api, attempt, commandsBlocked, connected, tasks, wall } from '../store.ts';

const SUBJECT = 'config';
/** No node has this name. */
const EVERY_NODE = 'every';

function Generated({ config }: { readonly config: NodeConfigView }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap config-generated" aria-label="Generated properties" tabIndex={0}>
      <table>
        <caption>Generated, rewritten at every start</caption>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Value</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {config.generated.map(({ key, value, why }) => (
            <tr key={key}>
              <th scope="row">
                <code>{key.replace('axoniq.axonserver.', '')}</code>
              </th>
              <td>
                <code>{value === '' ? '(empty)' : value}</code>
              </td>
              <td>{why}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** `news` is whatever of the node tells that its answer is another one now. */
function useConfig(cluster: string, node: string, news: string) {
  const config = useSignal<Shown | null>(null);
  const text = useSignal('');
  const load = async (): Promise<void> => {
    await attempt(SUBJECT, async () => {
      const found = await api().getConfig(cluster, node);
      config.value = found;
      text.value = found.yours;
    });
  };
  const look = async (): Promise<void> => {
    if (config.peek() === null) return;
    const found = await api()
      .getConfig(cluster, node)
      .catch(() => null);
    const loaded = config.peek();
    if (found === null || loaded === null || loaded.node !== node) return;
    // What the person edits is never replaced under the hands: a change on disk is only told.
    config.value = { ...found, yours: loaded.yours, onDisk: found.yours };
  };
  useEffect(() => {
    config.value = null;
    if (connected.value && node !== EVERY_NODE) void load();
    // The file of a node that does not run is watched by nobody: whoever edited it comes back to this window.
    const onFocus = (): void => void look();
    window.addEventListener('focus', onFocus);
    return () => window.removeEventListener('focus', onFocus);
  }, [cluster, node, connected.value]);
  useEffect(() => void look(), [news]);
  return { config, text, load };
}

type Shown = NodeConfigView & { readonly onDisk?: string };

export function ConfigPage({ view }: { readonly view: ClusterView }) {
  const node = useSignal(view.nodes[0]?.name ?? 'node-1');
  const shownNode = view.nodes.find((one) => one.name === node.value);
  const news = [shownNode?.state, shownNode?.pid, shownNode?.propertiesChangedAt].join();
  const comparing = useSignal(false);
  const everyNode = node.value === EVERY_NODE;
  const { config, text, load } = useConfig(view.name, node.value, news);
  const shown = config.value;
  const running = view.nodes.some((one) => one.pid !== null);
  const changedOutside = shown?.onDisk !== undefined && shown.onDisk !== shown.yours;
  const save = (): Promise<boolean> =>
    attempt(SUBJECT, async () => {
      const saved = await api().setConfig(view.name, node.peek(), text.peek());
      config.value = saved;
      text.value = saved.yours;
    });
  const roll = (): Promise<boolean> =>
    attempt(SUBJECT, async () => {
      await api().rollingRestart(view.name);
    });
  const task = tasks.value.find((one) => one.cluster === view.name);
  const blocked = commandsBlocked.value ?? (isBusy(SUBJECT) && 'Under way');
  return (
    <section class="panel config-page" aria-labelledby="config-heading">
      <header class="panel-head">
        <h2 id="config-heading">Configuration</h2>
        <label class="field-inline">
          <span>Node</span>
          <select value={node.value} onChange={(event) => (node.value = event.currentTarget.value)}>
            {view.nodes.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
            <option value={EVERY_NODE}>every node</option>
          </select>
        </label>
        {!everyNode && shown?.needsRestart === true && (
          <span class="badge tone-warn">
            restart to apply{' '}
            <Button small blocked={blocked} onClick={() => void act(node.value, 'restart')}>
              Restart {node.value}
            </Button>
          </span>
        )}
        <span class="push" />
        <Button
          small
          blocked={blocked || (running ? task?.state === 'running' && 'A task is under way' : 'The cluster is stopped')}
          onClick={() => void roll()}
        >
          Rolling restart
        </Button>
      </header>
      <SubjectError subject={SUBJECT} />
      {everyNode && (
        <ClusterProperties
          cluster={view.name}
          subject={SUBJECT}
          news={view.nodes.map((one) => [one.state, one.propertiesChangedAt].join()).join()}
        />
      )}
      {everyNode ? null : shown === null ? (
        <p class="empty">Reading the file…</p>
      ) : (
        <div class="config-columns">
          <Generated config={shown} />
          <div class="fields">
            <PropertiesEditor
              label="Yours, wins over the generated lines"
              text={text.value}
              onInput={(typed) => (text.value = typed)}
            />
            {changedOutside && (
              <p class="warning" role="status">
                Changed on disk {shown.changedAt === null ? '' : `${seconds(wall.value - shown.changedAt)} ago`}.{' '}
                <Button small onClick={() => void load()}>
                  Reload
                </Button>{' '}
                <Button small aria-expanded={comparing.value} onClick={() => (comparing.value = !comparing.peek())}>
                  Diff
                </Button>
              </p>
            )}
            {changedOutside && comparing.value && <ConfigDiff typed={text.value} onDisk={shown.onDisk ?? ''} />}
            <Judgement config={shown} />
            <p class="hint path">
              {shown.file} <CopyButton text={shown.file} label={`Copy the path of the properties of ${shown.node}`} />
            </p>
            <footer class="dialog-foot">
              <span class="push" />
              <Button
                kind="primary"
                blocked={blocked || (text.value === shown.yours && 'Nothing to save')}
                onClick={() => void save()}
              >
                Save
              </Button>
            </footer>
          </div>
        </div>
      )}
      {!everyNode && shown !== null && <ConfigDifferences differences={shown.differences} />}
      <ConfigDocs />
      {task !== undefined && <Task task={task} />}
    </section>
  );
}
