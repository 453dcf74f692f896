// Ctrl-C: the first asks for a graceful end, the second for an immediate one (ux.md §18). Entry point: `onInterrupt`.

const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface Interrupts {
  readonly first: Promise<null>;
  readonly second: Promise<null>;
  release(): void;
}

export function onInterrupt(): Interrupts {
  const resolvers: (() => void)[] = [];
  const next = (): Promise<null> => new Promise((resolve) => resolvers.push(() => resolve(null)));
  const first = next();
  const second = next();
  const take = (): void => resolvers.shift()?.();
  for (const signal of SIGNALS) {
    process.on(signal, take);
  }
  return {
    first,
    second,
    release() {
      for (const signal of SIGNALS) {
        process.off(signal, take);
      }
    },
  };
}
