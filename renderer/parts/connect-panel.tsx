// How an app connects to this cluster: ready-made settings with the live ports (ux.md §6).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ClusterView, LauncherErrorData, Snippet, SnippetKind } from '../../electron/contract/model.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { api, connected, context as shownContext, wantedContext } from '../store.ts';
import { CopyButton, ErrorNote } from './controls.tsx';
import { DoctorPanel } from './doctor-panel.tsx';
import { Empty } from './empty.tsx';
import { ReachSwitch } from './reach-switch.tsx';

/** Tabs want short words; the launcher's titles, which name the file too, stand beside the text. */
const tabLabel: Readonly<Record<SnippetKind, string>> = {
  spring: 'Spring Boot',
  quarkus: 'Quarkus',
  java: 'Java',
  python: 'Python',
  env: '.env',
  cli: 'CLI',
};

export function ConnectPanel({ view }: { readonly view: ClusterView }) {
  const snippets = useSignal<{ readonly of: string; readonly list: readonly Snippet[] } | null>(null);
  const failed = useSignal<LauncherErrorData | null>(null);
  const kind = useSignal<SnippetKind>('spring');
  const choices = view.contexts.filter((one) => !one.name.startsWith('_'));
  const context = choices.find((one) => one.name === shownContext.value?.name)?.name ?? choices[0]?.name ?? null;
  const online = connected.value;
  // What they are made of: another one of these makes what is shown wrong.
  const of = JSON.stringify([view.name, context, view.nodes.map(({ host, grpc, http }) => [host, grpc, http])]);

  useEffect(() => {
    if (context === null || !online) return;
    let alive = true;
    api()
      .snippets(view.name, context)
      .then((found) => {
        if (!alive) return;
        snippets.value = { of, list: found };
        failed.value = null;
      })
      .catch((error: unknown) => {
        if (alive && error instanceof LauncherError) failed.value = error.data;
      });
    return () => {
      alive = false;
    };
  }, [of, online, snippets, failed]);

  if (failed.value !== null) return <ErrorNote error={failed.value} />;
  if (context === null)
    return <Empty topic="apps">The settings for your app appear here as soon as the cluster has a context.</Empty>;
  const all = snippets.value?.of === of ? snippets.value.list : [];
  const host = view.nodes[0]?.host;
  const shown = all.find((one) => one.kind === kind.value) ?? all[0];
  return (
    <div class="connect">
      <div class="toolbar">
        <fieldset class="segments small">
          <legend class="visually-hidden">Kind of app</legend>
          {all.map((one) => (
            <label key={one.kind} class="segment">
              <input
                type="radio"
                name="snippet"
                checked={one.kind === shown?.kind}
                onChange={() => {
                  kind.value = one.kind;
                }}
              />
              {tabLabel[one.kind]}
            </label>
          ))}
        </fieldset>
        <span class="push" />
        {shown !== undefined && <span class="hint">{shown.title}</span>}
        <label class="field-inline">
          <span>Context</span>
          <select
            value={context}
            onChange={(event) => {
              wantedContext.value = event.currentTarget.value;
            }}
          >
            {choices.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        {shown !== undefined && <CopyButton text={shown.text} label={`Copy ${tabLabel[shown.kind]} settings`} />}
      </div>
      {shown !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <section class="snippet" aria-label={`${tabLabel[shown.kind]} settings`} tabIndex={0}>
          <pre>
            <code>{shown.text}</code>
          </pre>
        </section>
      )}
      <DoctorPanel key={`${view.name}/${context}`} cluster={view.name} context={context}>
        {host !== undefined && <ReachSwitch view={view} host={host} />}
      </DoctorPanel>
    </div>
  );
}
