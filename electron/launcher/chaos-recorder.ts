// Writes down what people do to a cluster as lines of a chaos script (ux.md §11). Entry points: `ChaosRecorder`, `recordedCalls`.
import type { LauncherApi } from '../contract/api.ts';
import type { ChaosAction, RecordingView } from '../contract/chaos.ts';
import { timedWords, wordsOf } from '../contract/chaos-words.ts';

/** Lines of one recording; it ends there. */
export const RECORDED_LINES_MAX = 1000;

interface Recording {
  readonly since: number;
  running: boolean;
  readonly lines: string[];
}

export class ChaosRecorder {
  readonly #now: () => number;
  readonly #recordings = new Map<string, Recording>();

  constructor(now: () => number) {
    this.#now = now;
  }

  start(cluster: string): RecordingView {
    const since = this.#now();
    const title = `# recorded on ${cluster} at ${new Date(since).toISOString()}`;
    const made: Recording = { since, running: true, lines: [title] };
    this.#recordings.set(cluster, made);
    return viewOf(made);
  }

  /** Without a recording: an empty one. */
  stop(cluster: string): RecordingView {
    const found = this.#recordings.get(cluster);
    if (found === undefined) return { since: this.#now(), running: false, text: '' };
    found.running = false;
    return viewOf(found);
  }

  find(cluster: string): RecordingView | null {
    const found = this.#recordings.get(cluster);
    return found === undefined ? null : viewOf(found);
  }

  note(cluster: string, action: ChaosAction): void {
    const found = this.#recordings.get(cluster);
    if (found?.running !== true) return;
    found.lines.push(...timedWords(wordsOf(action), this.#now() - found.since));
    if (found.lines.length >= RECORDED_LINES_MAX) {
      found.lines.push(`# the recording ended at its limit of ${RECORDED_LINES_MAX} lines`);
      found.running = false;
    }
  }
}

function viewOf({ since, running, lines }: Recording): RecordingView {
  return { since, running, text: `${lines.join('\n')}\n` };
}

type Recorded = Pick<
  LauncherApi,
  'startCluster' | 'stopCluster' | 'actOnNode' | 'setLinks' | 'setDisk' | 'skewClock' | 'heal' | 'wait'
>;

/** The calls that a script can repeat, written down when they worked. */
export function recordedCalls(api: Recorded, recorder: ChaosRecorder): Recorded {
  const noted = async <T>(cluster: string, action: ChaosAction, work: Promise<T>): Promise<T> => {
    const result = await work;
    recorder.note(cluster, action);
    return result;
  };
  return {
    startCluster: (cluster) =>
      noted(cluster, { kind: 'node', action: 'start', target: 'all' }, api.startCluster(cluster)),
    stopCluster: (cluster, options) =>
      noted(cluster, { kind: 'node', action: 'stop', target: 'all' }, api.stopCluster(cluster, options)),
    actOnNode: (cluster, target, action) =>
      noted(cluster, { kind: 'node', target, action }, api.actOnNode(cluster, target, action)),
    setLinks: (cluster, links) => noted(cluster, { kind: 'links', links }, api.setLinks(cluster, links)),
    setDisk: (cluster, target, change) =>
      noted(cluster, { kind: 'disk', target, change }, api.setDisk(cluster, target, change)),
    skewClock: (cluster, target, skewMs) =>
      noted(cluster, { kind: 'clock', target, skewMs }, api.skewClock(cluster, target, skewMs)),
    heal: (cluster) => noted(cluster, { kind: 'heal' }, api.heal(cluster)),
    wait: (cluster, condition, timeoutMs) =>
      noted(cluster, { kind: 'wait', condition, withinMs: timeoutMs }, api.wait(cluster, condition, timeoutMs)),
  };
}
