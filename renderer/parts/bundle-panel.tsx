// The diagnostics bundle: what would be in it first, then the file (ux.md §13). Of a cluster, or with null of the app alone.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BundlePart, SavedBundle } from '../../electron/contract/manage.ts';
import type { ClusterName } from '../../electron/contract/model.ts';
import { bytesShort } from '../format.ts';
import { api, attempt, connected } from '../store.ts';
import { Button, CopyButton, isBusy, SubjectError } from './controls.tsx';

export function BundlePanel({ name }: { readonly name: ClusterName | null }) {
  const parts = useSignal<readonly BundlePart[] | null>(null);
  const saved = useSignal<SavedBundle | null>(null);
  const asked = useSignal(name);
  const read = (): void => {
    asked.value = name;
    parts.value = null;
    saved.value = null;
    void attempt('bundle', async () => {
      const found = await api().bundleContents(name);
      if (asked.peek() === name) parts.value = found;
    });
  };
  useEffect(read, [name]);
  const save = (): void => {
    void attempt('bundle', async () => {
      const made = await api().saveBundle(name);
      if (asked.peek() === name) saved.value = made;
    });
  };
  return (
    <>
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
        <Button
          blocked={(!connected.value && 'No connection to the launcher') || (isBusy('bundle') && 'Under way')}
          onClick={save}
        >
          Save bundle
        </Button>
        {saved.value !== null && (
          <span role="status" class="path">
            Saved ({bytesShort(saved.value.bytes)}): {saved.value.file}{' '}
            <CopyButton text={saved.value.file} label="Copy path" />
          </span>
        )}
      </p>
    </>
  );
}
