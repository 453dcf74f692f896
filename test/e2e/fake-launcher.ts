// A launcher made of scripted views, for window tests only: it speaks the wire of electron/launcher's loopback server and
// starts no process. What a test wants to see happen it pushes itself; what the window asks for is recorded in `calls`.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LauncherEventName, LauncherEvents } from '../../electron/contract/api.ts';
import type { CommandLinkView } from '../../electron/contract/command-link.ts';
import type { ControlPortView } from '../../electron/contract/control-port.ts';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type {
  ClusterSpec,
  ClusterSummary,
  ClusterView,
  LauncherErrorData,
  LogLine,
  PlanPreview,
  Snippet,
} from '../../electron/contract/model.ts';
import { type AppSettings, standardSettings } from '../../electron/contract/settings.ts';
import { withLook } from '../../electron/launcher/first-paint.ts';
import { cluster, down, summaryOf } from './view-parts.ts';

const rendererDir = fileURLToPath(new URL('../../dist/renderer/', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.map': 'application/json',
};

/** `MUSTER_E2E_LATE_MS=300` answers every call so late, which brings out tests that go on before the page has heard. */
const answerLateMs = Number(process.env['MUSTER_E2E_LATE_MS'] ?? '0');

export interface FakeCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

type Handler = (...args: never[]) => unknown;

export class FakeLauncher {
  readonly calls: FakeCall[] = [];
  readonly #views = new Map<string, ClusterView>();
  readonly #summaries = new Map<string, ClusterSummary>();
  readonly #logs = new Map<string, readonly LogLine[]>();
  readonly #handlers = new Map<string, Handler>();
  readonly #sockets = new Set<WebSocket>();
  #token: string;
  #nextToken = '';
  readonly #server: Server;
  readonly #upgrades: WebSocketServer;
  #events: readonly TimelineEvent[] = [];
  #revision = 1;
  #answering = true;
  #settings: AppSettings = standardSettings;

  private constructor(token: string) {
    this.#token = token;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#upgrades = new WebSocketServer({ noServer: true, handleProtocols: () => 'muster' });
    this.#server.on('upgrade', (request, socket, head) => {
      const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/);
      if (!this.#answering || !offered.includes(this.#token)) return socket.destroy();
      this.#upgrades.handleUpgrade(request, socket, head, (client) => {
        this.#sockets.add(client);
        client.on('close', () => this.#sockets.delete(client));
      });
    });
    this.#installHandlers();
  }

  static async start(token = 'test-token'): Promise<FakeLauncher> {
    const fake = new FakeLauncher(token);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get url(): string {
    return `${this.origin}#token=${this.#token}`;
  }

  /** Makes a view the present truth and pushes it with a new revision. */
  show(view: ClusterView): ClusterView {
    const stamped = { ...view, revision: this.#revision++ };
    this.#views.set(view.name, stamped);
    this.#summaries.set(view.name, summaryOf(stamped));
    this.push('view', stamped);
    this.push('clusters', [...this.#summaries.values()]);
    return stamped;
  }

  push<K extends LauncherEventName>(event: K, payload: LauncherEvents[K]): void {
    for (const socket of this.#sockets) socket.send(JSON.stringify({ event, payload }));
  }

  setLog(node: string, lines: readonly LogLine[]): void {
    this.#logs.set(node, lines);
  }

  setTimeline(events: readonly TimelineEvent[]): void {
    this.#events = events;
  }

  /** As another window or a command does it; pages that are opened later come with it. */
  changeSettings(change: Partial<AppSettings>): AppSettings {
    this.#settings = { ...this.#settings, ...change };
    this.push('settings', this.#settings);
    return this.#settings;
  }

  /** Answers `method` by `handler` from now on. */
  on(method: string, handler: Handler): void {
    this.#handlers.set(method, handler);
  }

  /** Refuses `method` with this error from now on. */
  fail(method: string, error: LauncherErrorData): void {
    this.on(method, () => {
      throw error;
    });
  }

  /** The token that `newToken` will answer and ask for. */
  setToken(token: string): void {
    this.#nextToken = token;
  }

  /** Plays dead: drops every connection and answers nothing, until `revive`. */
  goSilent(): void {
    this.#answering = false;
    for (const socket of this.#sockets) socket.terminate();
  }

  revive(): void {
    this.#answering = true;
  }

  callsOf(method: string): readonly FakeCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#upgrades.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #installHandlers(): void {
    this.on('about', () => ({
      version: '0.1.0',
      workspace: '/home/ada/.local/share/muster',
      pid: process.pid,
      platform: 'linux',
      command: '/opt/Muster/resources/bin/muster',
    }));
    this.on('listClusters', () => [...this.#summaries.values()]);
    this.on('planCluster', (spec: ClusterSpec) => planOf(spec));
    this.on('createCluster', (spec: ClusterSpec) => {
      const nodes = Array.from({ length: spec.nodes }, (_, i) => down(i + 1, { sentence: 'Not started yet.' }));
      this.show(
        cluster({
          name: spec.name,
          state: 'stopped',
          sentence: 'Stopped.',
          data: spec.data,
          nodes,
          contexts: [],
          usableAfterMs: null,
        }),
      );
      return planOf(spec);
    });
    this.on('getCluster', (name: string) => {
      const view = this.#views.get(name);
      if (view !== undefined) return view;
      throw {
        code: 'CLUSTER_NOT_FOUND',
        what: `There is no cluster ${name}.`,
        why: 'It was never created here, or deleted.',
        next: ['Go back to the list.'],
      };
    });
    this.on('startCluster', (name: string) => this.#views.get(name));
    this.on('stopCluster', () => ({ deleted: [] }));
    this.on('removeCluster', (name: string) => {
      this.#views.delete(name);
      this.#summaries.delete(name);
      return { deleted: [] };
    });
    this.on('actOnNode', (_cluster: string, target: string) => [target]);
    this.on('setLinks', () => null);
    this.on('heal', () => null);
    this.on('readLogs', (_cluster: string, nodes: readonly string[]) =>
      nodes.map((node) => ({ node, lines: this.#logs.get(node) ?? [] })),
    );
    this.on('timeline', () => this.#events);
    this.on('scripts', () => []);
    this.on('scriptRuns', () => []);
    this.on('recording', () => null);
    this.on('history', () => emptyHistory);
    this.on('checkpoints', () => []);
    this.on('snippets', () => snippets);
    this.on('tasks', () => []);
    this.on('dataUse', () => ({ dir: '/home/ada/.local/share/muster', freeBytes: null, parts: [] }));
    this.on('settings', () => this.#settings);
    this.on('changeSettings', (change: Partial<AppSettings>) => this.changeSettings(change));
    const port = (wish: AppSettings['controlPort'], token = 'abc'): ControlPortView => {
      const url = wish === 'off' ? null : `http://127.0.0.1:${wish === 0 ? 43_123 : wish}`;
      const shown = url === null ? null : token;
      const page = url === null ? null : `${url}/#token=${token}`;
      return { wish, url, page, token: shown, tokenFile: '/home/ada/.local/share/muster/control.token' };
    };
    this.on('commandLink', () => commandLink);
    this.on('controlPort', () => port(0));
    this.on('changeControlPort', (wish: AppSettings['controlPort']) => port(wish));
    this.on('newToken', () => {
      this.#token = this.#nextToken;
      for (const socket of this.#sockets) socket.close(1008);
      return port(0, this.#token);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#answering) return void request.socket.destroy();
    const target = new URL(request.url ?? '/', this.origin).pathname;
    if (target.startsWith('/api/')) return this.#call(target.slice('/api/'.length), request, response);
    try {
      const file = target === '/' ? 'index.html' : path.basename(target);
      const body = await readFile(path.join(rendererDir, file));
      const sent = file === 'index.html' ? withLook(body.toString(), this.#settings) : body;
      response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' }).end(sent);
    } catch {
      response.writeHead(404).end();
    }
  }

  async #call(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${this.#token}`)
      return answer(401, {
        error: { code: 'UNAUTHORISED', what: 'The token is missing or wrong.', why: '', next: [] },
      });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const args = JSON.parse(Buffer.concat(chunks).toString()) as unknown[];
    this.calls.push({ method, args });
    try {
      const ok: unknown = await this.#handlers.get(method)?.(...(args as never[]));
      if (answerLateMs > 0) await new Promise((resolve) => setTimeout(resolve, answerLateMs));
      answer(200, { ok: ok ?? null });
    } catch (error) {
      answer(400, { error });
    }
  }
}

function planOf(spec: ClusterSpec): PlanPreview {
  const first = spec.firstPort ?? 8024;
  const dir = `/home/ada/.local/share/muster/${spec.name}`;
  const nodes = Array.from({ length: spec.nodes }, (_, i) => ({
    name: `node-${i + 1}`,
    dir: `${dir}/node-${i + 1}`,
    propertiesFile: `${dir}/node-${i + 1}/axonserver.properties`,
    logFile: `${dir}/node-${i + 1}/node.log`,
    host: 'localhost',
    http: first + i,
    grpc: first + 100 + i,
    internal: first + 200 + i,
  }));
  const properties = [`server.port=${first}`, `axoniq.axonserver.muster.timing-profile=${spec.timing}`];
  return { version: 1, spec, dir, createdAt: new Date().toISOString(), nodes, properties };
}

export const commandLink: CommandLinkView = {
  state: 'absent',
  file: '/home/ada/.local/bin/muster',
  target: '/opt/Muster/resources/bin/muster',
  leadsTo: null,
  folderOnPath: false,
  found: null,
  sentence: 'The command muster is not installed.',
  next: [],
  pathLine: null,
};

const emptyHistory = { range: null, nodes: [], contexts: [], clients: [], faults: [], appends: [] };

const servers = 'localhost:8124,localhost:8125,localhost:8126';
const snippets: readonly Snippet[] = [
  {
    kind: 'spring',
    title: 'Spring Boot (application.properties)',
    text: `axon.axonserver.servers=${servers}\naxon.axonserver.context=default`,
  },
  {
    kind: 'java',
    title: 'Java (axonserver-connector-java)',
    text: [
      'AxonServerConfiguration.builder()',
      `    .servers("${servers}")`,
      '    .context("default")',
      '    .componentName("my-app")',
      '    .build();',
    ].join('\n'),
  },
  {
    kind: 'python',
    title: 'Python (axonclient)',
    text: 'from axonclient import AxonClient\n\nclient = AxonClient(uri="localhost:8124")',
  },
  { kind: 'env', title: '.env', text: `AXON_AXONSERVER_SERVERS=${servers}\nAXON_AXONSERVER_CONTEXT=default` },
];
