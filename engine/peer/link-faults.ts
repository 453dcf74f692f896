// Faults of node-to-node links on whole frames: cut, delay, jitter, loss, per peer and direction (decision 15).
// May not: know sockets. Without faults set every frame passes straight through. Entry points: `LinkFaults`, `FaultPipe`.
import type { LinkFault } from '../control/protocol.ts';
import type { Env } from '../util/env.ts';
import { FAULT_DELAY_MAX_MS, FAULT_QUEUE_BYTES_MAX, FAULTS_MAX, LOSS_RETRANSMIT_MS } from './limits.ts';

export type FaultDirection = LinkFault['direction'];

/** Why a list of faults from outside cannot be used, as a sentence; null when it is fine. */
export function checkLinkFaults(faults: readonly LinkFault[]): string | null {
  if (!Array.isArray(faults) || faults.length > FAULTS_MAX) {
    return `link faults must be a list of at most ${FAULTS_MAX}`;
  }
  const inRange = (value: unknown, max: number): boolean => typeof value === 'number' && value >= 0 && value <= max;
  for (const fault of faults as readonly unknown[]) {
    const { peer, direction, cut, delayMs, jitterMs, lossPercent } = (fault ?? {}) as Partial<LinkFault>;
    const named = typeof peer === 'string' && peer !== '' && (direction === 'outbound' || direction === 'inbound');
    if (!named || typeof cut !== 'boolean') {
      return 'a link fault needs peer, direction (outbound or inbound) and cut (true or false)';
    }
    if (!inRange(delayMs, FAULT_DELAY_MAX_MS) || !inRange(jitterMs, FAULT_DELAY_MAX_MS) || !inRange(lossPercent, 100)) {
      return `link fault of ${peer}: delayMs and jitterMs are 0 to ${FAULT_DELAY_MAX_MS}, lossPercent is 0 to 100`;
    }
  }
  return null;
}

/** The faults in force now. */
export class LinkFaults {
  #faults: ReadonlyMap<string, LinkFault> = new Map();

  set(faults: readonly LinkFault[]): void {
    this.#faults = new Map(faults.map((fault) => [keyOf(fault.peer, fault.direction), fault]));
  }

  get(peer: string, direction: FaultDirection): LinkFault | undefined {
    return this.#faults.get(keyOf(peer, direction));
  }

  isCut(peer: string, direction: FaultDirection): boolean {
    const fault = this.get(peer, direction);
    return fault !== undefined && (fault.cut || fault.lossPercent >= 100);
  }

  /** In either direction: then nothing this process learns about the peer's sockets may count as knowledge. */
  isCutAnyway(peer: string): boolean {
    return this.isCut(peer, 'outbound') || this.isCut(peer, 'inbound');
  }
}

export interface FaultPipeOptions<T> {
  readonly env: Env;
  readonly faults: LinkFaults;
  readonly direction: FaultDirection;
  /** Null until the other end is known by name: then nothing is held back. */
  readonly peer: () => string | null;
  readonly deliver: (item: T) => void;
  /**
   * True for items that may vanish one by one (raft messages, keepalives: their protocols repeat them). For others a lost
   * packet means what it means in TCP: it and everything behind it comes later.
   */
  readonly mayVanish: (item: T) => boolean;
  readonly bytesOf: (item: T) => number;
  /** A cut swallowed an item that may not vanish: the connection must not go on as if nothing had happened. */
  readonly onLost: (item: T) => void;
  readonly onOverflow: () => void;
}

/** One direction of one connection. Order is kept whatever the faults are. */
export class FaultPipe<T> {
  readonly #options: FaultPipeOptions<T>;
  #queue: { item: T; due: number }[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: FaultPipeOptions<T>) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  push(item: T): void {
    const { env, faults, direction, mayVanish, bytesOf } = this.#options;
    const peer = this.#options.peer();
    const fault = peer === null ? undefined : faults.get(peer, direction);
    if (peer !== null && faults.isCut(peer, direction)) {
      this.#lose(item);
      return;
    }
    if (fault === undefined && this.#queue.length === 0) {
      this.#options.deliver(item);
      return;
    }
    let wait = fault === undefined ? 0 : fault.delayMs + fault.jitterMs * env.random();
    if (fault !== undefined && env.random() * 100 < fault.lossPercent) {
      if (mayVanish(item)) {
        return;
      }
      wait += LOSS_RETRANSMIT_MS;
    }
    this.#queuedBytes += bytesOf(item);
    if (this.#queuedBytes > FAULT_QUEUE_BYTES_MAX) {
      this.#options.onOverflow();
      return;
    }
    this.#queue.push({ item, due: Math.max(env.now() + wait, this.#queue.at(-1)?.due ?? 0) });
    this.#schedule();
  }

  /** The faults changed: what waits is delivered at once, lost, or waits no longer than the new fault says. */
  faultsChanged(): void {
    const { env, faults, direction } = this.#options;
    const peer = this.#options.peer();
    if (peer !== null && faults.isCut(peer, direction)) {
      const lost = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      for (const { item } of lost) {
        this.#lose(item);
      }
      return;
    }
    const fault = peer === null ? undefined : faults.get(peer, direction);
    const latest = env.now() + (fault === undefined ? 0 : fault.delayMs + fault.jitterMs);
    for (const entry of this.#queue) {
      entry.due = Math.min(entry.due, latest);
    }
    this.#deliverDue();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stopTimer();
  }

  #lose(item: T): void {
    if (!this.#options.mayVanish(item)) {
      this.#options.onLost(item);
    }
  }

  #deliverDue(): void {
    const now = this.#options.env.now();
    while (!this.#closed && this.#queue.length > 0 && this.#queue[0]!.due <= now) {
      const { item } = this.#queue.shift()!;
      this.#queuedBytes -= this.#options.bytesOf(item);
      this.#options.deliver(item);
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#stopTimer();
    const head = this.#queue[0];
    if (head !== undefined && !this.#closed) {
      const wait = Math.max(0, Math.ceil(head.due - this.#options.env.now()));
      this.#timer = setTimeout(() => this.#deliverDue(), wait);
    }
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}

function keyOf(peer: string, direction: FaultDirection): string {
  return `${direction} ${peer}`;
}
