// Builds and runs the Java application of `java/`.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';
import { until } from '../rows/wait.ts';
import { compileWithMaven } from './maven.ts';

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

/** For programs of a few seconds. */
const QUICK_START: readonly string[] = ['-XX:TieredStopAtLevel=1'];

export type AppProperties = Readonly<Record<string, string | number>>;

/** The connector that Axon Framework 4.12.2 brings, and a newer one that applications may put in its place. */
export const CONNECTOR_OF_FRAMEWORK = '2024.2.4';
export const CONNECTORS = [CONNECTOR_OF_FRAMEWORK, '2025.2.0'];

/** The application with one version of the connector, in a folder of its own. */
export class JavaApp {
  readonly connector: string;
  readonly #target: string;

  constructor(connector: string = CONNECTOR_OF_FRAMEWORK) {
    this.connector = connector;
    this.#target = path.join(project, 'target', connector);
  }

  /** Compiles with Maven when sources are newer than the last build. */
  async build(): Promise<void> {
    const stamp = path.join(this.#target, 'built');
    if (existsSync(stamp) && statSync(stamp).mtimeMs > newestSource()) return;
    await compileWithMaven(path.join(project, 'pom.xml'), BUILD_MS_MAX, [`-Dconnector.version=${this.connector}`]);
    writeFileSync(stamp, '');
  }

  /** What follows `java` to run a main class. */
  arguments(main: string, properties: AppProperties, args: readonly string[] = [], jvm = QUICK_START): string[] {
    const classPath = [path.join(this.#target, 'classes'), path.join(this.#target, 'lib', '*')].join(path.delimiter);
    const settings = Object.entries({ 'org.slf4j.simpleLogger.defaultLogLevel': 'warn', ...properties }).map(
      ([key, value]) => `-D${key}=${value}`,
    );
    return ['-Xmx256m', ...jvm, ...settings, '-cp', classPath, `muster.compat.${main}`, ...args];
  }

  /** Runs a main class to its end. */
  run<T>(main: string, properties: AppProperties, ...args: string[]): Promise<T> {
    mkdirSync(String(properties['out'] ?? '.'), { recursive: true });
    return this.#toItsEnd(main, this.arguments(main, properties, args));
  }

  /** The same with everything that makes Java code fast after a while. */
  runWarm<T>(main: string, properties: AppProperties): Promise<T> {
    return this.#toItsEnd(main, this.arguments(main, properties, [], []));
  }

  async #toItsEnd<T>(main: string, args: readonly string[]): Promise<T> {
    const result = await run('java', args, { timeoutMs: RUN_MS_MAX });
    if (result.code !== 0) throw new Error(`${main}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return lastJson<T>(result.stdout);
  }
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

/** A main class in the background, with its output by lines and its input open. */
export class JavaProcess {
  #stdout = '';
  #stderr = '';
  #exit: number | null | undefined;
  /** An answer that comes too late is not taken for that to the next request. */
  #nextAnswer: number | null = null;
  readonly #process: ChildProcess;

  constructor(app: JavaApp, main: string, properties: AppProperties) {
    mkdirSync(String(properties['out']), { recursive: true });
    this.#process = spawn('java', app.arguments(main, properties), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-16_384);
    });
    this.#process.on('close', (code) => {
      this.#exit = code;
    });
  }

  /** Objects printed so far, one a line. */
  printed<T>(): T[] {
    const lines = this.#stdout.split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as T);
  }

  /** Fails with what the process wrote when it ends early or takes too long. */
  async until<T>(what: string, timeoutMs: number, ask: () => T | null | false): Promise<T> {
    try {
      return await until(what, timeoutMs, () => {
        const answer = ask();
        if ((answer === null || answer === false) && this.#exit !== undefined) return { ended: this.#exit };
        return answer === null || answer === false ? null : { answer };
      }).then((result) => {
        if ('ended' in result) throw new Error(`the process ended with ${result.ended} before ${what}`);
        return result.answer;
      });
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#stdout.slice(-1000)}\n${this.#stderr}`);
    }
  }

  /** One request on standard input; the answer is the next object printed. Fails when that tells of a problem, with the errors written. */
  async ask<T extends object>(request: string, timeoutMs: number): Promise<T> {
    this.#nextAnswer ??= this.printed().length;
    const place = this.#nextAnswer;
    this.#nextAnswer += 1;
    this.#process.stdin?.write(`${request}\n`);
    const what = `the answer to ${request}`;
    const answer = await this.until(
      what,
      timeoutMs,
      () => this.printed<T | { readonly problem: string }>()[place] ?? null,
    );
    if ('problem' in answer) throw new Error(`${request}: ${answer.problem}\n${this.#stderr}`);
    return answer;
  }

  /** Ends its input; resolves with its last object once it ended with 0. */
  async finish<T>(lastWord = ''): Promise<T> {
    this.#process.stdin?.end(lastWord);
    const code = await this.until('its end', RUN_MS_MAX, () => this.#exit !== undefined && { code: this.#exit });
    if (code.code !== 0) throw new Error(`it ended with ${code.code}\n${this.#stdout.slice(-1000)}\n${this.#stderr}`);
    return lastJson<T>(this.#stdout);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The load in the background, which prints how many commands are acknowledged. */
export class RunningLoad {
  readonly #process: JavaProcess;

  constructor(app: JavaApp, properties: AppProperties) {
    this.#process = new JavaProcess(app, 'LoadMain', properties);
  }

  get acked(): number {
    return this.#process.printed<{ readonly acked?: number }>().at(-1)?.acked ?? 0;
  }

  /** Waits until `count` more commands are acknowledged than now. */
  async more(count: number, timeoutMs: number): Promise<void> {
    const goal = this.acked + count;
    await this.#process.until(`${goal} acknowledged commands`, timeoutMs, () => this.acked >= goal);
  }

  stop<T>(): Promise<T> {
    return this.#process.finish<T>('stop\n');
  }

  kill(): void {
    this.#process.kill();
  }
}

export function readLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
