// A page that no test tool watches: Playwright has every WebSocket message told to it, which costs the page more than reading it does.
// Opened in a browser context that Playwright does not know, and asked only what a benchmark asks. Entry point: `BarePage.open`.
import type { Browser, CDPSession } from 'playwright-core';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Of Chromium's trace: durations in µs, of the clock and of the thread. */
interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

const WAIT_MS = 30_000;

export class BarePage {
  readonly #session: CDPSession;
  readonly #sessionId: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #sent = 0;

  private constructor(session: CDPSession, sessionId: string) {
    this.#session = session;
    this.#sessionId = sessionId;
    session.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
      if (from !== sessionId) return;
      const answer = JSON.parse(message) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async open(browser: Browser, url: string, width = 1280, height = 800): Promise<BarePage> {
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send('Target.createBrowserContext');
    const { targetId } = await session.send('Target.createTarget', { url, width, height, browserContextId });
    const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
    return new BarePage(session, sessionId);
  }

  async send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#sent;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#session.send('Target.sendMessageToTarget', { message, sessionId: this.#sessionId });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** The value of an expression, which may be a promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const answer = await this.send<{ result: { value: T }; exceptionDetails?: { text: string } }>(
      'Runtime.evaluate',
      options,
    );
    if (answer.exceptionDetails !== undefined) throw new Error(`${expression}: ${answer.exceptionDetails.text}`);
    return answer.result.value;
  }

  /** Until the expression is true. */
  async until(expression: string): Promise<void> {
    const end = performance.now() + WAIT_MS;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false)))
      if (performance.now() > end) throw new Error(`not within ${WAIT_MS / 1000} s: ${expression}`);
  }

  /** CPU seconds that all processes of this kind have used. */
  async processSeconds(type: 'renderer' | 'GPU'): Promise<number> {
    const { processInfo } = await this.#session.send('SystemInfo.getProcessInfo');
    return processInfo.filter((one) => one.type === type).reduce((sum, one) => sum + one.cpuTime, 0);
  }

  /**
   * Answers, in ms of CPU, what the longest task of a page's main thread took while `work` ran: as much of the longest frame is ours;
   * the rest is a machine that had other things to do.
   */
  async longestTaskMs(work: () => Promise<void>): Promise<number> {
    const events: TraceEvent[] = [];
    const collect = ({ value }: { readonly value: object[] }): void => void events.push(...(value as TraceEvent[]));
    const ended = new Promise<unknown>((resolve) => this.#session.once('Tracing.tracingComplete', resolve));
    this.#session.on('Tracing.dataCollected', collect);
    const traceConfig = { includedCategories: ['toplevel'] };
    await this.#session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
    await work();
    await this.#session.send('Tracing.end');
    await ended;
    this.#session.off('Tracing.dataCollected', collect);
    const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`;
    const named = events.filter((one) => one.name === 'thread_name' && one.args.name === 'CrRendererMain');
    const main = new Set(named.map(threadOf));
    const tasks = events.filter((one) => one.ph === 'X' && main.has(threadOf(one))).map(({ tdur = 0 }) => tdur / 1000);
    if (tasks.length === 0) throw new Error('the trace has no task of the page');
    return Math.max(...tasks);
  }
}
