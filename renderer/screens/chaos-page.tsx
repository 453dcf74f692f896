// Chaos scripts: saved ones, an editor, a recording of what people do, and runs step by step (ux.md §11).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import {
  begin,
  CHAOS_SUBJECT,
  draft,
  edit,
  EXAMPLE,
  loadRecording,
  loadScripts,
  nameProblem,
  openScript,
  problems,
  read,
  record,
  recording,
  removeScript,
  runDraft,
  saveDraft,
  savedElsewhere,
  SCRIPTS_SUBJECT,
  unsaved,
} from '../chaos.ts';
import { ago, plural, seconds } from '../format.ts';
import { Button, isBusy, SubjectError } from '../parts/controls.tsx';
import { ScriptEditor } from '../parts/script-editor.tsx';
import { ScriptRun } from '../parts/script-run.tsx';
import { closing, TypedNameDialog } from '../parts/typed-name-dialog.tsx';
import { commandsBlocked, connected, now, runs, scripts, wall } from '../store.ts';

const actionsIn = (text: string): number =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;

function Saved({ onDelete }: { readonly onDelete: (name: string) => void }) {
  const all = scripts.value;
  if (all === null) return null;
  return (
    <nav class="script-list" aria-label="Saved scripts">
      <Button small kind="quiet" onClick={() => begin('')}>
        New script
      </Button>
      <Button small kind="quiet" onClick={() => begin(EXAMPLE)}>
        Use the example
      </Button>
      {all.length === 0 ? (
        <p class="hint">No saved script yet.</p>
      ) : (
        <ul>
          {all.map((one) => (
            <li key={one.name}>
              <button
                type="button"
                class="script-name"
                aria-current={one.name === draft.value.name ? 'true' : undefined}
                onClick={() => void openScript(one.name)}
              >
                {one.name} <span class="hint">{ago(one.savedAt, now.value)}</span>
              </button>
              <Button small kind="quiet" aria-label={`Delete script ${one.name}`} onClick={() => onDelete(one.name)}>
                ✕
              </Button>
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

function Recorder({ view, blocked }: { readonly view: ClusterView; readonly blocked: string | false }) {
  const found = recording.value;
  if (found?.running !== true) {
    return (
      <div class="recorder">
        <Button
          small
          blocked={view.state === 'stopped' ? 'The cluster is stopped' : blocked}
          onClick={() => void record(view.name, true)}
        >
          ● Record
        </Button>
        {found === null || actionsIn(found.text) === 0 ? (
          <span class="hint">What you then kill, cut, freeze or heal becomes lines of a script.</span>
        ) : (
          <>
            <span>{plural(actionsIn(found.text), 'recorded line')}.</span>
            <Button small kind="primary" onClick={() => begin(found.text)}>
              Put it into the editor
            </Button>
          </>
        )}
      </div>
    );
  }
  return (
    <div class="recorder is-on">
      <strong>● Recording</strong>
      <span>
        for {seconds(wall.value - found.since)}: {plural(actionsIn(found.text), 'line')}. Go on with any page or
        command.
      </span>
      <Button
        small
        kind="primary"
        blocked={blocked}
        onClick={() =>
          void record(view.name, false).then((ended) => {
            const text = recording.peek()?.text ?? '';
            if (ended && !unsaved.peek()) begin(text);
          })
        }
      >
        End recording
      </Button>
    </div>
  );
}

function Editor({ view, blocked }: { readonly view: ClusterView; readonly blocked: string | false }) {
  const { name, text } = draft.value;
  const empty = text.trim() === '';
  const wrong = empty ? 'The script is empty' : problems.value.length > 0 && 'The script has problems';
  const own = read.value.steps.some((step) => step.action.kind === 'start');
  const running = runs.value.some((run) => run.state === 'running' && run.cluster === view.name);
  const stopped = !own && view.state === 'stopped' && 'The cluster is stopped';
  const unnamed = own && name === '' && 'It starts a cluster of its own: name the script first';
  return (
    <div class="script-main">
      <div class="script-head">
        <label>
          <span>Name</span>
          <input
            type="text"
            autocomplete="off"
            placeholder="kill-the-leader"
            aria-invalid={nameProblem.value !== null}
            aria-describedby="script-hint"
            value={name}
            onInput={(event) => edit({ name: event.currentTarget.value })}
          />
        </label>
        <Button
          small
          blocked={nameProblem.value ?? (name === '' ? 'Name it first' : !unsaved.value && 'Nothing to save')}
          onClick={() => void saveDraft()}
        >
          Save
        </Button>
        <Button
          small
          kind="primary"
          blocked={blocked || wrong || unnamed || stopped || (running && 'A script runs already')}
          onClick={() => void runDraft(view.name)}
        >
          Run
        </Button>
        <span class="hint" id="script-hint">
          {nameProblem.value ??
            (own ? `It starts a cluster of its own, ${name === '' ? 'named after the script' : name}.` : '')}
          {unsaved.value && !empty ? ' Not saved.' : ''}
        </span>
        {savedElsewhere.value && !isBusy(CHAOS_SUBJECT) && (
          <span role="status">
            {name} was saved elsewhere meanwhile.{' '}
            <Button small onClick={() => void openScript(name)}>
              Take that one
            </Button>
          </span>
        )}
      </div>
      <ScriptEditor text={text} problems={problems.value} onInput={(next) => edit({ text: next })} />
    </div>
  );
}

export function ChaosPage({ view }: { readonly view: ClusterView }) {
  const deleting = useSignal<string | null>(null);
  const second = Math.floor(wall.value / 1000);
  useEffect(() => {
    if (connected.value) void loadScripts();
  }, [connected.value]);
  useEffect(() => {
    if (connected.value) void loadRecording(view.name);
  }, [view.name, second, connected.value]);
  const blocked = commandsBlocked.value ?? (isBusy(CHAOS_SUBJECT) && 'Under way');
  const newer = savedElsewhere.value && !unsaved.value && !isBusy(CHAOS_SUBJECT);
  useEffect(() => {
    if (newer) void openScript(draft.peek().name);
  }, [newer]);
  const run = runs.value.find((one) => one.cluster === view.name || one.title === draft.value.name);
  const close = closing(CHAOS_SUBJECT, () => {
    deleting.value = null;
  });
  return (
    <section class="panel chaos-page" aria-labelledby="chaos-heading" aria-busy={scripts.value === null}>
      <header class="panel-head">
        <h2 id="chaos-heading">Chaos scripts</h2>
        <Recorder view={view} blocked={blocked} />
      </header>
      <SubjectError subject={SCRIPTS_SUBJECT} />
      {deleting.value === null && <SubjectError subject={CHAOS_SUBJECT} />}
      <div class="chaos-grid">
        <Saved
          onDelete={(name) => {
            deleting.value = name;
          }}
        />
        <Editor view={view} blocked={blocked} />
      </div>
      {run !== undefined && <ScriptRun run={run} shown={view.name} />}
      {deleting.value !== null && (
        <TypedNameDialog
          title={`Delete script ${deleting.value}?`}
          name={deleting.value}
          subject={CHAOS_SUBJECT}
          keepWords="Keep it"
          actWords="Delete script"
          act={async () => {
            if (await removeScript(deleting.peek() ?? '')) close();
          }}
          onClose={close}
        >
          <p>The script is deleted. Clusters and their data stay.</p>
        </TypedNameDialog>
      )}
    </section>
  );
}
