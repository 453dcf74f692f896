// One app of the reconnect report: before and now, what is missing in bold (ux.md §5).
import type { ClusterView } from '../../electron/contract/model.ts';
import type { AppChange } from '../../electron/contract/reconnect.ts';
import { count, duration, plural } from '../format.ts';
import { Swatch } from './controls.tsx';

type Look = { readonly glyph: string; readonly word: string; readonly tone: string };
const looks: Readonly<Record<AppChange['state'], Look>> = {
  kept: { glyph: '●', word: 'never away', tone: 'ok' },
  back: { glyph: '✓', word: 'back', tone: 'ok' },
  incomplete: { glyph: '✕', word: 'incomplete', tone: 'bad' },
  away: { glyph: '○', word: 'away', tone: 'warn' },
};

export function NodeName({ view, name }: { readonly view: ClusterView; readonly name: string }) {
  const index = view.nodes.findIndex((node) => node.name === name);
  return (
    <span class="node-name">
      {index >= 0 && <Swatch index={index} />} {name}
    </span>
  );
}

/** Missing ones first. */
function Names({ before, missing }: { readonly before: readonly string[]; readonly missing: readonly string[] }) {
  if (before.length === 0) return <span class="hint">none</span>;
  return (
    <ul class="names">
      {missing.map((name) => (
        <li key={name} class="tone-bad is-missing">
          <span aria-hidden="true">✕</span> <strong>{name}</strong> missing
        </li>
      ))}
      {before
        .filter((name) => !missing.includes(name))
        .map((name) => (
          <li key={name}>{name}</li>
        ))}
    </ul>
  );
}

function timing(change: AppChange): string {
  if (change.reconnectedAfterMs === null) return change.state === 'kept' ? 'kept its connection' : 'not connected yet';
  const connected = `connected after ${duration(change.reconnectedAfterMs)} (${plural(change.attempts, 'connection')})`;
  return change.completeAfterMs === null
    ? connected
    : `${connected}, complete after ${duration(change.completeAfterMs)}`;
}

export function AppChangeCard({ view, change }: { readonly view: ClusterView; readonly change: AppChange }) {
  const { glyph, word, tone } = looks[change.state];
  const { before, after } = change;
  const id = `change-${change.clientId}-${change.context}`;
  return (
    <article class={`app-change tone-${tone}`} aria-labelledby={id}>
      <header>
        <h3 id={id}>
          {change.componentName} <span class="hint">{change.clientId}</span>
        </h3>
        <span class="verdict">
          <span aria-hidden="true">{glyph}</span> {word}
        </span>
        <span class="hint">
          {change.context} · {timing(change)}
        </span>
      </header>
      <table class="before-after">
        <thead>
          <tr>
            <td />
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Node</th>
            <td>
              <NodeName view={view} name={before.node} />
            </td>
            <td>{after === null ? <span class="hint">none</span> : <NodeName view={view} name={after.node} />}</td>
          </tr>
          <tr>
            <th scope="row">Commands</th>
            <td>{count(before.commands.length)}</td>
            <td>
              <Names before={before.commands} missing={change.missingCommands} />
            </td>
          </tr>
          <tr>
            <th scope="row">Queries</th>
            <td>{count(before.queries.length)}</td>
            <td>
              <Names before={before.queries} missing={change.missingQueries} />
            </td>
          </tr>
          {change.processors.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              <td>token {count(one.before)}</td>
              <td class={one.state === 'resumed' ? '' : 'tone-bad is-missing'}>
                {one.after === null ? '' : `token ${count(one.after)}, `}
                {one.state === 'resumed' ? 'goes on' : <strong>{one.state}</strong>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </article>
  );
}
