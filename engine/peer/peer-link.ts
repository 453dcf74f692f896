// Our link to one peer: dials, says hello, keeps alive, dials again. All our sends and requests to that peer use it.
// State: down (no connection) → connecting → up ⇄ silent (connection there, nothing heard) → down.
import type { Env } from '../util/env.ts';
import type { TlsIdentity } from '../util/tls.ts';
import type { NodeName, PeerMethod } from './bus.ts';
import { PeerError } from './bus.ts';
import { dial, isRefusal } from './dial.ts';
import type { Frame } from './frame.ts';
import { FrameType } from './frame.ts';
import type { CloseReason } from './frame-connection.ts';
import { FrameConnection } from './frame-connection.ts';
import type { Hello } from './hello.ts';
import { checkHello, decodeHello, decodeRefusal, encodeHello } from './hello.ts';
import { HELLO_TIMEOUT_MS, LINK_SILENT_MS, RECONNECT_FIRST_MS, RECONNECT_MAX_MS } from './limits.ts';
import type { LinkFaults } from './link-faults.ts';
import { OutgoingCalls } from './peer-calls.ts';

export interface PeerAddress {
  readonly name: NodeName;
  readonly host: string;
  readonly port: number;
}

export interface PeerLinkOptions {
  readonly env: Env;
  readonly address: PeerAddress;
  readonly faults: LinkFaults;
  readonly ownHello: () => Hello;
  readonly tls: TlsIdentity | null;
  readonly onUp: () => void;
  readonly onDown: () => void;
  /** The link was lost and a connection attempt was then refused or reset: the process is gone (raft-design §10). */
  readonly onGone: () => void;
}

const EMPTY = new Uint8Array(0);

export class PeerLink {
  readonly address: PeerAddress;
  readonly #options: PeerLinkOptions;
  readonly #env: Env;
  readonly #calls: OutgoingCalls;
  #state: 'down' | 'connecting' | 'up' | 'silent' = 'down';
  #connection: FrameConnection | null = null;
  #attemptStartedAt = 0;
  #backoffMs = RECONNECT_FIRST_MS;
  #retryTimer: NodeJS.Timeout | null = null;
  #helloTimer: NodeJS.Timeout | null = null;
  /** Set when the link was up and is lost: the first refused attempt then tells `onGone`, once. */
  #goneArmed = false;
  #toldFailure = '';
  #closed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#env = options.env;
    this.address = options.address;
    this.#calls = new OutgoingCalls(options.address.name);
    this.#connect();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  send(type: FrameType, lane: 'control' | 'bulk', body: Uint8Array): boolean {
    return this.#state === 'up' && this.#connection!.send(type, lane, body);
  }

  request(method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#state !== 'up') {
      return Promise.reject(new PeerError('PEER_UNREACHABLE', `no connection to ${this.address.name}`));
    }
    return this.#calls.request(this.#connection!, method, body, timeoutMs);
  }

  /** Called every KEEPALIVE_INTERVAL_MS. `ownPause`: this process stood still, so silence says nothing about the peer. */
  tick(ownPause: boolean): void {
    if (this.#connection === null || this.#state === 'connecting') {
      return;
    }
    if (ownPause) {
      this.#connection.lastHeardAt = this.#env.now();
    }
    if (this.#state === 'up' && this.#env.now() - this.#connection.lastHeardAt > LINK_SILENT_MS) {
      this.#goSilent(`nothing heard for ${LINK_SILENT_MS} ms`);
    }
    this.#connection.send(FrameType.PING, 'control', EMPTY);
  }

  /** The peer's own link to us was lost: what it sent may be lost too, so this is told as a loss until it answers a ping. */
  suspect(): void {
    if (this.#state === 'up') {
      this.#goSilent('its connection to this node was lost');
      this.#connection!.send(FrameType.PING, 'control', EMPTY);
    }
  }

  /** The peer just connected to us, so it is there: no reason to wait for the next attempt. */
  retryNow(): void {
    if (this.#state === 'down' && this.#retryTimer !== null) {
      clearTimeout(this.#retryTimer);
      this.#connect();
    }
  }

  faultsChanged(): void {
    this.#connection?.faultsChanged();
    if (this.#connection !== null && this.#state !== 'connecting') {
      this.#connection.send(FrameType.PING, 'control', EMPTY);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopTimers();
    this.#connection?.close({ code: 'PEER_LINK_CLOSED', message: 'closed here', bad: false }, true);
  }

  #connect(): void {
    const { host, port, name } = this.address;
    this.#retryTimer = null;
    this.#state = 'connecting';
    this.#attemptStartedAt = this.#env.now();
    const hello = (): void => void connection.send(FrameType.HELLO, 'control', encodeHello(this.#options.ownHello()));
    const socket = dial(host, port, this.#options.tls, hello);
    const connection: FrameConnection = new FrameConnection(
      this.#env,
      socket,
      `${host}:${port}`,
      this.#options.faults,
      {
        onFrame: (frame) => this.#onFrame(connection, frame),
        onClosed: (reason) => this.#onClosed(reason),
      },
    );
    connection.identify(name);
    this.#connection = connection;
    this.#helloTimer = setTimeout(
      () =>
        connection.close({ code: 'PEER_HELLO_TIMEOUT', message: `no answer in ${HELLO_TIMEOUT_MS} ms`, bad: false }),
      HELLO_TIMEOUT_MS,
    );
  }

  #onFrame(connection: FrameConnection, frame: Frame): void {
    if (this.#state === 'connecting') {
      this.#onWelcome(connection, frame);
      return;
    }
    if (this.#state === 'silent') {
      this.#goUp();
    }
    switch (frame.type) {
      case FrameType.PONG:
        break;
      case FrameType.RESPONSE:
        this.#calls.onResponse(frame.payload);
        break;
      case FrameType.FAILURE:
        this.#calls.onFailure(frame.payload);
        break;
      default:
        connection.close({ code: 'PEER_FRAME_UNKNOWN', message: `unexpected frame ${frame.type}`, bad: true });
    }
  }

  #onWelcome(connection: FrameConnection, frame: Frame): void {
    if (frame.type === FrameType.REFUSAL) {
      connection.close({ ...decodeRefusal(frame.payload), bad: true });
      return;
    }
    const hello = frame.type === FrameType.WELCOME ? decodeHello(frame.payload) : null;
    if (hello === null) {
      connection.close({ code: 'PEER_NOT_A_PEER', message: 'the answer is no welcome', bad: true });
      return;
    }
    const refusal = checkHello(this.#options.ownHello(), hello);
    if (refusal !== null) {
      connection.close({ ...refusal, bad: true });
    } else if (hello.nodeName !== this.address.name) {
      const message = `${this.address.host}:${this.address.port} is ${hello.nodeName}, not ${this.address.name}`;
      connection.close({ code: 'PEER_WRONG_NODE', message, bad: true });
    } else {
      clearTimeout(this.#helloTimer!);
      connection.openFully();
      this.#backoffMs = RECONNECT_FIRST_MS;
      this.#goUp();
    }
  }

  #goUp(): void {
    this.#state = 'up';
    this.#goneArmed = true;
    this.#toldFailure = '';
    this.#env.log.info(`connected to ${this.address.name}`, { code: 'PEER_LINK_UP', peer: this.address.name });
    this.#options.onUp();
  }

  #goSilent(why: string): void {
    this.#state = 'silent';
    this.#tellDown(why);
  }

  #tellDown(why: string): void {
    const { name } = this.address;
    this.#calls.failAll(`link to ${name} lost: ${why}`);
    this.#env.log.info(`link to ${name} lost: ${why}`, { code: 'PEER_LINK_DOWN', peer: name });
    this.#options.onDown();
  }

  #onClosed(reason: CloseReason): void {
    const before = this.#state;
    this.#stopTimers();
    this.#state = 'down';
    this.#connection = null;
    if (before === 'up') {
      this.#tellDown(reason.message);
    } else {
      this.#calls.failAll(`link to ${this.address.name} lost: ${reason.message}`);
    }
    if (this.#closed) {
      return;
    }
    if (before !== 'connecting') {
      this.#connect();
      return;
    }
    this.#tellFailure(reason);
    const unreachable = isRefusal(reason.code);
    if (unreachable && this.#goneArmed && !this.#options.faults.isCutAnyway(this.address.name)) {
      this.#goneArmed = false;
      this.#options.onGone();
    }
    if (!this.#closed) {
      const wait = this.#attemptStartedAt + this.#backoffMs - this.#env.now();
      this.#backoffMs = Math.min(RECONNECT_MAX_MS, this.#backoffMs * 2);
      this.#retryTimer = setTimeout(() => this.#connect(), Math.max(0, wait));
    }
  }

  /** Attempts go on for ever; the log tells each new reason once. */
  #tellFailure(reason: CloseReason): void {
    if (this.#toldFailure === reason.code) {
      return;
    }
    this.#toldFailure = reason.code;
    const { name, host, port } = this.address;
    const text = `cannot connect to ${name} at ${host}:${port}: ${reason.message}; trying again`;
    const level = reason.bad ? 'error' : 'info';
    this.#env.log[level](text, {
      code: reason.code.startsWith('PEER_') ? reason.code : 'PEER_UNREACHABLE',
      peer: name,
    });
  }

  #stopTimers(): void {
    if (this.#retryTimer !== null) {
      clearTimeout(this.#retryTimer);
      this.#retryTimer = null;
    }
    if (this.#helloTimer !== null) {
      clearTimeout(this.#helloTimer);
      this.#helloTimer = null;
    }
  }
}
