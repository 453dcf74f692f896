// Asks a silent connection for a sign of life, and cuts it when none comes: the other host vanished, hangs or is stopped
// (properties `keep-alive-time` and `keep-alive-timeout`). Costs nothing while bytes arrive.

export interface KeepAliveSettings {
  /** Silence after which a PING is sent, in ms; up to twice as long may pass. 0: none is ever sent. */
  readonly timeMs: number;
  /** Silence after that PING at which the connection is cut, in ms. */
  readonly timeoutMs: number;
}

export const NO_KEEP_ALIVE: KeepAliveSettings = { timeMs: 0, timeoutMs: 0 };

export interface KeptLink {
  readonly socket: { readonly bytesRead: number };
  readonly ping: () => void;
  readonly cut: () => void;
}

export class KeepAlive {
  readonly #link: KeptLink;
  readonly #settings: KeepAliveSettings;
  #seen = -1;
  #timer: NodeJS.Timeout | null = null;

  constructor(link: KeptLink, settings: KeepAliveSettings) {
    this.#link = link;
    this.#settings = settings;
    if (settings.timeMs > 0) this.#watch();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #watch(): void {
    this.#seen = this.#link.socket.bytesRead;
    this.#timer = setTimeout(() => {
      if (this.#heard) return this.#watch();
      this.#link.ping();
      this.#timer = setTimeout(() => this.#judge(), this.#settings.timeoutMs);
    }, this.#settings.timeMs);
  }

  /** After a look at the socket: when this process itself was stopped, the answer waits there. */
  #judge(): void {
    setImmediate(() => {
      if (this.#timer === null) return;
      if (this.#heard) this.#watch();
      else this.#link.cut();
    });
  }

  get #heard(): boolean {
    return this.#link.socket.bytesRead !== this.#seen;
  }
}
