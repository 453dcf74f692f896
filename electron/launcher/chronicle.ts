// What happened to one cluster, in words on disk and as states in memory. Entry point: `Chronicle`.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { ChaosAction } from '../contract/chaos.ts';
import { wordsOf } from '../contract/chaos-words.ts';
import { eventLine } from '../contract/history.ts';
import type { HistoryView, PastView, TimelineEvent, TimelineMark } from '../contract/history.ts';
import type { ClusterView } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { LostHandlers } from './lost-handlers.ts';
import { Recording, RECORDING_BYTES_MAX } from './recording.ts';
import { RecordingFile } from './recording-file.ts';
import { describeChanges, Timeline } from './timeline.ts';
import { timelineScript } from './timeline-script.ts';

export class Chronicle {
  readonly #cluster: string;
  readonly #now: () => number;
  readonly #timeline: Timeline;
  readonly #recording: Recording;
  readonly #file: RecordingFile;
  readonly #lost = new LostHandlers();
  #restored: Promise<void> | null = null;

  constructor(cluster: string, dir: string, now: () => number, onEvent: (event: TimelineEvent) => void) {
    this.#cluster = cluster;
    this.#now = now;
    this.#timeline = new Timeline(path.join(dir, 'timeline.jsonl'), onEvent);
    this.#file = new RecordingFile(path.join(dir, 'history.jsonl'));
    this.#recording = new Recording(RECORDING_BYTES_MAX, (frame) => this.#file.add(frame));
  }

  /** `action`: what a script does to repeat it. */
  tell(kind: TimelineEvent['kind'], subject: string, text: string, mark?: TimelineMark, action?: ChaosAction): void {
    const script = action === undefined ? [] : wordsOf(action);
    this.#timeline.add({
      at: this.#now(),
      cluster: this.#cluster,
      kind,
      subject,
      text,
      ...(mark === undefined ? {} : { mark }),
      ...(script.length === 0 ? {} : { script }),
    });
  }

  /** Pins words to a moment that is not in the future. */
  note(at: number, text: string): TimelineEvent {
    const event: TimelineEvent = {
      at: Math.min(at, this.#now()),
      cluster: this.#cluster,
      kind: 'note',
      subject: this.#cluster,
      text,
      mark: 'note',
      id: `note-${randomBytes(4).toString('hex')}`,
    };
    this.#timeline.add(event);
    return event;
  }

  /** Fails with NOTE_NOT_FOUND. */
  async editNote(id: string, text: string): Promise<TimelineEvent> {
    const event = { ...(await this.#noteOf(id)), text };
    this.#timeline.add(event);
    return event;
  }

  /** Fails with NOTE_NOT_FOUND. */
  async removeNote(id: string): Promise<void> {
    this.#timeline.add({ ...(await this.#noteOf(id)), text: '', removed: true });
  }

  async #noteOf(id: string): Promise<TimelineEvent> {
    const found = (await this.#timeline.since(0)).find((event) => event.id === id);
    if (found === undefined) {
      throw launcherError(
        'NOTE_NOT_FOUND',
        `The timeline of ${this.#cluster} has no note ${id}.`,
        'It was never pinned, or removed, or is older than what the timeline shows.',
        ['Find it: muster timeline'],
      );
    }
    return found;
  }

  /** What happened between two moments as text, and what was done as a chaos script. */
  async part(from: number, to: number): Promise<{ readonly text: string; readonly script: string }> {
    const events = (await this.#timeline.since(from)).filter((event) => event.at <= to);
    const text = events.map((event) => `${eventLine(event)}\n`).join('');
    return { text, script: timelineScript(this.#cluster, events, from, to) };
  }

  changed(before: ClusterView, after: ClusterView, now: number): void {
    const changes = [...describeChanges(before, after, now), ...this.#lost.observe(after, now)];
    for (const change of changes) {
      this.#timeline.add(change);
    }
    const notable =
      changes.length > 0 ||
      before.state !== after.state ||
      before.faults !== after.faults ||
      before.diskFaults !== after.diskFaults ||
      before.clockFaults !== after.clockFaults ||
      before.pace?.since !== after.pace?.since ||
      before.warnings !== after.warnings;
    this.#recording.offer(after, now, notable);
  }

  since(at: number): Promise<readonly TimelineEvent[]> {
    return this.#timeline.since(at);
  }

  async history(): Promise<HistoryView> {
    await this.#restore();
    return this.#recording.history;
  }

  /** Fails with NOT_RECORDED. */
  async past(at: number): Promise<PastView> {
    await this.#restore();
    const found = this.#recording.viewAt(at);
    if (found === null) {
      throw launcherError(
        'NOT_RECORDED',
        `No past of ${this.#cluster} is recorded.`,
        'States are recorded while it runs.',
        [`Start the cluster: muster up ${this.#cluster}`],
      );
    }
    return found;
  }

  /** Before its files are deleted: nothing of before is written any more or told again. */
  async forget(): Promise<void> {
    await Promise.all([this.#timeline.flush(), this.#file.flush()]);
    this.#recording.clear();
    this.#restored = Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.all([this.#timeline.close(), this.#file.close()]);
  }

  /** What earlier runs left on disk, once, and only when somebody looks back. */
  #restore(): Promise<void> {
    this.#restored ??= this.#file.read().then((frames) => this.#recording.restore(frames));
    return this.#restored;
  }
}
