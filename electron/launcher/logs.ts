// Log of one node: every line raw in a rotated file, the newest in memory, marks for start, kill and exit (ux.md §7).
// May not know why a line was written. Entry point: `NodeLog`.
import { appendFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LogLine, NodeName } from '../contract/model.ts';
import { FormingNoise } from './forming-noise.ts';

export const RING_LINES_MAX = 20_000;
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
export const FILES_MAX = 5;
/** A longer line is cut in memory; the file keeps all of it. */
export const LINE_CHARS_MAX = 16 * 1024;
/** Lines given to subscribers at once; what is more is skipped and said so. */
export const PUSH_LINES_MAX = 5000;
const PUSH_INTERVAL_MS = 100;
/** When the disk is slower than the engine talks: older unwritten text is dropped and said so. */
const UNWRITTEN_CHARS_MAX = 8 * 1024 * 1024;
const RELOAD_BYTES = 512 * 1024;

type Level = LogLine['level'];
const LEVELS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error', 'raw', 'mark']);

export class NodeLog {
  readonly #node: NodeName;
  readonly #file: string;
  readonly #push: (lines: readonly LogLine[]) => void;
  readonly #noise = new FormingNoise();
  #ring: LogLine[] = [];
  #pushed = 0;
  #nextSeq = 1;
  #partial = '';
  #unwritten = '';
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #loaded = false;

  constructor(node: NodeName, file: string, push: (lines: readonly LogLine[]) => void) {
    this.#node = node;
    this.#file = file;
    this.#push = push;
  }

  /** Text as it came out of the process, in any pieces. */
  append(chunk: string, now: number): void {
    this.#write(chunk);
    const lines = (this.#partial + chunk).split('\n');
    this.#partial = lines.pop() ?? '';
    if (this.#partial.length > LINE_CHARS_MAX) {
      lines.push(this.#partial);
      this.#partial = '';
    }
    for (const line of lines) {
      if (line.trim() !== '') {
        this.#add(parseLine(line, now));
      }
    }
  }

  /** A line of the launcher's own: "started (pid 4711)", "killed by you". */
  mark(text: string, now: number): void {
    if (this.#partial !== '') {
      this.append('\n', now);
    }
    this.#write(`${JSON.stringify({ ts: new Date(now).toISOString(), level: 'mark', node: this.#node, text })}\n`);
    this.#add({ at: now, level: 'mark', context: null, code: null, text });
  }

  /** The newest lines; after a restart of the launcher, those of the file. */
  async tail(count: number): Promise<readonly LogLine[]> {
    if (!this.#loaded && this.#ring.length === 0) {
      await this.#reload();
    }
    this.#loaded = true;
    return count === 0 ? [] : this.#ring.slice(-count);
  }

  /** Texts of the last lines the engine wrote, without marks. */
  lastTexts(count: number): readonly string[] {
    return this.#ring
      .slice(-200)
      .filter((line) => line.level !== 'mark')
      .slice(-count)
      .map((line) => line.text);
  }

  /** Everything handed over so far is pushed and in the file. */
  async flush(): Promise<void> {
    this.#pushNow();
    while (this.#writing !== null) {
      await this.#writing;
    }
  }

  #add(line: Omit<LogLine, 'seq'>): void {
    this.#keep(line);
    // Trim in slabs: removing one by one would move the whole array for every line.
    if (this.#ring.length > RING_LINES_MAX + 1000) {
      this.#ring = this.#ring.slice(-RING_LINES_MAX);
    }
    this.#timer ??= setTimeout(() => this.#pushNow(), PUSH_INTERVAL_MS);
  }

  #keep(line: Omit<LogLine, 'seq'>): void {
    const harmless = this.#noise.reasonOf(line);
    this.#ring.push({ seq: this.#nextSeq, ...line, ...(harmless === null ? {} : { harmless }) });
    this.#nextSeq += 1;
  }

  #pushNow(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    const fresh = this.#ring.filter((line) => line.seq > this.#pushed);
    const skipped = this.#nextSeq - 1 - this.#pushed - Math.min(fresh.length, PUSH_LINES_MAX);
    this.#pushed = this.#nextSeq - 1;
    const shown = fresh.slice(-PUSH_LINES_MAX);
    const first = shown[0];
    if (first === undefined) {
      return;
    }
    const note: readonly LogLine[] =
      skipped <= 0
        ? []
        : [
            {
              seq: first.seq - 1,
              at: first.at,
              level: 'mark',
              context: null,
              code: null,
              text: `… ${skipped} lines skipped`,
            },
          ];
    this.#push([...note, ...shown]);
  }

  #write(text: string): void {
    this.#unwritten += text;
    if (this.#unwritten.length > UNWRITTEN_CHARS_MAX) {
      const kept = this.#unwritten.slice(-UNWRITTEN_CHARS_MAX / 2);
      const dropped = this.#unwritten.length - kept.length;
      this.#unwritten = `\n{"level":"mark","text":"… ${dropped} characters not written: the disk is too slow"}\n${kept}`;
    }
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      // Not recursive: a cluster folder that was deleted must not come back because of a last line.
      await mkdir(path.dirname(this.#file)).catch(() => undefined);
      while (this.#unwritten !== '') {
        const text = this.#unwritten;
        this.#unwritten = '';
        await rotateIfFull(this.#file, text.length);
        await appendFile(this.#file, text);
      }
    } catch (error) {
      // A full or read-only disk must not stop the launcher: the lines stay in memory, and the pane says so.
      this.#unwritten = '';
      this.#add({
        at: Date.now(),
        level: 'mark',
        context: null,
        code: 'LOG_NOT_WRITTEN',
        text: `The log file cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      });
    } finally {
      this.#writing = null;
    }
  }

  async #reload(): Promise<void> {
    const lines = (await readTail(this.#file, RELOAD_BYTES)).split('\n');
    for (const line of lines) {
      if (line.trim() !== '') {
        this.#keep(parseLine(line, 0));
      }
    }
    this.#pushed = this.#nextSeq - 1;
  }
}

/** The engine writes `{ts, level, node, context, code, text}`; anything else is shown as it is. */
export function parseLine(line: string, now: number): Omit<LogLine, 'seq'> {
  const raw = {
    at: now,
    level: 'raw' as Level,
    context: null,
    code: null,
    text: line.slice(0, LINE_CHARS_MAX).trimEnd(),
  };
  if (!line.startsWith('{') || line.length > LINE_CHARS_MAX) {
    return raw;
  }
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line);
  } catch {
    return raw;
  }
  const { ts, level, context, code, text } = value;
  if (typeof text !== 'string') {
    return raw;
  }
  const at = typeof ts === 'number' ? ts : typeof ts === 'string' ? Date.parse(ts) : Number.NaN;
  return {
    at: Number.isFinite(at) ? at : now,
    level: typeof level === 'string' && LEVELS.has(level) ? (level as Level) : 'info',
    context: typeof context === 'string' ? context : null,
    code: typeof code === 'string' ? code : null,
    text,
  };
}

/** `node.log`, then `node.log.1` … `node.log.4`, oldest last. */
async function rotateIfFull(file: string, added: number): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size === 0 || size + added <= FILE_BYTES_MAX) {
    return;
  }
  await rm(`${file}.${FILES_MAX - 1}`, { force: true });
  for (let number = FILES_MAX - 2; number >= 1; number -= 1) {
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(() => undefined);
  }
  await rename(file, `${file}.1`);
}

/** The last `bytes` of a file, from the first whole line on; empty when there is no file. */
export async function readTail(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) {
    return '';
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    await handle.read(buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8');
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await handle.close();
  }
}
