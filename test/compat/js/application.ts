// An application on the published grpc-js as hand-written connectors do it (client-behaviour §2): asks a routing server, follows the
// redirect without asking again, keeps a control stream with heartbeats, and starts over when any of it breaks.
// Entry point: JsApplication.
import { NodeClient, type Stream } from '../../rows/client.ts';

const CONNECT_MS = 3_000;
const HEARTBEAT_MS = 300;
/** Without an acknowledgement for so long the node counts as lost: longer than the pauses of a busy machine. */
const SILENCE_MS_MAX = 2_500;
const RETRY_MS = 50;

interface Instruction {
  readonly ack?: { readonly instruction_id: string; readonly success: boolean } | null;
  readonly request_reconnect?: object | null;
}

export class Session {
  readonly address: string;
  readonly client: NodeClient;
  /** Resolves with the reason when this connection is of no use any more. */
  readonly lost: Promise<string>;
  readonly #streams: Stream[] = [];
  readonly #control: Stream;
  readonly #timer: NodeJS.Timeout;
  #lose: (reason: string) => void = () => undefined;
  #acknowledgedAt = performance.now();
  #beats = 0;

  constructor(address: string, client: NodeClient, clientId: string) {
    this.address = address;
    this.client = client;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#control = this.open('control.PlatformService', 'OpenStream');
    this.#control.onMessage((message) => {
      const { ack, request_reconnect } = message as Instruction;
      if (ack?.success === true) this.#acknowledgedAt = performance.now();
      if (request_reconnect != null) this.#lose('asked to reconnect');
    });
    const register = { client_id: clientId, component_name: 'js', tags: {}, version: '4.6' };
    this.#control.send({ register, instruction_id: `${clientId} registers` });
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** A stream that goes with the session; its end is the end of the session. */
  open(service: string, method: string): Stream {
    const stream = this.client.bidi(service, method);
    this.#streams.push(stream);
    void stream.ended.then((error) => this.#lose(`${method} ended: ${error?.message ?? 'completed'}`));
    return stream;
  }

  #beat(): void {
    this.#beats += 1;
    this.#control.send({ heartbeat: {}, instruction_id: `beat ${this.#beats}` });
    if (performance.now() - this.#acknowledgedAt > SILENCE_MS_MAX) this.#lose('no heartbeat was acknowledged');
  }

  close(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams) stream.cancel();
    this.client.close();
  }
}

export class JsApplication {
  readonly #addresses: readonly string[];
  readonly #clientId: string;
  readonly #start: (session: Session) => Promise<void>;
  #session: Session | null = null;
  #stopped = false;
  #running: Promise<void> | null = null;
  /** Addresses in the order in which they served it. */
  readonly served: string[] = [];

  /** `start` opens handlers and streams of a new session. */
  constructor(addresses: readonly string[], clientId: string, start: (session: Session) => Promise<void>) {
    this.#addresses = addresses;
    this.#clientId = clientId;
    this.#start = start;
  }

  /** Null while there is none. */
  get session(): Session | null {
    return this.#session;
  }

  run(): void {
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#session?.close();
    await this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const session = await this.#connect().catch(() => null);
      if (session === null) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      const started = await Promise.race([this.#start(session).then(() => true), session.lost.then(() => false)]).catch(
        () => false,
      );
      if (started && !this.#stopped) {
        this.#session = session;
        this.served.push(session.address);
        await session.lost;
      }
      this.#session = null;
      session.close();
    }
  }

  /** CF-6: any order. CF-3: the node that is named is dialled and not asked again. */
  async #connect(): Promise<Session> {
    const first = this.#addresses[Math.floor(Math.random() * this.#addresses.length)]!;
    const routing = clientOf(first);
    try {
      const { primary, same_connection } = await routing.unary<{
        readonly primary: { readonly host_name: string; readonly grpc_port: number };
        readonly same_connection: boolean;
      }>('control.PlatformService', 'GetPlatformServer', { client_id: this.#clientId, version: '4.6' }, CONNECT_MS);
      const address = `${primary.host_name}:${primary.grpc_port}`;
      if (same_connection) return new Session(address, clientOf(first), this.#clientId);
      return new Session(address, clientOf(address), this.#clientId);
    } finally {
      routing.close();
    }
  }
}

export function clientOf(address: string): NodeClient {
  const [host = '', port = ''] = address.split(':');
  return new NodeClient(host, Number(port));
}
