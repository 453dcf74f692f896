// What the chaos page holds: saved scripts, the text under the hands, the recording. Entry points: the signals and verbs.
import { computed, signal } from '@preact/signals';
import { SCRIPT_NAME_RULE } from '../electron/contract/check-scripts.ts';
import { readChaos } from '../electron/contract/chaos-script.ts';
import type { RecordingView, ScriptView } from '../electron/contract/chaos.ts';
import type { ClusterName } from '../electron/contract/model.ts';
import { tellDone } from './announce.ts';
import { api, attempt } from './store.ts';

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

/** null = not known yet. */
export const scripts = signal<readonly ScriptView[] | null>(null);
export const draft = signal<{ readonly name: string; readonly text: string; readonly saved: string }>({
  name: '',
  text: '',
  saved: '',
});
export const recording = signal<RecordingView | null>(null);

export const read = computed(() => readChaos(draft.value.text));
export const problems = computed(() => (draft.value.text.trim() === '' ? [] : read.value.problems));
export const unsaved = computed(() => draft.value.text !== draft.value.saved);
export const nameProblemOf = (name: string): string | null =>
  SCRIPT_NAME_RULE.test(name) ? null : '1 to 40 lower-case letters, digits and dashes; a letter or digit first.';
export const nameProblem = computed(() => (draft.value.name === '' ? null : nameProblemOf(draft.value.name)));

export function edit(change: Partial<typeof draft.value>): void {
  draft.value = { ...draft.peek(), ...change };
}

export async function loadScripts(): Promise<void> {
  await attempt(SCRIPTS_SUBJECT, async () => {
    scripts.value = await api().scripts();
  });
}

export async function openScript(name: string): Promise<void> {
  await attempt(CHAOS_SUBJECT, async () => {
    const text = await api().readScript(name);
    draft.value = { name, text, saved: text };
  });
}

export async function saveDraft(): Promise<void> {
  const { name, text } = draft.peek();
  const saved = await attempt(CHAOS_SUBJECT, async () => {
    await api().saveScript(name, text);
    edit({ saved: text });
    scripts.value = await api().scripts();
  });
  if (saved) tellDone(`Script ${name} is saved.`);
}

export const removeScript = (name: string): Promise<boolean> =>
  attempt(CHAOS_SUBJECT, async () => {
    await api().removeScript(name);
    if (draft.peek().name === name) edit({ saved: '' });
    scripts.value = await api().scripts();
  });

/** On the open cluster, unless the script starts one of its own: that one has the script's name. */
export async function runDraft(cluster: ClusterName): Promise<void> {
  const { name, text } = draft.peek();
  const title = name === '' ? 'unnamed' : name;
  const own = read.peek().steps.some((step) => step.action.kind === 'start');
  await attempt(CHAOS_SUBJECT, async () => {
    await api().runScript(own ? title : cluster, title, text);
  });
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
