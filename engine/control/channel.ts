// The launcher's channel (Node IPC): status deltas out, faults and stop in. Without a channel the engine runs alone and takes
// no faults (decision 15). The engine exits when the channel closes (decision 16).
import type { Env } from '../util/env.ts';
import { CLOCK_SKEW_MS_MAX } from '../util/wall-clock.ts';
import {
  DEATH_CALL_LENGTH_MAX,
  DEATH_CALLS_MAX,
  DEATH_NTH_MAX,
  type DiskFault,
  type EngineAsk,
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
  readonly setDiskFault: (fault: DiskFault) => void;
  readonly setClockSkew: (skewMs: number) => void;
  readonly ask: (ask: EngineAsk) => Promise<unknown>;
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
    const news = JSON.stringify(withoutGauges(report));
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

  #carryOut(id: number, problem: string | null, work: () => void): void {
    if (problem === null) work();
    this.#send(
      problem === null
        ? { type: 'reply', id, ok: true }
        : { type: 'reply', id, ok: false, code: 'BAD_FAULT', message: problem },
    );
  }

  async #answer(id: number, ask: EngineAsk): Promise<void> {
    try {
      this.#send({ type: 'reply', id, ok: true, value: await this.#options.ask(ask) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#send({ type: 'reply', id, ok: false, code: 'ASK_FAILED', message });
    }
  }

  #receive(message: LauncherToEngine): void {
    if (message.type === 'set-link-faults') {
      this.#carryOut(message.id, checkFaults(message.faults), () => this.#options.setFaults(message.faults));
    } else if (message.type === 'set-disk-fault') {
      this.#carryOut(message.id, checkDiskFault(message.fault), () => this.#options.setDiskFault(message.fault));
    } else if (message.type === 'set-clock-skew') {
      this.#carryOut(message.id, checkSkew(message.skewMs), () => this.#options.setClockSkew(message.skewMs));
    } else if (message.type === 'ask') {
      void this.#answer(message.id, message.ask);
    } else if (message.type === 'stop') {
      this.#send({ type: 'reply', id: message.id, ok: true });
      this.#options.stop();
    } else {
      this.#options.env.log.warn('A control message of unknown type is ignored', { code: 'CONTROL_UNKNOWN' });
    }
  }
}

/** What moves all the time does not count as news, unless somebody watches time pass slowly: then timers are the news. */
function withoutGauges(report: StatusReport): unknown {
  const watched = report.ticks !== undefined && (report.ticks.slowdown > 1 || report.ticks.held);
  const groups = report.groups.map((group) => ({
    ...group,
    // Without a leader the timers tell who will try next.
    electionElapsedMs: watched || group.leader === null ? group.electionElapsedMs : 0,
    ...(group.scrub && { scrub: { ...group.scrub, checkedBytes: 0 } }),
    members: group.members.map((member) => ({ ...member, heartbeats: 0 })),
  }));
  const ticks = watched ? report.ticks : null;
  return { ...report, time: 0, rssBytes: 0, cpuPercent: 0, eventLoopDelayMaxMs: 0, groups, ticks };
}

function checkDiskFault(fault: Partial<DiskFault> | null | undefined): string | null {
  if (typeof fault !== 'object' || fault === null) return 'there is no fault';
  const { slowMs, failing, full, dieAt } = fault;
  if (typeof slowMs !== 'number' || !(slowMs >= 0 && slowMs <= DELAY_MS_MAX))
    return `slowMs ${String(slowMs)} is not within 0..${DELAY_MS_MAX} ms`;
  if (typeof failing !== 'boolean' || typeof full !== 'boolean') return 'failing or full is not a boolean';
  return dieAt === undefined ? null : checkDeathPoint(dieAt);
}

function checkSkew(skewMs: unknown): string | null {
  return Number.isInteger(skewMs) && Math.abs(skewMs as number) <= CLOCK_SKEW_MS_MAX
    ? null
    : `skewMs ${String(skewMs)} is not a whole number within ${CLOCK_SKEW_MS_MAX} ms either way`;
}

function checkDeathPoint(point: unknown): string | null {
  if (typeof point !== 'object' || point === null) return 'dieAt is no object';
  const { calls, nth } = point as { readonly calls?: unknown; readonly nth?: unknown };
  if (!Array.isArray(calls) || calls.length === 0 || calls.length > DEATH_CALLS_MAX)
    return `dieAt names no calls, or more than ${DEATH_CALLS_MAX}`;
  if (calls.some((call) => typeof call !== 'string' || call.length > DEATH_CALL_LENGTH_MAX))
    return `a call of dieAt is no text of at most ${DEATH_CALL_LENGTH_MAX} characters`;
  return Number.isInteger(nth) && (nth as number) >= 1 && (nth as number) <= DEATH_NTH_MAX
    ? null
    : `nth ${String(nth)} is not within 1..${DEATH_NTH_MAX}`;
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
