// "Import": a cluster template or an export of Muster becomes a new cluster, shown before it is made (row S21; `muster import`).
import { useSignal } from '@preact/signals';
import type { ClusterFile } from '../../electron/contract/manage.ts';
import { createAndStart, firstSpec } from '../actions.ts';
import { api, attempt, clusters, connected, dialog } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';

const FILE_BYTES_MAX = 200_000;
const roleWords = {
  PRIMARY: 'Primary',
  ACTIVE_BACKUP: 'Active backup',
  PASSIVE_BACKUP: 'Passive backup',
  MESSAGING_ONLY: 'Messaging only',
} as const;

function Preview({ file }: { readonly file: ClusterFile }) {
  const { spec, notes } = file;
  const nodes = Array.from({ length: spec.nodes }, (_, at) => `node-${at + 1}`);
  const layout =
    spec.layout ??
    spec.contexts.map((name) => ({ name, roles: nodes.map((node) => ({ node, role: 'PRIMARY' as const })) }));
  return (
    <>
      <table class="plan">
        <caption>
          {spec.nodes} nodes, {spec.contexts.length} contexts
        </caption>
        <thead>
          <tr>
            <th scope="col">Context</th>
            {nodes.map((node) => (
              <th scope="col" key={node}>
                {node}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layout.map((context) => (
            <tr key={context.name}>
              <th scope="row">{context.name}</th>
              {nodes.map((node) => {
                const role = context.roles.find((one) => one.node === node)?.role;
                return <td key={node}>{role === undefined ? '–' : roleWords[role]}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
    </>
  );
}

export function ImportDialog() {
  const name = useSignal(firstSpec(clusters.peek() ?? []).name);
  const text = useSignal('');
  const file = useSignal<ClusterFile | null>(null);
  const read = (): void => {
    file.value = null;
    if (text.peek().trim() === '') return;
    void attempt('import', async () => {
      file.value = await api().readClusterFile(text.peek(), name.peek());
    });
  };
  const take = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return;
    // A longer one is refused by the launcher, with its reason.
    text.value = await chosen.slice(0, FILE_BYTES_MAX + 1).text();
    read();
  };
  const close = (): void => {
    dialog.value = null;
  };
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (file.value !== null && (await createAndStart({ ...file.value.spec, name: name.peek() }))) close();
  };
  return (
    <Dialog title="Import a cluster" wide onClose={close}>
      <form class="create" onSubmit={(event) => void start(event)}>
        <div class="fields">
          <label class="field">
            <span>Name</span>
            <input
              type="text"
              required
              value={name.value}
              onInput={(event) => {
                name.value = event.currentTarget.value;
              }}
            />
          </label>
          <label class="field">
            <span>File</span>
            <input
              type="file"
              accept=".yml,.yaml,.json"
              onChange={(event) => void take(event.currentTarget.files?.[0])}
            />
            <small>A cluster template, or what “Files…” of a cluster saved for Muster.</small>
          </label>
          <label class="field">
            <span>Or its text</span>
            <textarea
              rows={8}
              spellcheck={false}
              value={text.value}
              onInput={(event) => {
                text.value = event.currentTarget.value;
              }}
              onChange={read}
            />
          </label>
        </div>
        <aside class="preview" aria-label="What the file means" aria-busy={isBusy('import')}>
          <h3>What will be started</h3>
          {file.value !== null ? (
            <Preview file={file.value} />
          ) : (
            <p class="hint">{isBusy('import') ? 'Reading…' : 'No file yet.'}</p>
          )}
          <SubjectError subject="import" />
        </aside>
        <SubjectError subject="start" />
        <footer class="dialog-foot">
          <span class="push" />
          <Button onClick={close}>Cancel</Button>
          <button
            type="submit"
            class="button primary"
            disabled={!connected.value || file.value === null || isBusy('start')}
          >
            Create and start
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
