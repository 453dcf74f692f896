// Pure: what was done in a part of the timeline as a chaos script (ux.md §10). Entry point: `timelineScript`.
import { timedWords, wordsOf } from '../contract/chaos-words.ts';
import type { TimelineEvent } from '../contract/history.ts';
import { RECORDED_LINES_MAX } from './chaos-recorder.ts';

/** For an election of the slowest timing, and for a machine that is busy. */
const LEADER_WITHIN_MS = 30_000;

/**
 * Times count from the first action. A leader elected after an action is waited for, once per context and action, so that a run goes on in
 * the state that its later actions met.
 */
export function timelineScript(cluster: string, events: readonly TimelineEvent[], from: number, to: number): string {
  const lines = [`# done to ${cluster} from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`];
  const first = events.find(({ script }) => script !== undefined)?.at;
  if (first === undefined) lines.push('# nothing that a script can repeat');
  const waitedFor = new Set<string>();
  for (const { at, mark, script, subject } of events) {
    if (first === undefined || at < first) continue;
    if (script !== undefined) {
      waitedFor.clear();
      lines.push(...timedWords(script, at - first));
    } else if (mark === 'election' && !waitedFor.has(subject)) {
      waitedFor.add(subject);
      const condition = { kind: 'leader', context: subject, afterTerm: null } as const;
      lines.push(...wordsOf({ kind: 'wait', condition, withinMs: LEADER_WITHIN_MS }));
    }
    if (lines.length >= RECORDED_LINES_MAX) {
      lines.push(`# the script ended at its limit of ${RECORDED_LINES_MAX} lines`);
      break;
    }
  }
  return `${lines.join('\n')}\n`;
}
