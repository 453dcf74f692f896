// The desktop app that no test tool watches, asked only what a benchmark asks: see desktop-driver.cjs. Entry point: `BareDesktop.start`.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { root } from '../test/e2e/browser.ts';
import { fromSources } from '../test/e2e/desktop.ts';

const WAIT_MS_MAX = 40_000;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export interface Pids {
  readonly page: number;
  readonly gpu: number;
  readonly app: number;
}

/** Of this process and of pages alike: ms since 1970, finer than a millisecond. */
export const epochMs = (): number => performance.timeOrigin + performance.now();

export class BareDesktop {
  readonly startedAt: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, startedAt: number) {
    this.#child = child;
    this.startedAt = startedAt;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        for (const [id, answer] of this.#waiting) answer({ id, error: 'the app has ended' });
        resolve();
      });
    });
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static start(workspace: string, display: string): BareDesktop {
    const driver = path.join(root, 'bench', 'desktop-driver.cjs');
    const { executable, args } = fromSources;
    const startedAt = epochMs();
    const child = spawn(executable, ['--no-sandbox', '--disable-gpu', '-r', driver, ...args], {
      cwd: root,
      env: {
        ...process.env,
        DISPLAY: display,
        MUSTER_HOME: workspace,
        XDG_CONFIG_HOME: path.join(workspace, 'config'),
      },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return new BareDesktop(child, startedAt);
  }

  async ask<T>(command: string, ...args: readonly unknown[]): Promise<T> {
    const id = ++this.#asked;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, command, args });
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(`${command}(${args.join(', ').slice(0, 200)}): ${error}`);
    return value as T;
  }

  /** The value of an expression in the page, which may be a promise. */
  readonly page = <T>(expression: string): Promise<T> => this.ask('page', expression);

  /** Epoch ms of the frame of the page in which the expression came true. */
  until(expression: string): Promise<number> {
    const why = JSON.stringify(`not within ${WAIT_MS_MAX / 1000} s: ${expression}`);
    return this.page(`new Promise((resolve, reject) => {
      const end = performance.now() + ${WAIT_MS_MAX};
      const look = () => {
        if (${expression}) resolve(performance.timeOrigin + performance.now());
        else if (performance.now() > end) reject(new Error(${why} + ' in: ' + document.body.innerText.slice(0, 2000)));
        else requestAnimationFrame(look);
      };
      look();
    })`);
  }

  /** A click by the mouse in the middle of the element, which must be the one to be hit there. */
  async click(element: string): Promise<void> {
    await this.until(`${element}?.disabled === false && !${element}.closest('[aria-busy="true"]')`);
    const [x, y] = await this.page<readonly [number, number]>(`(() => {
      const element = ${element};
      element.scrollIntoView({ block: 'nearest' });
      const { x, y, width, height } = element.getBoundingClientRect();
      const at = [Math.round(x + width / 2), Math.round(y + height / 2)];
      if (!element.contains(document.elementFromPoint(...at))) throw new Error('covered: ' + element.outerHTML);
      return at;
    })()`);
    await this.ask('click', x, y);
  }

  pids(): Promise<Pids> {
    return this.ask('pids');
  }

  /** Asks it to quit; ms until its process has ended. */
  async quit(): Promise<number> {
    const begun = performance.now();
    this.#child.send({ id: 0, command: 'quit', args: [] });
    await this.#ended;
    return performance.now() - begun;
  }

  /** For the way out: ends it in any case. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
