// "Files": the open cluster as a file for somewhere else, and its diagnostics bundle (ux.md §13, §18). The CLI has `muster export` and `bundle`.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ExportedFile, ExportKind } from '../../electron/contract/manage.ts';
import type { ClusterName } from '../../electron/contract/model.ts';
import { api, attempt } from '../store.ts';
import { BundlePanel } from './bundle-panel.tsx';
import { CopyButton, Dialog, isBusy, SubjectError } from './controls.tsx';

const kinds: readonly (readonly [ExportKind, string])[] = [
  ['template', 'Cluster template'],
  ['spec', 'Muster'],
  ['compose', 'Docker Compose'],
  ['k8s', 'Kubernetes'],
];

function Export({ name }: { readonly name: ClusterName }) {
  const kind = useSignal<ExportKind>('template');
  const made = useSignal<ExportedFile | null>(null);
  const chosen = kind.value;
  useEffect(() => {
    let alive = true;
    made.value = null;
    void attempt('export', async () => {
      const file = await api().exportCluster(name, chosen);
      if (alive) made.value = file;
    });
    return () => {
      alive = false;
    };
  }, [name, chosen]);
  const file = made.value;
  return (
    <section aria-label="Export">
      <fieldset class="field">
        <legend>Export for</legend>
        <div class="segments">
          {kinds.map(([value, label]) => (
            <label key={value} class="segment">
              <input
                type="radio"
                name="export-kind"
                checked={chosen === value}
                onChange={() => {
                  kind.value = value;
                }}
              />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      <SubjectError subject="export" />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard */}
      <section class="file-text" tabIndex={0} aria-label="Text of the file" aria-busy={isBusy('export')}>
        <pre>{file?.text ?? (isBusy('export') ? 'Reading…' : '')}</pre>
      </section>
      {file?.notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      {file !== null && (
        <p class="file-actions">
          <CopyButton text={file.text} label="Copy text" />
          <a
            class="button"
            download={file.fileName}
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(file.text)}`}
          >
            Save {file.fileName}
          </a>
        </p>
      )}
    </section>
  );
}

export function FilesDialog({ name, onClose }: { readonly name: ClusterName; readonly onClose: () => void }) {
  return (
    <Dialog title={`Files of ${name}`} wide onClose={onClose}>
      <div class="files">
        <Export name={name} />
        <section aria-label="Diagnostics bundle">
          <h3>Diagnostics bundle</h3>
          <BundlePanel name={name} />
        </section>
      </div>
    </Dialog>
  );
}
