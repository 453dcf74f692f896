// A foreign client under load in its own process: its first line says which node serves it, it is told when that node was struck, and its
// second line says what it found. Entry point: Survivor.
import { type ChildProcess, spawn } from 'node:child_process';
import { until } from '../rows/wait.ts';

export const RUN_MS_MAX = 110_000;
const STDERR_CHARS_MAX = 16_384;

export class Survivor<Found> {
  #stdout = '';
  #stderr = '';
  #exit: number | null | undefined;
  readonly #process: ChildProcess;

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-STDERR_CHARS_MAX);
    });
    this.#process.on('close', (code) => {
      this.#exit = code;
    });
  }

  async #line<T>(number: number): Promise<T> {
    const text = await until(`line ${number + 1} of the client`, RUN_MS_MAX, () => {
      const lines = this.#stdout.split('\n').slice(0, -1);
      return lines[number] ?? (this.#exit === undefined ? null : `ended with ${this.#exit}`);
    });
    if (!text.startsWith('{')) throw new Error(`the client ${text}\n${this.#stdout}\n${this.#stderr}`);
    return JSON.parse(text) as T;
  }

  async serving(): Promise<string> {
    return (await this.#line<{ readonly serving: string }>(0)).serving;
  }

  found(): Promise<Found> {
    this.#process.stdin?.end('struck\n');
    return this.#line<Found>(1);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
