// The only source of time and chance in the engine, so that tests can drive both. `log` writes one JSON line per event.
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields of one log line; `code` is a stable UPPER_CASE word, `context` the Axon context concerned. */
export interface LogFields {
  readonly context?: string;
  readonly code?: string;
  readonly [key: string]: unknown;
}

export interface Logger {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

export interface Env {
  /** Monotonic milliseconds: for every decision. */
  now(): number;
  /** Wall clock milliseconds, which may be set wrong or jump: for stamps and schedules. */
  wallClock(): number;
  random(): number;
  readonly log: Logger;
}
