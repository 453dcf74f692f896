// One JSON line per event on the given sink: ts, level, node, context, code, text. The launcher stores the lines raw.
import type { Env, LogFields, Logger, LogLevel } from './env.ts';
import { WallClock } from './wall-clock.ts';

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * Lines below `level` are dropped. `write` gets complete lines with the newline. They keep the computer's time under a skewed clock: the
 * launcher puts the lines of all nodes in order by it.
 */
export function createLogger(node: string, level: LogLevel, write: (line: string) => void): Logger {
  const at = (lineLevel: LogLevel) => (text: string, fields?: LogFields) => {
    if (order[lineLevel] < order[level]) return;
    write(`${JSON.stringify({ ts: new Date().toISOString(), level: lineLevel, node, ...fields, text })}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function createEnv(log: Logger, clock = new WallClock()): Env {
  return {
    now: () => performance.now(),
    wallClock: clock.now,
    random: () => Math.random(),
    log,
  };
}
