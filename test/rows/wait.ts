// Waiting on conditions, never on time alone: a condition is asked again until it holds, and its last answer is part of the failure.

const POLL_MS = 20;

/** Resolves with the first answer that is neither null nor false; rejects after `timeoutMs` naming what was awaited. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => T | null | false | Promise<T | null | false>,
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  let lastError: unknown = null;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
      lastError = null;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(
        `waited ${timeoutMs} ms for ${what}${lastError === null ? '' : `; last error: ${String(lastError)}`}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Milliseconds that an action took, with its answer. */
export async function timed<T>(action: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const startedAt = performance.now();
  const value = await action();
  return { value, ms: performance.now() - startedAt };
}
