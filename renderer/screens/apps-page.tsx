// Connected apps, and the reconnect report: what every app had before the last fault and what has come back (ux.md §5).
import { useSignal } from '@preact/signals';
import type { AppView, ClusterView } from '../../electron/contract/model.ts';
import type { AppChange, ReconnectReport } from '../../electron/contract/reconnect.ts';
import { askApp, showDock } from '../actions.ts';
import { clock, count, duration, plural } from '../format.ts';
import { AppChangeCard, NodeName } from '../parts/app-change.tsx';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { Empty, StartAction } from '../parts/empty.tsx';
import { Processors } from '../parts/processors.tsx';
import { ReportButtons } from '../parts/reconnect-banner.tsx';
import { commandsBlocked, now } from '../store.ts';

const order: Readonly<Record<AppChange['state'], number>> = { incomplete: 0, away: 1, back: 2, kept: 3 };
const columns = ['App', 'Node', 'Context', 'Connected for', 'Commands', 'Queries', 'Permits', 'Processors', 'Actions'];

function Report({ view, report }: { readonly view: ClusterView; readonly report: ReconnectReport }) {
  const apps = [...report.apps].sort((left, right) => order[left.state] - order[right.state]);
  return (
    <section class="panel" aria-labelledby="report-heading">
      <header class="panel-head">
        <h2 id="report-heading">Reconnect report</h2>
        <span class="hint">
          {clock(report.at)} · {report.fault}
        </span>
        <ReportButtons report={report} />
      </header>
      <p class="report-sentence">{report.sentence}</p>
      <div class="changes">
        {apps.map((change) => (
          <AppChangeCard key={`${change.clientId} ${change.context}`} view={view} change={change} />
        ))}
      </div>
    </section>
  );
}

function Actions({ app }: { readonly app: AppView }) {
  const asked = useSignal('');
  const subject = `app:${app.clientId}`;
  const ask = async (action: 'reconnect' | 'disconnect'): Promise<void> => {
    const done = await askApp(app.clientId, action);
    asked.value = !done ? '' : action === 'reconnect' ? 'Asked to reconnect' : 'Disconnected';
  };
  const blocked = commandsBlocked.value ?? (isBusy(subject) && 'Under way');
  const label = app.componentName;
  return (
    <td class="row-actions">
      <Button small blocked={blocked} onClick={() => void ask('reconnect')} aria-label={`Ask to reconnect ${label}`}>
        Ask to reconnect
      </Button>
      <Button
        small
        kind="quiet"
        blocked={blocked}
        onClick={() => void ask('disconnect')}
        aria-label={`Disconnect ${label}`}
      >
        Disconnect
      </Button>
      <span role="status" class="hint">
        {asked.value}
      </span>
      <SubjectError subject={subject} />
    </td>
  );
}

/** A zero is an app that keeps messages waiting. */
const permitWords = ({ commandPermits, queryPermits }: AppView): string =>
  [commandPermits, queryPermits].flatMap((one) => (one === undefined ? [] : [count(one)])).join(' · ') || '–';

function Row({ view, app }: { readonly view: ClusterView; readonly app: AppView }) {
  return (
    <tr>
      <th scope="row">
        {app.componentName} <span class="hint">{app.clientId}</span>
      </th>
      <td>
        <NodeName view={view} name={app.node} />
      </td>
      <td>{app.context}</td>
      <td>{app.connectedSince === 0 ? '–' : duration(Math.max(0, now.value - app.connectedSince))}</td>
      <td class="number" title={app.commands.join('\n')}>
        {count(app.commands.length)}
      </td>
      <td class="number" title={app.queries.join('\n')}>
        {count(app.queries.length)}
      </td>
      <td class="number" title="Messages that may be sent before the app asks for more: commands, queries">
        {permitWords(app)}
      </td>
      <td>
        {app.processors.length === 0 && <span class="hint">none</span>}
        {app.processors.map((one) => (
          <div key={one.name} class={one.error ? 'tone-bad is-missing' : ''}>
            {one.name}{' '}
            <span class="hint">
              token {count(one.token)}, {plural(one.segments, 'segment')}
            </span>
            {one.error ? ' ✕ error' : one.running ? '' : ' stopped'}
          </div>
        ))}
      </td>
      <Actions app={app} />
    </tr>
  );
}

function Apps({ view }: { readonly view: ClusterView }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-scroll" aria-label="Table of connected apps" tabIndex={0}>
      <table class="apps">
        <thead>
          <tr>
            {columns.map((one) => (
              <th
                key={one}
                scope="col"
                class={one === 'Commands' || one === 'Queries' || one === 'Permits' ? 'number' : ''}
              >
                {one}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {view.apps.map((app) => (
            <Row key={`${app.clientId} ${app.node} ${app.context}`} view={view} app={app} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function AppsPage({ view }: { readonly view: ClusterView }) {
  const stopped = view.state === 'stopped';
  return (
    <>
      <section class="panel" aria-labelledby="apps-heading">
        <header class="panel-head">
          <h2 id="apps-heading">Connected apps</h2>
          <span class="hint">{view.apps.length > 0 && plural(view.apps.length, 'app')}</span>
        </header>
        {view.apps.length > 0 ? (
          <Apps view={view} />
        ) : (
          <Empty
            topic="apps"
            action={
              stopped ? (
                <StartAction name={view.name} />
              ) : (
                <Button kind="primary" onClick={() => showDock('connect')}>
                  Settings for an app
                </Button>
              )
            }
          >
            {stopped ? 'The cluster is stopped: no app can connect.' : 'No app has connected yet.'}
          </Empty>
        )}
      </section>
      <Processors view={view} />
      {view.reconnect === undefined ? (
        <p class="hint">
          Kill, freeze or cut a node while apps are connected: the reconnect report appears here and tells what came
          back and what is missing.
        </p>
      ) : (
        <Report view={view} report={view.reconnect} />
      )}
    </>
  );
}
