// Later turns of the event loop. The global function is looked up at each call: the simulation (test/sim/sim-loop.ts) puts its own there, and
// `node:timers/promises` would escape it.

/** Lets timers and sockets run before the caller goes on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves `ms` from now. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
