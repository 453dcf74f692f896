// One real engine process for tests: a written properties file, a control channel for status and link faults, signals, a client.
// The engine ends with this process, because its channel closes (decision 16).
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  DiskFault,
  EngineToLauncher,
  GroupReport,
  LauncherToEngine,
  StatusReport,
} from '../../engine/control/protocol.ts';
import { NodeClient } from './client.ts';
import type { NodePorts } from './ports.ts';
import { until } from './wait.ts';

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const engineMain = path.join(root, 'dist', 'engine', 'main.js');
export const HOST = 'localhost';
export const START_MS_MAX = 20_000;
const CONSOLE_TAIL_LINES = 15;

export type Properties = Readonly<Record<string, string>>;
const PREFIX = 'axoniq.axonserver.';

/** Keys without the prefix get it, but for `server.*` and `logging.*`. */
export function propertiesText(properties: Properties): string {
  return Object.entries(properties)
    .map(([key, value]) => `${/^(server|logging|management|axoniq)\./.test(key) ? key : PREFIX + key}=${value}`)
    .join('\n');
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class TestNode {
  readonly name: string;
  readonly ports: NodePorts;
  readonly dir: string;
  /** Written at the next start. */
  properties: Properties;
  status: StatusReport | null = null;
  /** Sees every report of this node. */
  onStatus: ((status: StatusReport) => void) | null = null;
  fatal: { readonly code: string; readonly message: string } | null = null;
  exit: Exit | null = null;
  #process: ChildProcess | null = null;
  #clients = new Map<string, NodeClient>();
  #faultId = 0;
  #replies = new Map<number, (ok: boolean) => void>();

  constructor(name: string, dir: string, ports: NodePorts, properties: Properties) {
    this.name = name;
    this.dir = dir;
    this.ports = ports;
    this.properties = {
      name,
      hostname: HOST,
      domain: '',
      'internal-hostname': HOST,
      'internal-domain': '',
      'server.port': String(ports.http),
      port: String(ports.grpc),
      'internal-port': String(ports.internal),
      'event.storage': './data',
      'snapshot.storage': './data',
      'controldb-path': './data',
      'replication.log-storage-folder': './log',
      'devmode.enabled': 'true',
      'muster.timing-profile': 'dev',
      ...properties,
    };
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  get propertiesFile(): string {
    return path.join(this.dir, 'axonserver.properties');
  }

  start(): void {
    mkdirSync(this.dir, { recursive: true });
    writeFileSync(this.propertiesFile, `${propertiesText(this.properties)}\n`);
    this.spawn();
  }

  /** Starts the engine on whatever properties file there is. */
  spawn(): void {
    if (this.#process !== null) throw new Error(`${this.name} runs already`);
    mkdirSync(this.dir, { recursive: true });
    this.status = null;
    this.fatal = null;
    this.exit = null;
    const child = spawn(process.execPath, [engineMain, this.propertiesFile], {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const output = createWriteStream(path.join(this.dir, 'console.log'), { flags: 'a' });
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    child.on('message', (message) => this.#receive(message as EngineToLauncher));
    child.on('exit', (code, signal) => {
      this.exit = { code, signal };
      this.#process = null;
    });
    this.#process = child;
  }

  #receive(message: EngineToLauncher): void {
    if (message.type === 'status') {
      this.status = message;
      this.onStatus?.(message);
    } else if (message.type === 'fatal') this.fatal = message;
    else this.#replies.get(message.id)?.(message.ok);
  }

  /** What the node reports about one of its groups, or null. */
  group(context: string): GroupReport | null {
    return this.#process === null ? null : (this.status?.groups.find((group) => group.context === context) ?? null);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await until(`${this.name} to be gone`, START_MS_MAX, () => this.#process === null);
    this.dropClients();
  }

  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    const exit = await until(`${this.name} to stop`, START_MS_MAX, () => this.exit);
    this.dropClients();
    return exit;
  }

  /** Replaces all link faults of this node and waits until they are in force. */
  async setFaults(peers: readonly string[]): Promise<void> {
    this.#faultId += 1;
    const id = this.#faultId;
    const directions = ['outbound', 'inbound'] as const;
    const faults = peers.flatMap((peer) =>
      directions.map((direction) => ({ peer, direction, cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 })),
    );
    const message: LauncherToEngine = { type: 'set-link-faults', id, faults };
    const answered = new Promise<boolean>((resolve) => this.#replies.set(id, resolve));
    this.#process?.send(message);
    if (!(await answered)) throw new Error(`${this.name} refused the link faults`);
  }

  /** Sets the disk fault of this node and waits until it is in force. */
  async setDisk(change: Partial<DiskFault>): Promise<void> {
    this.#faultId += 1;
    const id = this.#faultId;
    const fault = { slowMs: 0, failing: false, full: false, ...change };
    const answered = new Promise<boolean>((resolve) => this.#replies.set(id, resolve));
    this.#process?.send({ type: 'set-disk-fault', id, fault } satisfies LauncherToEngine);
    if (!(await answered)) throw new Error(`${this.name} refused the disk fault`);
  }

  client(context: string | null = 'default'): NodeClient {
    const key = context ?? '';
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const client = new NodeClient(HOST, this.ports.grpc, context);
    this.#clients.set(key, client);
    return client;
  }

  dropClients(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async rest(
    method: string,
    url: string,
    body: object | null = null,
  ): Promise<{ readonly status: number; readonly body: unknown; readonly code: string | null }> {
    const response = await fetch(`http://${HOST}:${this.ports.http}${url}`, {
      method,
      ...(body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(START_MS_MAX),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
    return {
      status: response.status,
      body: json ? JSON.parse(text) : text,
      code: response.headers.get('axoniq-errorcode'),
    };
  }

  async get<T>(url: string): Promise<T> {
    const answer = await this.rest('GET', url);
    if (answer.status !== 200) throw new Error(`${this.name} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  me(): Promise<Me> {
    return this.get('/v1/public/me');
  }

  /** Last lines that the process printed, for messages of failed waits. */
  consoleTail(): string {
    const file = path.join(this.dir, 'console.log');
    return existsSync(file)
      ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-CONSOLE_TAIL_LINES).join('\n')
      : '';
  }
}

export interface Me {
  readonly name: string;
  readonly clustered: boolean;
  readonly adminNode: boolean;
  readonly initialized: boolean;
  readonly contextNames: readonly string[];
  readonly storageContextNames: readonly string[];
}

/** One row of `GET /v1/public`. */
export interface PublicNode {
  readonly name: string;
  readonly hostName: string;
  readonly grpcPort: number;
  readonly connected: boolean;
}

/** One row of `GET /v1/public/context`. */
export interface PublicContext {
  readonly context: string;
  readonly leader: string | null;
  readonly roles: readonly { readonly node: string; readonly role: string }[];
}
