// What keys, palette, header and status bar could not do stands on the overview, beside its subject; on the other pages, here.
import type { ClusterView } from '../../electron/contract/model.ts';
import { startCluster } from '../actions.ts';
import { NOTE_SUBJECT } from '../past.ts';
import { dialog, errors, logNode } from '../store.ts';
import { SubjectError } from './controls.tsx';
import { StartErrorButtons } from './error-buttons.tsx';

const subjects: ReadonlySet<string> = new Set(['cluster', 'links', 'context', 'nodes', NOTE_SUBJECT]);

/** Shown by the page itself. */
const own: Readonly<Record<string, (subject: string) => boolean>> = {
  overview: (subject) => subject !== NOTE_SUBJECT,
  timeline: (subject) => subject === NOTE_SUBJECT,
  logs: (subject) => subject === `node:${logNode.value}`,
};

export function ElsewhereErrors({ page, view }: { readonly page: string; readonly view: ClusterView }) {
  // A dialog shows its own.
  if (dialog.value !== null) return null;
  return Object.keys(errors.value)
    .filter((subject) => subjects.has(subject) || subject.startsWith('node:'))
    .filter((subject) => own[page]?.(subject) !== true)
    .map((subject) => (
      <SubjectError key={subject} subject={subject}>
        {subject === 'cluster' && (
          <StartErrorButtons view={view} error={errors.value[subject]} retry={() => void startCluster(view.name)} />
        )}
      </SubjectError>
    ));
}
