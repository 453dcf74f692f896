// The cluster under torture: engines of one fixed build, run by the launcher in this process, and what its replicas hold at the end.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ClusterPlan, NodePlan, NodeRole } from '../../electron/contract/model.ts';
import { isPortFree, nodePorts } from '../../electron/launcher/ports.ts';
import { writeProperties } from '../../electron/launcher/properties-file.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import type { GroupStore } from '../../engine/storage/api.ts';
import { openGroupStore } from '../../engine/storage/group-store.ts';
import { openNodeStore } from '../../engine/storage/node-store.ts';
import { type EventMessage, NodeClient } from '../rows/client.ts';
import { root } from '../rows/test-node.ts';
import { until } from '../rows/wait.ts';
import type { ReplicaContent, StoredEventFacts } from './history.ts';

export const CLUSTER = 'torture';
const FIRST_PORT = 26_024;
const LAST_PORT = 27_524;
const PORT_STEP = 10;
const READY_MS = 60_000;
const PAGE_EVENTS = 10_000;
const PAGE_BYTES = 8 * 1024 * 1024;
/** The smallest there is, so that logs go through many segments. */
const SEGMENT_BYTES = 64 * 1024;
const FINAL_READ_MS = 60_000;

/** `3p`: every node PRIMARY of two contexts. Others: one context whose nodes have these roles in turn. */
export const LAYOUTS: Readonly<Record<string, readonly NodeRole[]>> = {
  '3p': [],
  '3p+1a+1p': ['PRIMARY', 'PRIMARY', 'PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'],
  '5p': Array<NodeRole>(5).fill('PRIMARY'),
  '3p+1m': ['PRIMARY', 'PRIMARY', 'PRIMARY', 'MESSAGING_ONLY'],
};
const LAYOUT_CONTEXT = 'roles';

export interface SubjectOptions {
  readonly dir: string;
  readonly nodes: number;
  readonly layout: string;
}

export interface Door {
  readonly node: string;
  readonly role: NodeRole;
}

/** A context whose history is recorded under another name. */
interface Labelled {
  readonly name: string;
  readonly label: string;
  readonly roles: readonly Door[];
}

export class Subject {
  readonly service: LauncherService;
  readonly plan: ClusterPlan;
  /** Contexts that clients use, with the role of every node in them. */
  readonly contexts: readonly { readonly name: string; readonly roles: readonly Door[] }[];
  readonly #clients = new Map<string, NodeClient>();
  readonly #also: Labelled[] = [];

  private constructor(service: LauncherService, plan: ClusterPlan, contexts: Subject['contexts']) {
    this.service = service;
    this.plan = plan;
    this.contexts = contexts;
  }

  /** Resolves when all contexts can be used. The caller deletes the folder, after `dispose`. */
  static async start({ dir, nodes, layout }: SubjectOptions): Promise<Subject> {
    const service = await openService({
      workspace: new Workspace(path.join(dir, 'workspace')),
      version: '0.0.0',
      enginePath: frozenBuild(dir),
      owner: true,
    });
    const roles = LAYOUTS[layout];
    if (roles === undefined) throw new Error(`no layout ${layout}`);
    const names = roles.length === 0 ? ['default', 'orders'] : ['default'];
    const count = roles.length === 0 ? nodes : roles.length;
    const plan = await service.createCluster({
      name: CLUSTER,
      nodes: count,
      contexts: names,
      data: 'keep',
      timing: 'dev',
      firstPort: await freeFirstPort(count),
    });
    for (const node of plan.nodes) {
      await writeProperties(plan, node);
      appendFileSync(node.propertiesFile, `axoniq.axonserver.event.segment-size=${SEGMENT_BYTES}\n`);
    }
    await service.startCluster(CLUSTER);
    await service.wait(CLUSTER, { kind: 'ready' }, READY_MS);
    const doors = plan.nodes.map((node, position): Door => ({ node: node.name, role: roles[position] ?? 'PRIMARY' }));
    const used = roles.length === 0 ? names : [LAYOUT_CONTEXT];
    const subject = new Subject(
      service,
      plan,
      used.map((name) => ({ name, roles: doors })),
    );
    if (roles.length > 0) {
      await service.createContext(CLUSTER, LAYOUT_CONTEXT, doors);
      await subject.usable(LAYOUT_CONTEXT);
    }
    return subject;
  }

  /** Resolves when all nodes are members of the context and it has a leader. */
  async usable(name: string): Promise<void> {
    await until(`${name} to be usable`, READY_MS, async () => {
      const view = await this.service.getCluster(CLUSTER);
      const context = view.contexts.find((candidate) => candidate.name === name);
      return context?.usable === true && context.members.length === this.plan.nodes.length && view.state === 'usable';
    });
  }

  address(node: string): { readonly host: string; readonly port: number } {
    const { host, grpc: port } = this.#planned(node);
    return { host, port };
  }

  /** Nodes whose gRPC port serves clients of contexts here (RO-7). */
  serving(roles: readonly Door[]): readonly string[] {
    return roles.filter(({ role }) => role === 'PRIMARY' || role === 'MESSAGING_ONLY').map(({ node }) => node);
  }

  connect(node: string, context: string): NodeClient {
    const planned = this.#planned(node);
    return new NodeClient(planned.host, planned.grpc, context);
  }

  /** One shared connection per node and context, for readers and the last reads. */
  client(node: string, context: string): NodeClient {
    const key = `${node} ${context}`;
    const known = this.#clients.get(key) ?? this.connect(node, context);
    this.#clients.set(key, known);
    return known;
  }

  /** Waits until every member has all that its leader has; rejects with what the launcher says is missing (I15, I17). */
  async converge(): Promise<void> {
    await this.service.wait(CLUSTER, { kind: 'ready' }, READY_MS);
    await this.service.wait(CLUSTER, { kind: 'caught-up', node: null }, READY_MS);
  }

  /** A context that came during the run: its files are read, too. */
  alsoStored(context: Labelled): void {
    this.#also.push(context);
  }

  /** All events of a context over the tracking stream of a node; recorded as those of `label`. */
  async streamed(node: string, context: string, label = context): Promise<ReplicaContent> {
    const client = this.client(node, context);
    const last = await client.lastToken(FINAL_READ_MS);
    const events = await client.listEvents(0, last, FINAL_READ_MS);
    const hole = events.findIndex((item, token) => item.token !== token);
    if (hole >= 0) throw new Error(`I9: the stream of ${node} has token ${events[hole]?.token} at position ${hole}`);
    const facts = events.map(({ event }) => factsOf(event));
    return { type: 'replica', context: label, node, source: 'stream', events: facts, log: null };
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    await this.service.stopCluster(CLUSTER);
  }

  /** What the files of every storing node hold; the cluster must be stopped. */
  async stored(): Promise<readonly ReplicaContent[]> {
    const found: ReplicaContent[] = [];
    const all: readonly Labelled[] = [...this.contexts.map((one) => ({ ...one, label: one.name })), ...this.#also];
    for (const { name, label, roles } of all) {
      const storing = roles.filter(({ role }) => role !== 'MESSAGING_ONLY');
      const replicas = await Promise.all(storing.map(({ node }) => openReplica(this.#planned(node), name)));
      try {
        // Nodes stop one after the other, so that the logs of the last ones end with elections that the first did not see.
        const common = Math.min(...replicas.map(({ store }) => store.lastIndex()));
        for (const { node, store } of replicas) {
          const log = { lastIndex: common, digest: await store.digest(common) };
          found.push({ type: 'replica', context: label, node, source: 'files', events: eventsIn(store), log });
        }
      } finally {
        for (const replica of replicas) await replica.close();
      }
    }
    return found;
  }

  /** Flips a bit of a closed segment of a node that does not run. */
  async rot(node: string, draw: () => number): Promise<string> {
    const groups = path.join(this.#planned(node).dir, 'data', 'groups');
    const files = readdirSync(groups)
      .filter((folder) => this.contexts.some(({ name }) => folder.endsWith(`-${name}`)))
      .flatMap((folder) => {
        const names = readdirSync(path.join(groups, folder)).filter((name) => name.endsWith('.seg'));
        return names.slice(0, -1).map((name) => path.join(groups, folder, name));
      });
    const file = files[draw() % Math.max(1, files.length)];
    if (file === undefined) return 'no closed segment yet';
    const bytes = readFileSync(file);
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    const at = draw() % end;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (draw() % 8));
    writeFileSync(file, bytes);
    return `byte ${at} of ${file}`;
  }

  #planned(node: string): NodePlan {
    const planned = this.plan.nodes.find((candidate) => candidate.name === node);
    if (planned === undefined) throw new Error(`no node ${node}`);
    return planned;
  }

  /** Ends whatever still runs. */
  async dispose(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await this.service.killAll();
    await this.service.shutdown();
  }
}

interface OpenReplica {
  readonly node: string;
  readonly store: GroupStore;
  close(): Promise<void>;
}

/** Opens the files of a stopped node as its engine would. */
async function openReplica(planned: NodePlan, context: string): Promise<OpenReplica> {
  const log = (): void => undefined;
  const node = await openNodeStore({ dir: path.join(planned.dir, 'data'), nodeName: planned.name, log });
  const folder = node.groupDirectories().find((name) => name.endsWith(`-${context}`));
  if (folder === undefined) throw new Error(`${planned.name} stores no ${context}`);
  const store = await openGroupStore({
    node,
    group: Number.parseInt(folder, 10),
    folder,
    segmentBytes: SEGMENT_BYTES,
    durability: 'fsync',
    indexEvents: true,
    log,
    onFatal: (error) => {
      throw error;
    },
  });
  const close = async (): Promise<void> => {
    await store.close();
    await node.close();
  };
  return { node: planned.name, store, close };
}

function eventsIn(store: GroupStore): readonly StoredEventFacts[] {
  store.setCommitted(store.lastIndex());
  const events: StoredEventFacts[] = [];
  while (events.length <= store.lastToken) {
    for (const { bytes } of store.readEvents(events.length, PAGE_EVENTS, PAGE_BYTES))
      events.push(factsOf(decodeEvent(Buffer.from(bytes))));
  }
  return events;
}

/** A copy of the built engine, so that a build in between does not change the engine under a running test. */
function frozenBuild(dir: string): string {
  const run = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs'), '--quiet'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`build failed: ${run.stderr}`);
  const copy = path.join(dir, 'engine');
  mkdirSync(copy, { recursive: true });
  cpSync(path.join(root, 'dist', 'engine'), copy, { recursive: true });
  return path.join(copy, 'main.js');
}

async function freeFirstPort(nodes: number): Promise<number> {
  for (let first = FIRST_PORT; first < LAST_PORT; first += PORT_STEP) {
    const ports = Array.from({ length: nodes }, (_unused, position) => Object.values(nodePorts(first, position)));
    const free = await Promise.all(ports.flat().map(isPortFree));
    if (free.every((yes) => yes)) return first;
  }
  throw new Error(`no free ports between ${FIRST_PORT} and ${LAST_PORT}`);
}

function factsOf(event: EventMessage): StoredEventFacts {
  const aggregate = event.aggregate_type === '' ? null : event.aggregate_identifier;
  return { id: event.message_identifier, key: aggregate, sequence: event.aggregate_sequence_number };
}

const protoFolder = path.join(root, 'engine', 'proto');
const grpc = loadPackageDefinition(
  loadSync([path.join(protoFolder, 'event.proto')], {
    keepCase: true,
    longs: Number,
    defaults: true,
    includeDirs: [protoFolder],
  }),
) as GrpcObject & Record<string, never>;

function decodeEvent(bytes: Buffer): EventMessage {
  const service = ['io', 'axoniq', 'axonserver', 'grpc', 'event', 'EventStore'].reduce(
    (scope: GrpcObject, name) => scope[name] as GrpcObject,
    grpc,
  ) as unknown as ServiceClientConstructor;
  return service.service['ListAggregateEvents']?.responseDeserialize(bytes) as EventMessage;
}
