// How Muster itself is: facts, a self-test that is really made, its log, and a bundle for a report (ux.md §13).
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CheckResult, Diagnostics, SelfTest } from '../../electron/contract/diagnostics.ts';
import { bytes, duration, percent } from '../format.ts';
import { BundlePanel } from '../parts/bundle-panel.tsx';
import { Button, CopyButton, isBusy, SubjectError } from '../parts/controls.tsx';
import { Group } from '../parts/settings-parts.tsx';
import { api, attempt, connected } from '../store.ts';

const LOG_LINES = 200;
const unconnected = (): string | false => !connected.value && 'No connection to the launcher';

function Table(props: {
  readonly caption: string;
  readonly head: readonly string[];
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap" aria-label={props.caption} tabIndex={0}>
      <table class="settings-table">
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            {props.head.map((word) => (
              <th key={word} scope="col">
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}

function Facts({ facts }: { readonly facts: Diagnostics }) {
  return (
    <>
      <Table caption="Versions" head={['Of', 'Version']}>
        {facts.versions.map(({ what, version }) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td>{version}</td>
          </tr>
        ))}
      </Table>
      <Table caption="Folders and files" head={['What', 'Path']}>
        {facts.paths.map(({ what, path }) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td>
              <code>{path}</code> <CopyButton text={path} label={`Copy path of ${what}`} />
            </td>
          </tr>
        ))}
      </Table>
      <Table caption="Processes" head={['Process', 'Id', 'Memory', 'CPU']}>
        {facts.processes.map(({ pid, what, rssBytes, cpuPercent }) => (
          <tr key={pid}>
            <th scope="row">{what}</th>
            <td>{pid}</td>
            <td>{bytes(rssBytes)}</td>
            <td>{percent(cpuPercent)}</td>
          </tr>
        ))}
      </Table>
      <Table caption="Ports" head={['Port', 'Of', 'Held by']}>
        {facts.ports.map(({ port, what, holder, ok }) => (
          <tr key={`${port} ${what}`}>
            <th scope="row">{port}</th>
            <td>{what}</td>
            <td class={ok ? '' : 'bad'}>
              {!ok && '✕ '}
              {holder ?? 'nobody'}
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function Check({ check }: { readonly check: CheckResult }) {
  return (
    <li data-check={check.code}>
      <p>
        <span aria-hidden="true">{check.ok ? '✓' : '✕'}</span>{' '}
        <span class="visually-hidden">{check.ok ? 'Well: ' : 'Failed: '}</span>
        {check.what} <span class="hint">{duration(check.tookMs)}</span>
      </p>
      {!check.ok && (
        <p class="warning bad" role="note">
          {check.why} {check.next} <code>{check.code}</code>{' '}
          <CopyButton text={`${check.code}: ${check.what}. ${check.why}\n- ${check.next}`} label="Copy details" />
        </p>
      )}
    </li>
  );
}

function Test() {
  const test = useSignal<SelfTest | null>(null);
  const run = (): void => {
    test.value = null;
    void attempt('self-test', async () => {
      test.value = await api().selfTest();
    });
  };
  const shown = test.value;
  return (
    <Group title="Self-test">
      <p>
        Opens a port, writes and syncs a file, looks at disk, memory, clock and limits, and starts an engine. It takes
        some seconds and leaves nothing behind.
      </p>
      <p>
        <Button
          kind="primary"
          aria-busy={isBusy('self-test')}
          blocked={unconnected() || (isBusy('self-test') && 'Under way')}
          onClick={run}
        >
          {isBusy('self-test') ? 'Testing…' : 'Run the self-test'}
        </Button>
      </p>
      <div role="status">
        {shown !== null && (
          <>
            <p>
              <strong>
                {shown.ok
                  ? 'All is well here.'
                  : `${shown.checks.filter((one) => !one.ok).length} of ${shown.checks.length} checks failed.`}
              </strong>
            </p>
            <ul class="checks">
              {shown.checks.map((check) => (
                <Check key={check.what} check={check} />
              ))}
            </ul>
          </>
        )}
      </div>
      <SubjectError subject="self-test" />
    </Group>
  );
}

function Log() {
  const lines = useSignal<readonly string[] | null>(null);
  const read = (): void => {
    void attempt('app-log', async () => {
      lines.value = await api().appLog(LOG_LINES);
    });
  };
  useEffect(() => {
    if (connected.value) read();
  }, [connected.value]);
  const text = (lines.value ?? []).join('\n');
  return (
    <Group title="Log of the app">
      {lines.value !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <pre class="app-log" role="log" aria-label="Log of the app" tabIndex={0}>
          {text === '' ? 'Nothing logged yet.' : text}
        </pre>
      )}
      <p class="file-actions">
        <Button small blocked={unconnected()} onClick={read}>
          Read again
        </Button>
        {text !== '' && <CopyButton text={text} label="Copy the log" />}
      </p>
      <SubjectError subject="app-log" />
    </Group>
  );
}

function Bundle({ clusters }: { readonly clusters: readonly string[] }) {
  const chosen = useSignal('');
  return (
    <Group title="Bundle for a report">
      <label class="field-inline">
        <span>Of</span>
        <select value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
          <option value="">the app alone</option>
          {clusters.map((name) => (
            <option key={name} value={name}>
              the app and cluster {name}
            </option>
          ))}
        </select>
      </label>
      <BundlePanel name={chosen.value === '' ? null : chosen.value} />
    </Group>
  );
}

export function DiagnosticsScreen() {
  const facts = useSignal<Diagnostics | null>(null);
  const read = (): void => {
    void attempt('diagnostics', async () => {
      facts.value = await api().diagnostics();
    });
  };
  useEffect(() => {
    if (connected.value) read();
  }, [connected.value]);
  return (
    <main class="page">
      <h1>Diagnostics</h1>
      <Test />
      <Group title="Facts">
        {facts.value === null && isBusy('diagnostics') && <p class="hint">Reading…</p>}
        {facts.value !== null && <Facts facts={facts.value} />}
        <p>
          <Button small blocked={unconnected()} onClick={read}>
            Read again
          </Button>
        </p>
        <SubjectError subject="diagnostics" />
      </Group>
      <Log />
      <Bundle clusters={facts.value?.clusters ?? []} />
    </main>
  );
}
