// "Files": the open cluster as a file for somewhere else, and its diagnostics bundle (ux.md §13, §18). The CLI has `muster export` and `bundle`.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BundlePart, ExportedFile, ExportKind, SavedBundle } from '../../electron/contract/manage.ts';
import type { ClusterName } from '../../electron/contract/model.ts';
import { bytesShort } from '../format.ts';
import { api, attempt, commandsBlocked, dialog } from '../store.ts';
import { Button, CopyButton, Dialog, isBusy, SubjectError } from './controls.tsx';

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

function Diagnostics({ name }: { readonly name: ClusterName }) {
  const parts = useSignal<readonly BundlePart[] | null>(null);
  const saved = useSignal<SavedBundle | null>(null);
  const read = (): void => {
    void attempt('bundle', async () => {
      parts.value = await api().bundleContents(name);
    });
  };
  useEffect(read, [name]);
  const save = (): void => {
    void attempt('bundle', async () => {
      saved.value = await api().saveBundle(name);
    });
  };
  return (
    <section aria-label="Diagnostics bundle">
      <h3>Diagnostics bundle</h3>
      <p class="hint">For a bug report: one file on this computer. Tokens, passwords and keys are left out.</p>
      {parts.value === null && isBusy('bundle') && <p class="hint">Reading…</p>}
      {parts.value !== null && (
        <details>
          <summary>What is in it ({parts.value.length} files)</summary>
          <table class="plan">
            <caption class="visually-hidden">Files of the bundle</caption>
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">What it is</th>
                <th scope="col" class="number">
                  Size
                </th>
              </tr>
            </thead>
            <tbody>
              {parts.value.map((part) => (
                <tr key={part.name}>
                  <th scope="row">{part.name}</th>
                  <td>{part.what}</td>
                  <td class="number">{bytesShort(part.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      <SubjectError subject="bundle">
        {parts.value === null && (
          <Button small onClick={read}>
            Try again
          </Button>
        )}
      </SubjectError>
      <p class="file-actions">
        <Button blocked={commandsBlocked.value ?? (isBusy('bundle') && 'Under way')} onClick={save}>
          Save bundle
        </Button>
        {saved.value !== null && (
          <span role="status" class="path">
            Saved ({bytesShort(saved.value.bytes)}): {saved.value.file}{' '}
            <CopyButton text={saved.value.file} label="Copy path" />
          </span>
        )}
      </p>
    </section>
  );
}

export function FilesDialog({ name }: { readonly name: ClusterName }) {
  return (
    <Dialog
      title={`Files of ${name}`}
      wide
      onClose={() => {
        dialog.value = null;
      }}
    >
      <div class="files">
        <Export name={name} />
        <Diagnostics name={name} />
      </div>
    </Dialog>
  );
}
