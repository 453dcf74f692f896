// Builds and runs the Java application of `java5/`, which needs a JDK of version 21 or higher.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../rows/cli.ts';
import { root } from '../rows/test-node.ts';
import { compileWithMaven } from './maven.ts';

const project = path.join(root, 'test', 'compat', 'java5');
const BUILD_MS_MAX = 500_000;
const RUN_MS_MAX = 180_000;
export const JAVA_VERSION_MIN = 21;
/** Where packages of Linux distributions put JDKs. */
const SHARED_FOLDER = path.join(path.sep, 'usr', 'lib', 'jvm');

/** Feature version of the JDK in the folder, 0 when there is none. */
function versionOf(home: string): number {
  const release = path.join(home, 'release');
  if (!existsSync(release) || !existsSync(path.join(home, 'bin', 'javac'))) return 0;
  return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(release, 'utf8'))?.[1] ?? 0);
}

/** Home of a JDK that is new enough: JAVA_HOME, else the newest installed; null when there is none. */
export function findJdk(): string | null {
  const shared = existsSync(SHARED_FOLDER)
    ? readdirSync(SHARED_FOLDER).map((name) => path.join(SHARED_FOLDER, name))
    : [];
  const installed = shared.sort((a, b) => versionOf(b) - versionOf(a));
  const homes = [process.env['JAVA_HOME'] ?? '', ...installed];
  return homes.find((home) => home !== '' && versionOf(home) >= JAVA_VERSION_MIN) ?? null;
}

function newestSource(): number {
  const files = readdirSync(path.join(project, 'src'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const times = files.map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  return Math.max(statSync(path.join(project, 'pom.xml')).mtimeMs, ...times);
}

/** Compiles with Maven when sources are newer than the last build. */
export async function buildApp(jdk: string): Promise<void> {
  const stamp = path.join(project, 'target', 'built');
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newestSource()) return;
  await compileWithMaven(path.join(project, 'pom.xml'), BUILD_MS_MAX, [], { ...process.env, JAVA_HOME: jdk });
  writeFileSync(stamp, '');
}

/** Runs a main class to its end; answers the JSON object on its last line. */
export async function runApp<T>(
  jdk: string,
  main: string,
  properties: Readonly<Record<string, string | number | boolean>>,
): Promise<T> {
  const classPath = [path.join(project, 'target', 'classes'), path.join(project, 'target', 'lib', '*')].join(
    path.delimiter,
  );
  const settings = Object.entries({ 'org.slf4j.simpleLogger.defaultLogLevel': 'error', ...properties });
  const args = [
    '-Xmx256m',
    '-XX:TieredStopAtLevel=1',
    ...settings.map(([key, value]) => `-D${key}=${value}`),
    '-cp',
    classPath,
    `muster.compat5.${main}`,
  ];
  const result = await run(path.join(jdk, 'bin', 'java'), args, { timeoutMs: RUN_MS_MAX });
  const line = result.stdout.trimEnd().split('\n').at(-1) ?? '';
  if (result.code !== 0 || !line.startsWith('{'))
    throw new Error(`${main}: exit ${result.code}\n${result.stdout.slice(-4000)}\n${result.stderr.slice(-4000)}`);
  return JSON.parse(line) as T;
}
