// Answers that go on: server-sent events of one HTTP response.
import type { ServerResponse } from 'node:http';
import { SSE_DRAIN_TIMEOUT_MS } from './limits.ts';

/** Server-sent events with back-pressure: `write` resolves when the client took enough. */
export class SseStream {
  opened = false;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  open(): void {
    this.opened = true;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream;charset=UTF-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    this.#response.flushHeaders();
  }

  write(text: string): Promise<void> {
    if (text === '' || this.closed || this.#response.write(text)) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      const timer = setTimeout(() => this.#response.destroy(), SSE_DRAIN_TIMEOUT_MS);
      this.#response.once('drain', done);
      this.#response.once('close', done);
    });
  }
}
