// Writers as an application has them: each appends one event after the other and goes to the next node when one fails.
import { event } from './client.ts';
import type { TestCluster } from './harness.ts';

const APPEND_MS_MAX = 2000;

export class Appender {
  /** Aggregates whose only event was confirmed, in order of confirmation. */
  readonly confirmed: string[] = [];
  readonly failures: string[] = [];
  longestGapMs = 0;
  #lastAt = performance.now();
  #stopped = false;
  #writers: Promise<void>[] = [];

  constructor(cluster: TestCluster, name: string, writers: number, context = 'default') {
    for (let writer = 0; writer < writers; writer += 1)
      this.#writers.push(this.#write(cluster, `${name}-${writer}`, writer, context));
  }

  async #write(cluster: TestCluster, name: string, writer: number, context: string): Promise<void> {
    let position = writer % cluster.nodes.length;
    for (let i = 0; !this.#stopped; i += 1) {
      // Every try has an aggregate of its own: an append whose outcome is unknown is never repeated.
      const aggregate = `${name}-${i}`;
      const node = cluster.at(position + 1);
      try {
        await node.client(context).append([event(aggregate, 0)], APPEND_MS_MAX);
        this.confirmed.push(aggregate);
        const now = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastAt);
        this.#lastAt = now;
      } catch (error) {
        this.failures.push(String(error));
        position = (position + 1) % cluster.nodes.length;
        // A refused connection answers at once; other writers and the nodes need the processor as well.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writers);
  }
}
