// "New cluster": the spec as a form, and beside it the plan that the launcher would carry out (ux.md §3.2).
import { DOCKER_HOST } from '../../electron/contract/reach.ts';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ClusterPlan, ClusterSpec, LauncherErrorData, PlanPreview } from '../../electron/contract/model.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { scenarios, scenarioSpec } from '../../electron/contract/scenarios.ts';
import { presetOf } from '../../electron/contract/timings.ts';
import { createAndStart, firstSpec } from '../actions.ts';
import { ports } from '../format.ts';
import { api, clusters, connected, dialog } from '../store.ts';
import { CreateOptions, TimingChoice } from './create-options.tsx';
import { ContextChips } from './context-chips.tsx';
import { Button, Dialog, ErrorNote, isBusy, SubjectError } from './controls.tsx';

const NODES_MAX = 9;
const PREVIEW_DELAY_MS = 150;
/** One more node than these is no safer. */
const ODD_COUNTS = [1, 3, 5, 7];

/** What an even number of voters means; null when there is nothing to say. */
function majorityNote(nodes: number): string {
  const majority = Math.floor(nodes / 2) + 1;
  const spare = nodes - majority;
  if (nodes === 1) return 'One node: nothing to fail over to.';
  const survives = spare === 0 ? 'no node may fail' : spare === 1 ? 'one node may fail' : `${spare} nodes may fail`;
  const even = nodes % 2 === 0 ? ` No safer than ${nodes - 1} nodes.` : '';
  return `Majority ${majority} of ${nodes}: ${survives}.${even}`;
}

function Preview({ spec }: { readonly spec: ClusterSpec }) {
  const plan = useSignal<PlanPreview | null>(null);
  const failed = useSignal<LauncherErrorData | null>(null);
  const key = JSON.stringify(spec);
  useEffect(() => {
    let alive = true;
    const timer = setTimeout(async () => {
      try {
        const made = await api().planCluster(spec);
        if (!alive) return;
        plan.value = made;
        failed.value = null;
      } catch (error) {
        if (alive && error instanceof LauncherError) failed.value = error.data;
      }
    }, PREVIEW_DELAY_MS);
    return () => {
      alive = false;
      clearTimeout(timer);
    };
  }, [key]);
  if (failed.value !== null) return <ErrorNote error={failed.value} />;
  if (plan.value === null) return <p class="hint">Planning…</p>;
  return (
    <>
      <table class="plan">
        <caption class="visually-hidden">Planned nodes</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col" class="number">
              gRPC
            </th>
            <th scope="col" class="number">
              HTTP
            </th>
            <th scope="col" class="number">
              internal
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.value.nodes.map((node) => (
            <tr key={node.name}>
              <th scope="row">{node.name}</th>
              <td class="number">{node.grpc}</td>
              <td class="number">{node.http}</td>
              <td class="number">{node.internal}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint path">{plan.value.dir}</p>
      <p class="hint">Timing: {presetOf(plan.value.spec).what}</p>
      <h4>Properties of {plan.value.nodes[0]?.name}</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard */}
      <section class="file-text" tabIndex={0} aria-label="Properties of the first node">
        <pre>{plan.value.properties.join('\n')}</pre>
      </section>
      {(spec.tls === true || spec.accessControl === true) && (
        <p class="hint">Tokens and certificates are made at the first start.</p>
      )}
    </>
  );
}

/** Which host name apps are told (launchers.md §3.7); anything but this computer opens the ports to other hosts. */
function AppsRun({
  spec,
  set,
}: {
  readonly spec: ClusterSpec;
  readonly set: (change: Partial<ClusterSpec> | { readonly host: undefined }) => void;
}) {
  const elsewhere = useSignal(false);
  const here = spec.host === undefined && !elsewhere.value;
  const docker = spec.host === DOCKER_HOST && !elsewhere.value;
  const choose = (host: string | undefined, other: boolean): void => {
    elsewhere.value = other;
    set(host === undefined ? { host } : { host });
  };
  return (
    <fieldset class="field">
      <legend>My app runs</legend>
      <label>
        <input type="radio" name="apps-run" checked={here} onChange={() => choose(undefined, false)} /> On this computer
      </label>
      <label>
        <input type="radio" name="apps-run" checked={docker} onChange={() => choose(DOCKER_HOST, false)} /> In Docker
      </label>
      <label>
        <input type="radio" name="apps-run" checked={elsewhere.value} onChange={() => choose(undefined, true)} />{' '}
        Elsewhere
      </label>
      {elsewhere.value && (
        <input
          type="text"
          required
          aria-label="Host name of this computer"
          placeholder="mymac.local"
          value={spec.host ?? ''}
          onInput={(event) => set({ host: event.currentTarget.value })}
        />
      )}
      {!here && <small>Its ports are open to other hosts, without a password unless access control is on.</small>}
    </fieldset>
  );
}

export function CreateDialog() {
  const form = useSignal<ClusterSpec>(firstSpec(clusters.peek() ?? []));
  const set = (change: Partial<ClusterSpec> | { readonly host: undefined }): void => {
    const { host, ...rest } = { ...form.peek(), ...change };
    form.value = host === undefined ? rest : { ...rest, host };
  };
  const scenario = useSignal('');
  const chosen = scenarios.find((one) => one.id === scenario.value);
  const applyLayout = (): void => {
    const { layout: _before, ...rest } = form.peek();
    const found = scenarios.find((one) => one.id === scenario.peek());
    form.value = found === undefined ? rest : { ...rest, ...scenarioSpec(found, rest.contexts) };
  };
  const spec = form.value;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await createAndStart(spec)) dialog.value = null;
  };
  return (
    <Dialog
      title="New cluster"
      wide
      onClose={() => {
        dialog.value = null;
      }}
    >
      <form class="create" onSubmit={(event) => void submit(event)}>
        <div class="fields">
          <label class="field">
            <span>Name</span>
            <input
              type="text"
              required
              value={spec.name}
              onInput={(event) => set({ name: event.currentTarget.value })}
            />
          </label>
          <label class="field">
            <span>Roles</span>
            <select
              value={scenario.value}
              onChange={(event) => {
                scenario.value = event.currentTarget.value;
                applyLayout();
              }}
            >
              <option value="">Every node primary</option>
              {scenarios.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.label}
                </option>
              ))}
            </select>
            {chosen !== undefined && <small>{chosen.why}</small>}
          </label>
          <label class="field">
            <span>Nodes</span>
            <input
              type="number"
              min="1"
              max={NODES_MAX}
              list="node-counts"
              required
              disabled={chosen !== undefined}
              value={spec.nodes}
              onInput={(event) =>
                set({ nodes: Math.min(NODES_MAX, Math.max(1, event.currentTarget.valueAsNumber || 1)) })
              }
            />
            <datalist id="node-counts">
              {ODD_COUNTS.map((count) => (
                <option key={count} value={count} />
              ))}
            </datalist>
            <small>{majorityNote(chosen?.roles.filter((role) => role === 'PRIMARY').length ?? spec.nodes)}</small>
          </label>
          <ContextChips
            names={spec.contexts}
            onChange={(contexts) => {
              set({ contexts });
              applyLayout();
            }}
          />
          <fieldset class="field">
            <legend>Data</legend>
            <label>
              <input type="radio" name="data" checked={spec.data === 'keep'} onChange={() => set({ data: 'keep' })} />{' '}
              Keep
            </label>
            <label>
              <input
                type="radio"
                name="data"
                checked={spec.data === 'throw-away'}
                onChange={() => set({ data: 'throw-away' })}
              />{' '}
              Throw away when stopped
            </label>
          </fieldset>
          <AppsRun spec={spec} set={set} />
          <CreateOptions
            spec={spec}
            onChange={(changed) => {
              form.value = changed;
            }}
          />
          <details>
            <summary>Ports and timing</summary>
            <label class="field">
              <span>First HTTP port</span>
              <input
                type="number"
                min="1024"
                max="65000"
                placeholder="chosen by Muster"
                value={spec.firstPort ?? ''}
                onInput={(event) =>
                  set({
                    firstPort: Number.isNaN(event.currentTarget.valueAsNumber)
                      ? null
                      : event.currentTarget.valueAsNumber,
                  })
                }
              />
            </label>
            <TimingChoice spec={spec} onChange={set} />
          </details>
        </div>
        <aside class="preview" aria-label="Plan">
          <h3>What will be started</h3>
          <Preview spec={spec} />
        </aside>
        <SubjectError subject="start" />
        <footer class="dialog-foot">
          <span class="push" />
          <Button
            onClick={() => {
              dialog.value = null;
            }}
          >
            Cancel
          </Button>
          <button type="submit" class="button primary" disabled={!connected.value || isBusy('start')}>
            Create and start
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** `HTTP 8024–8026, gRPC 8124–8126, internal 8224–8226` */
export const planPorts = (plan: ClusterPlan): string =>
  [
    ports(plan.nodes.map((node) => node.http)),
    ports(plan.nodes.map((node) => node.grpc)),
    ports(plan.nodes.map((node) => node.internal)),
  ].join(', ');
