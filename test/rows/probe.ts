// When a context confirms appends again, as a client with a short request time-out sees it that tries one node after the other.
import { event } from './client.ts';
import type { TestNode } from './test-node.ts';

export const PROBE_MS = 100;
let probes = 0;

/** Milliseconds from `startedAt` to the next confirmed append; rejects after `timeoutMs`. */
export async function nextConfirmed(
  survivors: readonly TestNode[],
  startedAt: number,
  timeoutMs: number,
  context = 'default',
): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    if (performance.now() - startedAt > timeoutMs)
      throw new Error(`${context}: no append confirmed within ${timeoutMs} ms`);
    const node = survivors[tries % survivors.length]!;
    probes += 1;
    const confirmed = await node
      .client(context)
      .append([event(`probe-${process.pid}-${probes}`, 0)], PROBE_MS)
      .then(
        () => true,
        () => false,
      );
    if (confirmed) return performance.now() - startedAt;
  }
}
