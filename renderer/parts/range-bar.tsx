// Below the lanes: a part of the timeline to copy, to keep as a chaos script or to put into a bundle, and notes (ux.md §10).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { NOTE_CHARS_MAX } from '../../electron/contract/check-records.ts';
import { eventLine } from '../../electron/contract/history.ts';
import type { SavedBundle } from '../../electron/contract/manage.ts';
import { tellDone } from '../announce.ts';
import { nameProblemOf, openScript } from '../chaos.ts';
import { bytesShort, clock, clockMs, clockTenths, duration, plural } from '../format.ts';
import type { Shown } from '../lane-segments.ts';
import { NOTE_SUBJECT, pinNote, range, select, selectNothing, span } from '../past.ts';
import { api, ask, attempt, connected, go, openCluster, past, scripts, timeline, TIMELINE_MAX } from '../store.ts';
import { Button, CopyButton, Dialog, isBusy, SubjectError } from './controls.tsx';
import { closing } from './typed-name-dialog.tsx';

const SCRIPT_SUBJECT = 'range-script';
const BUNDLE_SUBJECT = 'range-bundle';
const STEPS = 240;
/** Of the shown time that a new range has. */
const FIRST_PART = 1 / 4;

const unreachable = (): string | false => !connected.value && 'No connection to the launcher';

/** Up to the shown moment. */
function selectSome(): void {
  const { from, to } = span.peek();
  const end = past.peek()?.at ?? to;
  select({ from: end - (to - from) * FIRST_PART, to: end });
}

function End({ which, selected }: { readonly which: 'from' | 'to'; readonly selected: Shown }) {
  const { from, to } = span.value;
  const name = which === 'from' ? 'Range from' : 'Range to';
  return (
    <label class="range-end">
      <span>
        {which === 'from' ? 'From' : 'To'} <time>{clockTenths(selected[which])}</time>
      </span>
      <input
        class="range-slider"
        type="range"
        aria-label={name}
        aria-valuetext={clockMs(selected[which])}
        min={Math.min(from, selected.from)}
        max={Math.max(to, selected.to)}
        step={(to - from) / STEPS}
        value={selected[which]}
        onInput={(event) => {
          const at = event.currentTarget.valueAsNumber;
          // One end stops at the other.
          if (which === 'from') select({ from: Math.min(at, selected.to), to: selected.to });
          else select({ from: selected.from, to: Math.max(at, selected.from) });
        }}
      />
    </label>
  );
}

function SaveDialog({ cluster, selected, onSaved, onClose }: SaveDialogProps) {
  const name = useSignal(`range-${new Date(selected.from).toISOString().slice(11, 19).replaceAll(':', '')}`);
  const text = useSignal<string | null>(null);
  useEffect(() => {
    void attempt(SCRIPT_SUBJECT, async () => {
      text.value = await api().timelineScript(cluster, Math.floor(selected.from), Math.ceil(selected.to));
      await ask(scripts, api().scripts());
    });
  }, [cluster, selected]);
  const problem = name.value === '' ? 'Name it first' : nameProblemOf(name.value);
  const save = async (): Promise<void> => {
    const saved = await attempt(SCRIPT_SUBJECT, async () => {
      await api().saveScript(name.peek(), text.peek() ?? '');
    });
    if (!saved) return;
    tellDone(`Script ${name.peek()} is saved.`);
    onSaved(name.peek());
    onClose();
  };
  return (
    <Dialog title="Save as chaos script" wide onClose={onClose}>
      <label class="field">
        <span>Name</span>
        <input
          type="text"
          autoFocus
          autocomplete="off"
          aria-invalid={problem !== null}
          aria-describedby="range-script-hint"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
        <small id="range-script-hint">
          {problem ??
            (scripts.value?.some((one) => one.name === name.value) ? 'There is one of that name: it is replaced.' : '')}
        </small>
      </label>
      <p class="hint">
        What was done, at its times after the first action; a leader that was elected after an action is waited for.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section class="range-script" aria-label="The script" tabIndex={0}>
        <pre>{text.value ?? 'Reading…'}</pre>
      </section>
      <SubjectError subject={SCRIPT_SUBJECT} />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          blocked={unreachable() || (problem ?? ((text.value === null || isBusy(SCRIPT_SUBJECT)) && 'Under way'))}
          onClick={() => void save()}
        >
          Save script
        </Button>
      </footer>
    </Dialog>
  );
}

interface SaveDialogProps {
  readonly cluster: string;
  readonly selected: Shown;
  readonly onSaved: (name: string) => void;
  readonly onClose: () => void;
}

function Saved({ script, bundle }: { readonly script: string | null; readonly bundle: SavedBundle | null }) {
  return (
    <>
      {script !== null && (
        <p class="range-saved">
          Script <strong>{script}</strong> is saved.{' '}
          <Button
            small
            kind="quiet"
            onClick={() => {
              go({ screen: 'cluster', name: openCluster.peek() ?? '', page: 'chaos' });
              void openScript(script);
            }}
          >
            Open it
          </Button>
        </p>
      )}
      {bundle !== null && (
        <p class="range-saved path" role="status">
          Bundle saved ({bytesShort(bundle.bytes)}): {bundle.file} <CopyButton text={bundle.file} label="Copy path" />
        </p>
      )}
    </>
  );
}

function Selected({ cluster, selected }: { readonly cluster: string; readonly selected: Shown }) {
  const saving = useSignal<Shown | null>(null);
  const script = useSignal<string | null>(null);
  const bundle = useSignal<SavedBundle | null>(null);
  const inside = timeline.value.filter(({ at }) => at >= selected.from && at <= selected.to);
  const actions = inside.filter((event) => event.script !== undefined).length;
  const first = timeline.value[0]?.at ?? 0;
  const cut = timeline.value.length >= TIMELINE_MAX && selected.from < first;
  return (
    <section class="range" aria-label="Selected range">
      <End which="from" selected={selected} />
      <End which="to" selected={selected} />
      <div class="range-row">
        <p>
          {duration(selected.to - selected.from)}: {plural(inside.length, 'event')}, {plural(actions, 'action')} that a
          script can repeat.
          {cut && <span class="hint"> Before {clock(first)} only `muster timeline` has them.</span>}
        </p>
        <span class="push" />
        {inside.length > 0 && <CopyButton text={inside.map(eventLine).join('\n')} label="Copy range as text" />}
        <Button
          small
          blocked={unreachable() || (actions === 0 && !cut && 'Nothing was done in it that a script can repeat')}
          onClick={() => {
            saving.value = selected;
          }}
        >
          Save as chaos script…
        </Button>
        <Button
          small
          blocked={unreachable() || (isBusy(BUNDLE_SUBJECT) && 'Under way')}
          onClick={() =>
            void attempt(BUNDLE_SUBJECT, async () => {
              bundle.value = await api().saveBundle(cluster, {
                from: Math.floor(selected.from),
                to: Math.ceil(selected.to),
              });
            })
          }
        >
          Export bundle
        </Button>
        <Button small kind="quiet" onClick={selectNothing}>
          Deselect
        </Button>
      </div>
      <SubjectError subject={BUNDLE_SUBJECT} />
      <Saved script={script.value} bundle={bundle.value} />
      {saving.value !== null && (
        <SaveDialog
          cluster={cluster}
          selected={saving.value}
          onSaved={(name) => {
            script.value = name;
          }}
          onClose={closing(SCRIPT_SUBJECT, () => {
            saving.value = null;
          })}
        />
      )}
    </section>
  );
}

function Note() {
  const text = useSignal('');
  const at = past.value?.at;
  const blank = text.value.trim() === '' && 'Write it first';
  return (
    <form
      class="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        const words = text.peek().trim();
        if (words === '' || !connected.peek()) return;
        void pinNote(words).then((pinned) => {
          if (pinned) text.value = '';
        });
      }}
    >
      <label>
        <span>Note at {at === undefined ? 'now' : clockMs(at)}</span>
        <input
          type="text"
          autocomplete="off"
          maxLength={NOTE_CHARS_MAX}
          placeholder="here the app lost its handler"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="button small" disabled={blank !== false || !connected.value || isBusy(NOTE_SUBJECT)}>
        Pin
      </button>
    </form>
  );
}

export function RangeBar({ cluster }: { readonly cluster: string }) {
  const selected = range.value;
  return (
    <>
      {selected !== null && <Selected cluster={cluster} selected={selected} />}
      <div class="range-row">
        {selected === null && (
          <Button small title="Or drag over the lanes with Shift" onClick={selectSome}>
            Select a range
          </Button>
        )}
        <span class="push" />
        <Note />
      </div>
      <SubjectError subject={NOTE_SUBJECT} />
    </>
  );
}
