// What the chaos page holds: saved scripts, the text under the hands, the recording. Entry points: the signals and verbs.
import { computed, signal } from '@preact/signals';
import { SCRIPT_NAME_RULE } from '../electron/contract/check-scripts.ts';
import { readChaos } from '../electron/contract/chaos-script.ts';
import type { RecordingView } from '../electron/contract/chaos.ts';
import type { ClusterName } from '../electron/contract/model.ts';
import { tellDone } from './announce.ts';
import { api, ask, attempt, scripts } from './store.ts';

export const CHAOS_SUBJECT = 'chaos';
/** Apart from the commands: reading the list keeps nobody from running what is in the editor. */
export const SCRIPTS_SUBJECT = 'scripts';

export const EXAMPLE = `# Kill the leader under load: nothing that was confirmed may be lost.
load default rate=50/s
at +1s kill leader(default)
wait leader(default) within 30s
at +4s start all
wait caught-up all within 60s
assert lost-acknowledged = 0
`;

interface Draft {
  readonly name: string;
  readonly text: string;
  readonly saved: string;
  /** The saved script that it is of; null: of none yet. */
  readonly origin: { readonly name: string; readonly savedAt: string } | null;
}

const none: Draft = { name: '', text: '', saved: '', origin: null };
export const draft = signal<Draft>(none);
export const recording = signal<RecordingView | null>(null);

export const read = computed(() => readChaos(draft.value.text));
export const problems = computed(() => (draft.value.text.trim() === '' ? [] : read.value.problems));
/** What is saved now under the name of the script in the editor; undefined: nothing, or it has another name since. */
const kept = computed(() => {
  const { name, origin } = draft.value;
  return origin?.name === name ? scripts.value?.find((one) => one.name === name) : undefined;
});
export const unsaved = computed(() => {
  const { text, saved, origin } = draft.value;
  return text !== saved || (origin !== null && scripts.value !== null && kept.value === undefined);
});
/** Another window or a command saved it since it was opened or saved here. */
export const savedElsewhere = computed(() => (kept.value?.savedAt ?? '') > (draft.value.origin?.savedAt ?? ''));
export const nameProblemOf = (name: string): string | null =>
  SCRIPT_NAME_RULE.test(name) ? null : '1 to 40 lower-case letters, digits and dashes; a letter or digit first.';
export const nameProblem = computed(() => (draft.value.name === '' ? null : nameProblemOf(draft.value.name)));

export function edit(change: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...change };
}

/** Another text into the editor, which no saved script has yet. */
export const begin = (text: string): void => edit({ ...none, text });

export async function loadScripts(): Promise<void> {
  await attempt(SCRIPTS_SUBJECT, async () => {
    await ask(scripts, api().scripts());
  });
}

export async function openScript(name: string): Promise<void> {
  await attempt(CHAOS_SUBJECT, async () => {
    await ask(scripts, api().scripts());
    const origin = scripts.peek()?.find((one) => one.name === name) ?? null;
    const text = await api().readScript(name);
    draft.value = { name, text, saved: text, origin };
  });
}

export async function saveDraft(): Promise<void> {
  const { name, text } = draft.peek();
  const saved = await attempt(CHAOS_SUBJECT, async () => {
    edit({ saved: text, origin: await api().saveScript(name, text) });
    await ask(scripts, api().scripts());
  });
  if (saved) tellDone(`Script ${name} is saved.`);
}

export const removeScript = (name: string): Promise<boolean> =>
  attempt(CHAOS_SUBJECT, async () => {
    await api().removeScript(name);
    await ask(scripts, api().scripts());
  });

export const runDraft = (cluster: ClusterName): Promise<boolean> => {
  const { name, text } = draft.peek();
  return attempt(CHAOS_SUBJECT, () => run(cluster, name === '' ? 'unnamed' : name, text));
};

/** Leaves the editor as it is. */
export const runSaved = (cluster: ClusterName, name: string): Promise<boolean> =>
  attempt(CHAOS_SUBJECT, async () => run(cluster, name, await api().readScript(name)));

/** On the cluster, unless the script starts one of its own: that one has the script's name. */
async function run(cluster: ClusterName, title: string, text: string): Promise<void> {
  const own = readChaos(text).steps.some((step) => step.action.kind === 'start');
  await api().runScript(own ? title : cluster, title, text);
}

export const record = (cluster: ClusterName, on: boolean): Promise<boolean> =>
  attempt(CHAOS_SUBJECT, async () => {
    recording.value = await api().record(cluster, on);
  });

export async function loadRecording(cluster: ClusterName): Promise<void> {
  recording.value = await api()
    .recording(cluster)
    .catch(() => null);
}
