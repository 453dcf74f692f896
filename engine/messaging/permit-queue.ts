// The queue in front of one handler stream: one permit per message sent, priorities, limits by number and bytes
// (client-behaviour CM-5, CM-14, QR-2, QR-20).
import { ByteBudget } from '../util/byte-budget.ts';
import { PriorityQueue } from './priority-queue.ts';
import { HANDLER_QUEUE_BYTES_MAX } from './settings.ts';

export interface PermitQueueOptions<T> {
  /** Waiting messages; 10 % more for those with a positive priority. */
  readonly capacity: number;
  /** For what waits in the queues of all handlers. */
  readonly allQueues: ByteBudget;
  readonly writable: () => boolean;
  /** Sends one message; false when it was not worth sending any more, so that no permit is used. */
  readonly send: (item: T) => boolean;
}

/** A waiting message that is a small part of a larger buffer is copied, so that it does not hold the whole. */
const FOREIGN_BYTES_MAX = 16 * 1024;

export class PermitQueue<T extends { bytes: Uint8Array }> {
  readonly #options: PermitQueueOptions<T>;
  readonly #waiting = new PriorityQueue<T>();
  #urgent: (() => void)[] = [];
  readonly #budget: ByteBudget;
  #permits = 0;

  constructor(options: PermitQueueOptions<T>) {
    this.#options = options;
    this.#budget = new ByteBudget(HANDLER_QUEUE_BYTES_MAX, options.allQueues);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Messages that may still be sent before the handler asks for more. */
  get permits(): number {
    return this.#permits;
  }

  /** Adds; never below zero. */
  addPermits(count: number): void {
    this.#permits = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, this.#permits + count));
    this.pump();
  }

  /** False when the queue is full. */
  offer(item: T, priority: number): boolean {
    const { capacity } = this.#options;
    const limit = priority > 0 ? capacity + Math.ceil(capacity / 10) : capacity;
    // A handler that keeps up never queues: what others leave waiting is not its business.
    if (this.#waiting.size === 0 && this.#urgent.length === 0 && this.#permits > 0 && this.#options.writable()) {
      this.#sendOne(item);
      return true;
    }
    if (this.#waiting.size >= limit || !this.#budget.take(item.bytes.length)) return false;
    if (item.bytes.buffer.byteLength > item.bytes.length + FOREIGN_BYTES_MAX) item.bytes = new Uint8Array(item.bytes);
    this.#waiting.push(item, priority);
    this.pump();
    return true;
  }

  /** A small message about one already sent: takes a permit too, but goes before everything that waits. */
  urgent(send: () => void): void {
    this.#urgent.push(send);
    this.pump();
  }

  removeWhere(matches: (item: T) => boolean): T[] {
    const removed = this.#waiting.removeWhere(matches);
    for (const item of removed) this.#budget.give(item.bytes.length);
    return removed;
  }

  /** Sends as long as there are permits and room in the transport. */
  pump(): void {
    while (this.#permits > 0 && this.#options.writable()) {
      const urgent = this.#urgent.shift();
      if (urgent !== undefined) {
        this.#permits -= 1;
        urgent();
        continue;
      }
      const item = this.#waiting.pop();
      if (item === undefined) return;
      this.#budget.give(item.bytes.length);
      this.#sendOne(item);
    }
  }

  #sendOne(item: T): void {
    this.#permits -= 1;
    if (!this.#options.send(item)) this.#permits += 1;
  }
}
