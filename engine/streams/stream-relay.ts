// Carries open persistent streams between the node of a client and the leader of its context: what the client says one way,
// events and signals the other. Ordered and complete, or the session ends on both sides. Entry point: StreamRelay.
import { AxonError } from '../context/api.ts';
import { decodeBody, encodeBody, fieldOf, numberField, textField } from '../context/peer-messages.ts';
import type { PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import type { StreamEvent, StreamSession, StreamSink } from './api.ts';

/** Bytes of events on their way to one client that its node has not passed on yet; above it the leader waits. */
const WINDOW_BYTES = 1024 * 1024;
/** Bytes waiting for one node; above it all sessions with it end. */
const OUTBOX_BYTES_MAX = 32 * 1024 * 1024;
const RETRY_MS = 20;

interface Outbox {
  waiting: Buffer[];
  bytes: number;
  timer: NodeJS.Timeout | null;
}

/** A session with a client of another node: we lead. */
class RemoteSink implements StreamSink {
  session: StreamSession | null = null;
  readonly #send: (body: Buffer) => void;
  readonly #id: number;
  #onWay = 0;
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(id: number, send: (body: Buffer) => void) {
    this.#id = id;
    this.#send = send;
  }

  opened(segment: number): void {
    this.#tell({ kind: 'opened', segment });
  }

  closed(segment: number): void {
    this.#tell({ kind: 'closed', segment });
  }

  events(segment: number, events: readonly StreamEvent[]): void {
    const bytes = events.reduce((sum, event) => sum + event.bytes.length, 0);
    this.#onWay += bytes;
    const head = { kind: 'events', segment, bytes, tokens: events.map((event) => event.token) };
    const replays = events.map((event) => (event.replay ? 1 : 0));
    this.#tell(
      { ...head, replays },
      events.map((event) => event.bytes),
    );
  }

  ready(): Promise<unknown> {
    if (this.#ended || this.#onWay < WINDOW_BYTES) return Promise.resolve();
    return new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The client's node passed so many bytes on. */
  credit(bytes: number): void {
    this.#onWay = Math.max(0, this.#onWay - bytes);
    if (this.#onWay < WINDOW_BYTES) this.#wake();
  }

  end(error: Error | null): void {
    const code = error instanceof AxonError ? error.code : 'AXONIQ-0001';
    this.#tell(error === null ? { kind: 'end' } : { kind: 'end', code, text: error.message });
    this.gone();
  }

  gone(): void {
    this.#ended = true;
    this.#wake();
  }

  #tell(head: object, parts: readonly Uint8Array[] = []): void {
    if (!this.#ended) this.#send(encodeBody({ id: this.#id, ...head }, parts));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const SPOKEN: ReadonlySet<string> = new Set(['requests', 'acknowledge', 'failed', 'close', 'credit']);

export class StreamRelay {
  readonly #env: Env;
  readonly #bus: PeerBus;
  readonly #outboxes = new Map<string, Outbox>();
  /** Our clients, by leader and our number. */
  readonly #clients = new Map<string, Map<number, StreamSink>>();
  /** Clients of other nodes, by node and its number. */
  readonly #guests = new Map<string, Map<number, RemoteSink>>();
  #count = 0;

  constructor(env: Env, bus: PeerBus) {
    this.#env = env;
    this.#bus = bus;
    bus.onMessage('streams', (from, body) => this.#receive(from, body));
    bus.onPeerDown((peer) => this.#lose(peer));
  }

  // -- the client's side ---------------------------------------------------------------------------------------------------

  /** `ask` opens the session with our number on the leader; its signals may come before it resolves. */
  async open(leader: string, sink: StreamSink, ask: (id: number) => Promise<unknown>): Promise<StreamSession> {
    this.#count += 1;
    const id = this.#count;
    const mine = this.#clients.get(leader) ?? new Map<number, StreamSink>();
    this.#clients.set(leader, mine.set(id, sink));
    const tell = (head: object): void => {
      if (mine.has(id)) this.#send(leader, encodeBody({ id, ...head }));
    };
    try {
      await ask(id);
    } catch (error) {
      tell({ kind: 'close' });
      mine.delete(id);
      throw error;
    }
    return {
      requests: (segment, count) => tell({ kind: 'requests', segment, count }),
      acknowledge: (segment, position) => tell({ kind: 'acknowledge', segment, position }),
      failed: (segment, error) => tell({ kind: 'failed', segment, error: error.slice(0, 1000) }),
      close: () => {
        tell({ kind: 'close' });
        mine.delete(id);
      },
    };
  }

  // -- the leader's side -----------------------------------------------------------------------------------------------------

  /** A client of `node` comes in: `connect` gives it a session here. */
  async admit(node: string, id: number, connect: (sink: StreamSink) => Promise<StreamSession>): Promise<void> {
    const guests = this.#guests.get(node) ?? new Map<number, RemoteSink>();
    this.#guests.set(node, guests);
    const sink = new RemoteSink(id, (body) => this.#send(node, body));
    guests.set(id, sink);
    try {
      sink.session = await connect(sink);
    } catch (error) {
      guests.delete(id);
      throw error;
    }
    // The node went away or gave up meanwhile.
    if (guests.get(id) !== sink) sink.session.close();
  }

  // -- messages ------------------------------------------------------------------------------------------------------------

  #receive(from: string, body: Uint8Array): void {
    try {
      const { head, parts } = decodeBody(body);
      const kind = textField(head, 'kind');
      if (kind === 'lost') this.#lose(from);
      else if (SPOKEN.has(kind)) this.#hear(from, kind, head);
      else this.#signal(from, kind, head, parts);
    } catch (error) {
      this.#env.log.warn(`A message of ${from} about a persistent stream is unreadable: ${String(error)}`, {
        code: 'PEER_MESSAGE_UNREADABLE',
      });
    }
  }

  #hear(from: string, kind: string, head: unknown): void {
    const id = numberField(head, 'id');
    const guest = this.#guests.get(from)?.get(id);
    if (guest === undefined) return;
    if (kind === 'credit') guest.credit(numberField(head, 'bytes'));
    else if (kind === 'close') {
      this.#guests.get(from)?.delete(id);
      guest.gone();
      guest.session?.close();
    } else {
      const segment = numberField(head, 'segment');
      if (kind === 'requests') guest.session?.requests(segment, numberField(head, 'count'));
      else if (kind === 'acknowledge') guest.session?.acknowledge(segment, numberField(head, 'position'));
      else guest.session?.failed(segment, textField(head, 'error'));
    }
  }

  #signal(from: string, kind: string, head: unknown, parts: readonly Uint8Array[]): void {
    const id = numberField(head, 'id');
    const sink = this.#clients.get(from)?.get(id);
    if (sink === undefined) return;
    if (kind === 'end') {
      this.#clients.get(from)?.delete(id);
      const code = fieldOf(head, 'code');
      sink.end(typeof code === 'string' ? new AxonError(code, textField(head, 'text')) : null);
      return;
    }
    const segment = numberField(head, 'segment');
    if (kind === 'opened') sink.opened(segment);
    else if (kind === 'closed') sink.closed(segment);
    else if (kind === 'events') {
      const tokens = fieldOf(head, 'tokens') as readonly number[];
      const replays = fieldOf(head, 'replays') as readonly number[];
      sink.events(
        segment,
        parts.map((bytes, i) => ({ token: tokens[i] ?? 0, bytes, replay: replays[i] === 1 })),
      );
      const bytes = numberField(head, 'bytes');
      void sink.ready().then(() => {
        if (this.#clients.get(from)?.has(id) === true) this.#send(from, encodeBody({ kind: 'credit', id, bytes }));
      });
    }
  }

  #send(node: string, body: Buffer): void {
    const outbox = this.#outboxes.get(node) ?? { waiting: [], bytes: 0, timer: null };
    this.#outboxes.set(node, outbox);
    if (outbox.waiting.length === 0 && this.#bus.send(node, 'streams', body)) return;
    outbox.waiting.push(body);
    outbox.bytes += body.length;
    if (outbox.bytes > OUTBOX_BYTES_MAX) {
      this.#lose(node);
      this.#send(node, encodeBody({ kind: 'lost' }));
    } else outbox.timer ??= setTimeout(() => this.#flush(node, outbox), RETRY_MS).unref();
  }

  #flush(node: string, outbox: Outbox): void {
    outbox.timer = null;
    while (outbox.waiting.length > 0 && this.#bus.send(node, 'streams', outbox.waiting[0]!))
      outbox.bytes -= outbox.waiting.shift()!.length;
    if (outbox.waiting.length > 0) outbox.timer = setTimeout(() => this.#flush(node, outbox), RETRY_MS).unref();
  }

  /** Nothing more comes from `node` for what is open now. */
  #lose(node: string): void {
    const outbox = this.#outboxes.get(node);
    if (outbox?.timer != null) clearTimeout(outbox.timer);
    this.#outboxes.delete(node);
    const clients = [...(this.#clients.get(node)?.values() ?? [])];
    this.#clients.get(node)?.clear();
    const guests = [...(this.#guests.get(node)?.values() ?? [])];
    this.#guests.get(node)?.clear();
    for (const sink of clients) sink.end(new AxonError('AXONIQ-2100', `The leader ${node} was lost`));
    for (const guest of guests) {
      guest.gone();
      guest.session?.close();
    }
  }
}
