// What keys, palette, header and status bar could not do stands on the overview, beside its subject; on the other pages, here.
import { NOTE_SUBJECT } from '../past.ts';
import { dialog, errors, logNode } from '../store.ts';
import { SubjectError } from './controls.tsx';

const subjects: ReadonlySet<string> = new Set(['cluster', 'links', 'context', 'nodes', NOTE_SUBJECT]);

/** Shown by the page itself. */
const own: Readonly<Record<string, (subject: string) => boolean>> = {
  overview: (subject) => subject !== NOTE_SUBJECT,
  timeline: (subject) => subject === NOTE_SUBJECT,
  logs: (subject) => subject === `node:${logNode.value}`,
};

export function ElsewhereErrors({ page }: { readonly page: string }) {
  // A dialog shows its own.
  if (dialog.value !== null) return null;
  return Object.keys(errors.value)
    .filter((subject) => subjects.has(subject) || subject.startsWith('node:'))
    .filter((subject) => own[page]?.(subject) !== true)
    .map((subject) => <SubjectError key={subject} subject={subject} />);
}
