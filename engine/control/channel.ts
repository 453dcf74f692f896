// The launcher's channel (Node IPC): status deltas out, faults and stop in. Without a channel the engine runs alone and takes
// no faults (decision 15). The engine exits when the channel closes (decision 16).
import type { Env } from '../util/env.ts';
import {
  type EngineToLauncher,
  type LauncherToEngine,
  type LinkFault,
  STATUS_HEARTBEAT_MS,
  STATUS_INTERVAL_MS,
  type StatusReport,
} from './protocol.ts';

const FAULTS_MAX = 1_000;
const DELAY_MS_MAX = 60_000;

export interface ControlChannelOptions {
  readonly env: Env;
  readonly status: () => StatusReport;
  readonly setFaults: (faults: readonly LinkFault[]) => void;
  readonly stop: () => void;
  readonly onClosed: () => void;
}

export class ControlChannel {
  readonly #options: ControlChannelOptions;
  #timer: NodeJS.Timeout | null = null;
  #lastSent = '';
  #lastSentAt = Number.NEGATIVE_INFINITY;
  /** Set while the pipe to the launcher is full: newer state replaces older, nothing queues up. */
  #busy = false;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
  }

  static get available(): boolean {
    return typeof process.send === 'function';
  }

  open(): void {
    if (!ControlChannel.available) return;
    process.on('message', (message) => this.#receive(message as LauncherToEngine));
    process.on('disconnect', () => this.#options.onClosed());
    this.#timer = setInterval(() => this.#pushStatus(), STATUS_INTERVAL_MS);
    this.#pushStatus();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #pushStatus(): void {
    if (this.#busy) return;
    const now = this.#options.env.now();
    const report = this.#options.status();
    // Gauges that move all the time do not count as news.
    const groups = report.groups.map((group) => ({ ...group, electionElapsedMs: 0 }));
    const news = JSON.stringify({ ...report, time: 0, rssBytes: 0, cpuPercent: 0, eventLoopDelayMaxMs: 0, groups });
    if (news === this.#lastSent && now - this.#lastSentAt < STATUS_HEARTBEAT_MS) return;
    this.#lastSent = news;
    this.#lastSentAt = now;
    this.#send(report);
  }

  #send(message: EngineToLauncher): void {
    if (process.send === undefined || !process.connected) return;
    this.#busy = true;
    process.send(message, undefined, undefined, () => {
      this.#busy = false;
    });
  }

  #receive(message: LauncherToEngine): void {
    if (message.type === 'set-link-faults') {
      const problem = checkFaults(message.faults);
      if (problem === null) this.#options.setFaults(message.faults);
      this.#send(
        problem === null
          ? { type: 'reply', id: message.id, ok: true }
          : { type: 'reply', id: message.id, ok: false, code: 'BAD_FAULT', message: problem },
      );
    } else if (message.type === 'stop') {
      this.#send({ type: 'reply', id: message.id, ok: true });
      this.#options.stop();
    } else {
      this.#options.env.log.warn('A control message of unknown type is ignored', { code: 'CONTROL_UNKNOWN' });
    }
  }
}

function checkFaults(faults: unknown): string | null {
  if (!Array.isArray(faults)) return 'faults is not a list';
  if (faults.length > FAULTS_MAX) return `more than ${FAULTS_MAX} faults`;
  for (const fault of faults as readonly Partial<LinkFault>[]) {
    if (typeof fault.peer !== 'string') return 'a fault names no peer';
    if (fault.direction !== 'outbound' && fault.direction !== 'inbound') return `direction ${String(fault.direction)}`;
    if (typeof fault.cut !== 'boolean') return 'cut is not a boolean';
    for (const value of [fault.delayMs, fault.jitterMs]) {
      if (typeof value !== 'number' || !(value >= 0 && value <= DELAY_MS_MAX))
        return `delay ${String(value)} is not within 0..${DELAY_MS_MAX} ms`;
    }
    if (typeof fault.lossPercent !== 'number' || !(fault.lossPercent >= 0 && fault.lossPercent <= 100))
      return `loss ${String(fault.lossPercent)} is not within 0..100`;
  }
  return null;
}

/** Best effort: the process exits right after. */
export function sendFatal(code: string, message: string, next: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else
      process.send({ type: 'fatal', code, message, next } satisfies EngineToLauncher, undefined, undefined, () =>
        resolve(),
      );
  });
}
