// Process entry: `engine <axonserver.properties>`. Reads the file, starts the node, stops on request, exits with a code that says why.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseSettings, type ParsedSettings } from './config/settings.ts';
import { ExitCode, type SettingsReport } from './control/protocol.ts';
import { ControlChannel, sendFatal } from './control/channel.ts';
import { EngineNode } from './node.ts';
import { StartError } from './start-error.ts';
import { createEnv, createLogger } from './util/log.ts';
import { WallClock } from './util/wall-clock.ts';

/** A properties file larger than this is not one. */
const PROPERTIES_BYTES_MAX = 1024 * 1024;
/** The process ends by force when a graceful stop takes longer. */
const STOP_LIMIT_MS = 9_000;
/** Without a launcher nobody waits for a graceful end; the store survives any. */
const ORPHAN_STOP_LIMIT_MS = 1_500;

async function main(): Promise<void> {
  // The reader of the log may be gone before this process is: a line that cannot be written is no reason to fail.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const file = process.argv[2];
  if (file === undefined)
    return refuse(ExitCode.BAD_CONFIGURATION, 'NO_PROPERTIES_FILE', 'No properties file given.', [
      'Start as: engine <axonserver.properties>',
    ]);
  const path = resolve(file);
  let parsed: ParsedSettings;
  try {
    const text = readFileSync(path);
    if (text.length > PROPERTIES_BYTES_MAX)
      throw new Error(`it has ${text.length} bytes, ${PROPERTIES_BYTES_MAX} at most`);
    parsed = parseSettings(text.toString('latin1'), process.env, { machineHostName: hostname() });
  } catch (error) {
    return refuse(
      ExitCode.BAD_CONFIGURATION,
      'PROPERTIES_UNREADABLE',
      `The properties file ${path} cannot be read: ${messageOf(error)}`,
      ['Check the path and its permissions'],
    );
  }
  const { settings } = parsed;
  const write = (line: string) => process.stdout.write(line);
  const clock = new WallClock();
  const env = createEnv(createLogger(settings.name, 'info', write), clock);
  for (const { code, key, message } of parsed.notes) {
    if (code === 'SETTING_IGNORED') env.log.warn(message, { code, key });
    else env.log.info(message, { code, key });
  }
  for (const key of parsed.unknownKeys)
    env.log.warn(`${key} is not known to this engine: kept in the file, without effect`, {
      code: 'SETTING_UNKNOWN',
      key,
    });
  if (parsed.problems.length > 0) {
    for (const problem of parsed.problems) env.log.error(problem.message, { code: problem.code, key: problem.key });
    const first = parsed.problems[0]!;
    return refuse(ExitCode.BAD_CONFIGURATION, first.code, parsed.problems.map((problem) => problem.message).join(' '), [
      `Correct ${path} and start again`,
    ]);
  }

  const node = new EngineNode({ env, settings, baseDir: dirname(path), onFatal: (error) => void fail(error) });
  let stopping = false;
  const stop = async (why: string, limitMs = STOP_LIMIT_MS) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(ExitCode.FAILED), limitMs).unref();
    env.log.info(`Stopping: ${why}`, { code: 'STOPPING' });
    await node.stop();
    process.exit(ExitCode.OK);
  };
  const fail = async (error: unknown) => {
    const known =
      error instanceof StartError
        ? error
        : new StartError(ExitCode.DISK_FAILED, 'DISK_FAILED', messageOf(error), [
            'Look at the disk, then start the node again',
          ]);
    env.log.error(known.message, { code: known.code });
    await refuse(known.exitCode, known.code, known.message, known.next);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  process.on('uncaughtException', (error) => {
    env.log.error(`Unexpected error: ${error.stack ?? error.message}`, { code: 'ENGINE_BUG' });
    void refuse(ExitCode.FAILED, 'ENGINE_BUG', error.message, ['Keep the log of this node and report it']);
  });
  process.on('unhandledRejection', (reason) => {
    env.log.error(
      `Unexpected rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`,
      { code: 'ENGINE_BUG' },
    );
  });
  const channel = new ControlChannel({
    env,
    status: () => node.status(),
    setFaults: (faults) => node.setFaults(faults),
    ask: (ask) =>
      ask.kind === 'settings' ? Promise.resolve({ given: parsed.given } satisfies SettingsReport) : node.ask(ask),
    setDiskFault: (fault) => node.setDiskFault(fault),
    setClockSkew: (skewMs) => {
      clock.skewMs = skewMs;
      env.log.warn(`The wall clock of this node is off by ${skewMs} ms`, { code: 'CLOCK_SKEW' });
    },
    stop: () => void stop('asked by the launcher'),
    // The launcher is gone: nobody can stop this process any more, so it stops itself, at once (decision 16).
    onClosed: () => void stop('the launcher is gone', ORPHAN_STOP_LIMIT_MS),
  });
  try {
    await node.start();
    channel.open();
    env.log.info('Started AxonServer-compatible engine', {
      code: 'STARTED',
      http: settings.httpPort,
      grpc: settings.grpcPort,
      internal: settings.internalPort,
    });
  } catch (error) {
    await fail(error);
  }
}

async function refuse(exitCode: number, code: string, message: string, next: readonly string[]): Promise<void> {
  process.stderr.write(`${code}: ${message}\n`);
  await sendFatal(code, message, next);
  process.exit(exitCode);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await main();
