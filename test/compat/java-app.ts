// Builds and runs the Java application of `java/`.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';
import { until } from '../rows/wait.ts';

const project = path.join(root, 'test', 'compat', 'java');
const BUILD_MS_MAX = 500_000;
const RUN_MS_MAX = 150_000;

function newestSource(): number {
  const files = readdirSync(path.join(project, 'src'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const times = files.map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  return Math.max(statSync(path.join(project, 'pom.xml')).mtimeMs, ...times);
}

/** Compiles with Maven when sources are newer than the last build. */
export async function buildApp(): Promise<void> {
  const stamp = path.join(project, 'target', 'built');
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newestSource()) return;
  const result = await run('mvn', ['-q', '-B', '-ntp', '-f', path.join(project, 'pom.xml'), 'compile'], {
    timeoutMs: BUILD_MS_MAX,
  });
  if (result.code !== 0) throw new Error(`mvn compile failed:\n${result.stdout}\n${result.stderr}`);
  writeFileSync(stamp, '');
}

export type AppProperties = Readonly<Record<string, string | number>>;

function javaArguments(main: string, properties: AppProperties, args: readonly string[]): string[] {
  const classPath = [path.join(project, 'target', 'classes'), path.join(project, 'target', 'lib', '*')].join(
    path.delimiter,
  );
  const settings = Object.entries({ 'org.slf4j.simpleLogger.defaultLogLevel': 'warn', ...properties }).map(
    ([key, value]) => `-D${key}=${value}`,
  );
  return ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...settings, '-cp', classPath, `muster.compat.${main}`, ...args];
}

/** The object on the last line that is one. */
function lastJson<T>(text: string): T {
  const line = text
    .trimEnd()
    .split('\n')
    .reverse()
    .find((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new Error(`no JSON in: ${text}`);
  return JSON.parse(line) as T;
}

/** Runs a main class to its end. */
export async function runApp<T>(main: string, properties: AppProperties, ...args: string[]): Promise<T> {
  mkdirSync(String(properties['out'] ?? '.'), { recursive: true });
  const result = await run('java', javaArguments(main, properties, args), { timeoutMs: RUN_MS_MAX });
  if (result.code !== 0) throw new Error(`${main}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  return lastJson<T>(result.stdout);
}

/** The load in the background: `acked` grows as it prints. */
export class RunningLoad {
  acked = 0;
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';
  #exit: number | null | undefined;

  constructor(properties: AppProperties) {
    mkdirSync(String(properties['out']), { recursive: true });
    this.#process = spawn('java', javaArguments('LoadMain', properties, []), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout = `${this.#stdout}${chunk.toString()}`.slice(-4096);
      const counts = [...this.#stdout.matchAll(/^\{"acked":(\d+)\}$/gm)];
      this.acked = Number(counts.at(-1)?.[1] ?? this.acked);
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-16_384);
    });
    this.#process.on('exit', (code) => {
      this.#exit = code;
    });
  }

  /** Waits until `count` more commands are acknowledged than now. */
  async more(count: number, timeoutMs: number): Promise<void> {
    const goal = this.acked + count;
    await until(`${goal} acknowledged commands`, timeoutMs, () => {
      if (this.#exit !== undefined) throw new Error(`the load ended with ${this.#exit}`);
      return this.acked >= goal;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; at ${this.acked}\n${this.#stdout.slice(-400)}\n${this.#stderr}`);
    });
  }

  async stop<T>(): Promise<T> {
    this.#process.stdin?.end('stop\n');
    await until('the load to end', RUN_MS_MAX, () => this.#exit !== undefined);
    if (this.#exit !== 0) throw new Error(`the load ended with ${this.#exit}\n${this.#stdout}\n${this.#stderr}`);
    return lastJson<T>(this.#stdout);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

export function readLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
