// The recorded states of one cluster on disk, one JSON line per frame, bounded by two files. Entry point: `RecordingFile`.
import { LineFile } from './line-file.ts';
import { readTail } from './logs.ts';
import { type Frame, RECORDING_BYTES_MAX } from './recording.ts';

/** Two files of this size: with those of the timeline, what ux.md §10 allows per cluster. */
export const RECORDING_FILE_BYTES_MAX = RECORDING_BYTES_MAX / 2;
const UNWRITTEN_FRAMES_MAX = 2000;

export class RecordingFile {
  readonly #file: string;
  readonly #bytesMax: number;
  readonly #lines: LineFile<Frame>;

  constructor(file: string, bytesMax = RECORDING_FILE_BYTES_MAX) {
    this.#file = file;
    this.#bytesMax = bytesMax;
    this.#lines = new LineFile({
      file,
      unwrittenMax: UNWRITTEN_FRAMES_MAX,
      // Differences without what they start from are worth nothing, so a disk that hangs costs everything up to the next whole state.
      trim: (unwritten) =>
        unwritten.slice(
          Math.max(
            0,
            unwritten.findLastIndex(({ item }) => item.whole),
          ),
        ),
      // A new file begins with a whole state, so that each can be read alone.
      rotateAt: (unwritten, size) => {
        const whole = size > bytesMax ? unwritten.findIndex(({ item }) => item.whole) : -1;
        return whole < 0 ? null : whole;
      },
    });
  }

  add(frame: Frame): void {
    this.#lines.add(frame);
  }

  /** Oldest first, at most RECORDING_BYTES_MAX; a line that is cut or damaged ends its run of differences. */
  async read(): Promise<readonly Frame[]> {
    await this.flush();
    const [older, newer] = await Promise.all([
      readTail(`${this.#file}.1`, this.#bytesMax),
      readTail(this.#file, this.#bytesMax),
    ]);
    const frames: Frame[] = [];
    let usable = false;
    for (const line of `${older}\n${newer}`.split('\n')) {
      if (line === '') continue;
      const frame = parseFrame(line);
      usable = frame !== null && (frame.whole || usable);
      if (frame !== null && usable) frames.push(frame);
    }
    return frames;
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }

  /** Writes nothing more: the folder may be deleted afterwards. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}

function parseFrame(line: string): Frame | null {
  try {
    const { at, text, whole } = JSON.parse(line) as Partial<Frame>;
    if (typeof at !== 'number' || typeof text !== 'string' || typeof whole !== 'boolean') return null;
    JSON.parse(text);
    return { at, text, whole };
  } catch {
    return null;
  }
}
