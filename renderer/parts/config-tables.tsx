// What differs between generated, yours and the running process, and what every key means (ux.md §12).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { effectWords, unsupportedWords } from '../../electron/contract/config-docs.ts';
import type { ConfigDifference, ConfigKeyDoc } from '../../electron/contract/config-docs.ts';
import type { NodeConfigView } from '../../electron/contract/model.ts';
import { CONFIG_KEYS_SUBJECT, configKeys, loadConfigKeys } from '../config-keys.ts';
import { lineDiff } from '../line-diff.ts';
import { connected } from '../store.ts';
import { SubjectError } from './controls.tsx';

function Value({ value }: { readonly value: string | null }) {
  if (value === null) return <td>–</td>;
  return <td>{value === '' ? '(empty)' : <code>{value}</code>}</td>;
}

export function ConfigDifferences({ differences }: { readonly differences: readonly ConfigDifference[] }) {
  if (differences.length === 0)
    return <p class="hint">Nothing differs: the node runs, or will run, with the generated lines.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap" aria-label="Differences" tabIndex={0}>
      <table>
        <caption>Differences</caption>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Generated</th>
            <th scope="col">Yours</th>
            <th scope="col">In force</th>
            <th scope="col">Means</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((one) => (
            <tr key={one.key}>
              <th scope="row">
                <code>{one.key.replace('axoniq.axonserver.', '')}</code>
              </th>
              <Value value={one.generated} />
              <Value value={one.yours} />
              <Value value={one.inForce} />
              <td>
                {one.waits && <span class="badge tone-warn">restart to apply</span>} {one.sentence}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Unknown keys are kept, amber; what would stop the node is red. */
export function Judgement({
  config,
}: {
  readonly config: Pick<NodeConfigView, 'unknownKeys' | 'meantKeys' | 'problems'>;
}) {
  return (
    <>
      {config.unknownKeys.map((key) => (
        <p key={key} class="warning" role="note">
          {unsupportedWords(key, config.meantKeys)}
        </p>
      ))}
      {config.problems.map((problem) => (
        <p key={problem} class="warning bad" role="note">
          {problem}
        </p>
      ))}
    </>
  );
}

const diffSigns = { same: ' ', gone: '−', new: '+' } as const;

/** What the file has otherwise than what is typed here. */
export function ConfigDiff({ typed, onDisk }: { readonly typed: string; readonly onDisk: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="line-diff" aria-label="From what is here (−) to what is on disk (+)" tabIndex={0}>
      <pre>
        {lineDiff(typed, onDisk).map((line, at) => (
          <span key={at} data-kind={line.kind}>{`${diffSigns[line.kind]} ${line.text}\n`}</span>
        ))}
      </pre>
    </section>
  );
}

/** Asked for once, when it is opened. */
export function ConfigDocs() {
  const open = useSignal(false);
  const words = useSignal('');
  useEffect(() => {
    if (open.value && connected.value) void loadConfigKeys();
  }, [open.value, connected.value]);
  const wanted = words.value.toLowerCase().split(/\s+/);
  const shown = (configKeys.value ?? []).filter(({ key, text }) =>
    wanted.every((word) => `${key} ${text}`.toLowerCase().includes(word)),
  );
  return (
    <details open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>What each key means</summary>
      <SubjectError subject={CONFIG_KEYS_SUBJECT} />
      <label class="field">
        <span>Find a key</span>
        <input type="search" value={words.value} onInput={(event) => (words.value = event.currentTarget.value)} />
      </label>
      <p class="hint" role="status">
        {configKeys.value === null ? 'Reading…' : `${shown.length} of ${configKeys.value.length} keys`}
      </p>
      {shown.length > 0 && <DocsTable docs={shown} />}
    </details>
  );
}

function DocsTable({ docs }: { readonly docs: readonly ConfigKeyDoc[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap config-generated" aria-label="Keys" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">What it does</th>
            <th scope="col">Type</th>
            <th scope="col">Default</th>
            <th scope="col">Takes effect</th>
          </tr>
        </thead>
        <tbody>
          {docs.map(({ key, text, type, fallback, effect }) => (
            <tr key={key}>
              <th scope="row">
                <code>{key}</code>
              </th>
              <td>{text}</td>
              <td>{type}</td>
              <td>{fallback === '' ? 'none' : <code>{fallback}</code>}</td>
              <td>{effectWords[effect]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
