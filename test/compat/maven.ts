// Maven as the suites call it: quiet, without questions, and patient with a network that hiccups while it fetches what it lacks.
import { type CommandResult, run } from '../rows/cli.ts';

const ATTEMPTS_MAX = 3;

/** For every call. A transfer that breaks off is tried again by Maven itself. */
export const MAVEN: readonly string[] = ['-q', '-B', '-ntp', '-Dmaven.wagon.http.retryHandler.count=3'];

/** Compiles the project of `pom`. Only a failed transfer is tried again: what does not compile fails at once. */
export async function compileWithMaven(
  pom: string,
  timeoutMs: number,
  settings: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await run('mvn', [...MAVEN, '-f', pom, ...settings, 'compile'], { timeoutMs, env });
    if (result.code === 0) return;
    if (attempt === ATTEMPTS_MAX || !isTransferFailure(result)) {
      throw new Error(`mvn compile failed:\n${result.stdout}\n${result.stderr}`);
    }
    console.warn(`mvn could not fetch everything (attempt ${attempt})`);
  }
}

function isTransferFailure({ stdout, stderr }: CommandResult): boolean {
  return /Could not transfer (artifact|metadata)|Failed to read artifact descriptor/.test(stdout + stderr);
}
