// Ctrl-C: the first asks for a graceful end, the second for an immediate one (ux.md §18). Entry point: `onInterrupt`.

const CTRL_C: NodeJS.Signals = process.platform === 'win32' ? 'SIGBREAK' : 'SIGINT';
const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** One key press, or one closed terminal, reaches us several times: from the terminal, from npm, from the script that started us. */
const ECHO_MS_MAX = 300;

export interface Interrupts {
  readonly first: Promise<null>;
  /** Only Ctrl-C is a second one: a closing terminal and a supervisor want a graceful end. */
  readonly second: Promise<null>;
  readonly happened: boolean;
  release(): void;
}

export function onInterrupt(now: () => number = () => performance.now()): Interrupts {
  let firstAt: number | null = null;
  let resolveFirst = (_value: null): void => undefined;
  let resolveSecond = (_value: null): void => undefined;
  const first = new Promise<null>((resolve) => {
    resolveFirst = resolve;
  });
  const second = new Promise<null>((resolve) => {
    resolveSecond = resolve;
  });
  const take = (signal: NodeJS.Signals): void => {
    if (firstAt === null) {
      firstAt = now();
      resolveFirst(null);
    } else if ((signal === 'SIGINT' || signal === CTRL_C) && now() - firstAt > ECHO_MS_MAX) {
      resolveSecond(null);
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, take);
  }
  return {
    first,
    second,
    get happened() {
      return firstAt !== null;
    },
    release() {
      for (const signal of SIGNALS) {
        process.off(signal, take);
      }
    },
  };
}
