// The launcher as one object: LauncherApi plus its pushes. The one door for app, CLI, browser and tests.
// May not speak HTTP or IPC. Entry point: `LauncherService.open`.
import { access } from 'node:fs/promises';
import { EventEmitter } from 'node:events';
import type { LauncherClient, LauncherEventName, LauncherEvents } from '../contract/api.ts';
import type { ClusterView, LogChunk, TimelineEvent } from '../contract/model.ts';
import { createContext, deleteContext, setRole } from './admin-client.ts';
import { snippetsOf } from './client-config.ts';
import { launcherError } from './errors.ts';
import { Fleet } from './fleet.ts';
import { notRunning } from './waiters.ts';
import type { Workspace } from './workspace.ts';

/** Subscribers of one process: windows and remote connections. */
const LISTENERS_MAX = 200;

export interface ServiceOptions {
  readonly workspace: Workspace;
  readonly version: string;
  readonly enginePath: string;
  readonly nodeArguments?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  /** False: look only; the folder belongs to another process or to nobody. */
  readonly owner: boolean;
}

/** `LauncherClient` and, for the hosting process only, the ways to end. */
export interface LauncherService extends LauncherClient {
  /** Clusters that a user started and has not stopped. */
  activeClusters(): number;
  /** Stops every cluster; throw-away ones are deleted. */
  shutdown(): Promise<void>;
  /** Ends every engine at once. */
  killAll(): Promise<void>;
  /** Folders under clusters/ that could not be read. */
  readonly broken: readonly { readonly dir: string; readonly why: string }[];
}

export async function openService(options: ServiceOptions): Promise<LauncherService> {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(LISTENERS_MAX);
  const emit = <K extends LauncherEventName>(name: K, payload: LauncherEvents[K]): void => {
    emitter.emit(name, payload);
  };
  let summaries = '';
  const emitClusters = (): void => {
    const list = fleet.summaries();
    const text = JSON.stringify(list);
    if (text !== summaries) {
      summaries = text;
      emit('clusters', list);
    }
  };
  const fleet = await Fleet.open(
    options.workspace,
    {
      enginePath: options.enginePath,
      nodeArguments: options.nodeArguments ?? [],
      environment: options.environment ?? process.env,
      now: options.now ?? Date.now,
      onView: (view: ClusterView) => {
        emit('view', view);
        emitClusters();
      },
      onLog: (chunk: LogChunk) => emit('log', chunk),
      onTimeline: (event: TimelineEvent) => emit('timeline', event),
    },
    options.owner,
  );
  return new Service(options, fleet, emitter, emitClusters);
}

class Service implements LauncherService {
  readonly broken: readonly { readonly dir: string; readonly why: string }[];
  readonly #options: ServiceOptions;
  readonly #fleet: Fleet;
  readonly #emitter: EventEmitter;
  readonly #emitClusters: () => void;

  constructor(options: ServiceOptions, fleet: Fleet, emitter: EventEmitter, emitClusters: () => void) {
    this.#options = options;
    this.#fleet = fleet;
    this.#emitter = emitter;
    this.#emitClusters = emitClusters;
    this.broken = fleet.broken;
  }

  on<K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void): () => void {
    this.#emitter.on(name, listener);
    return () => this.#emitter.off(name, listener);
  }

  activeClusters(): number {
    return this.#fleet.all().filter((cluster) => cluster.active).length;
  }

  async shutdown(): Promise<void> {
    await Promise.all(
      this.#fleet
        .all()
        .filter((cluster) => cluster.active)
        .map((cluster) => this.stopCluster(cluster.plan.spec.name)),
    );
    await Promise.all(this.#fleet.all().map((cluster) => cluster.close()));
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#fleet.all().map((cluster) => cluster.killAll()));
  }

  async about() {
    return {
      version: this.#options.version,
      workspace: this.#options.workspace.dir,
      pid: process.pid,
      platform: process.platform,
    };
  }

  async listClusters() {
    return this.#fleet.summaries();
  }

  async planCluster(...[spec]: Parameters<LauncherClient['planCluster']>) {
    return this.#fleet.plan(spec);
  }

  async createCluster(...[spec]: Parameters<LauncherClient['createCluster']>) {
    this.#refuseWithoutLock();
    const plan = await this.#fleet.create(spec);
    this.#emitClusters();
    return plan;
  }

  async startCluster(name: string) {
    this.#refuseWithoutLock();
    await this.#refuseWithoutEngine();
    const cluster = this.#fleet.get(name);
    this.#fleet.touch(name);
    return cluster.start();
  }

  async stopCluster(...[name, options]: Parameters<LauncherClient['stopCluster']>) {
    this.#refuseWithoutLock();
    const cluster = this.#fleet.get(name);
    await cluster.stop();
    this.#fleet.touch(name);
    const throwAway = cluster.plan.spec.data === 'throw-away' || options?.throwAway === true;
    const deleted = throwAway ? await this.#fleet.remove(name) : [];
    this.#emitClusters();
    return { deleted };
  }

  async removeCluster(name: string) {
    this.#refuseWithoutLock();
    const deleted = await this.#fleet.remove(name);
    this.#emitClusters();
    return { deleted };
  }

  async getCluster(name: string) {
    return this.#fleet.get(name).view;
  }

  async actOnNode(...[name, target, action]: Parameters<LauncherClient['actOnNode']>) {
    this.#refuseWithoutLock();
    await this.#refuseWithoutEngine();
    return this.#fleet.get(name).act(target, action);
  }

  async setLinks(...[name, links]: Parameters<LauncherClient['setLinks']>) {
    return this.#fleet.get(name).setLinks(links);
  }

  async heal(name: string) {
    return this.#fleet.get(name).heal();
  }

  async wait(...[name, condition, timeoutMs]: Parameters<LauncherClient['wait']>) {
    return this.#fleet.get(name).wait(condition, timeoutMs);
  }

  async createContext(...[name, context, roles]: Parameters<LauncherClient['createContext']>) {
    const nodes = roles.map((role) => role.node);
    await createContext(this.#adminDoor(name, nodes), context, roles);
  }

  async deleteContext(...[name, context, { keepEvents }]: Parameters<LauncherClient['deleteContext']>) {
    await deleteContext(this.#adminDoor(name, []), context, keepEvents);
  }

  async setRole(...[name, context, node, role, { keepEvents }]: Parameters<LauncherClient['setRole']>) {
    await setRole(this.#adminDoor(name, [node]), context, node, role, keepEvents);
  }

  /** HTTP port of the node to ask for a change: who leads `_admin`, else any that is ready. Refuses nodes that the cluster lacks. */
  #adminDoor(name: string, nodes: readonly string[]): number {
    const { view } = this.#fleet.get(name);
    const admin = view.contexts.find((candidate) => candidate.name === '_admin')?.leader;
    const door = view.nodes.find((node) => node.name === admin) ?? view.nodes.find((node) => node.state === 'ready');
    if (door === undefined) {
      throw notRunning(name);
    }
    const stranger = nodes.find((wanted) => !view.nodes.some((node) => node.name === wanted));
    if (stranger !== undefined) {
      throw launcherError('NODE_NOT_FOUND', `Cluster ${name} has no ${stranger}.`, '', []);
    }
    return door.http;
  }

  async readLogs(...[name, nodes, tail]: Parameters<LauncherClient['readLogs']>) {
    return this.#fleet.get(name).readLogs(nodes, tail);
  }

  async timeline(name: string, sinceMs: number) {
    return this.#fleet.get(name).timeline(sinceMs);
  }

  async snippets(...[name, context]: Parameters<LauncherClient['snippets']>) {
    return snippetsOf(this.#fleet.get(name).view, context);
  }

  async snippet(...[name, context, kind]: Parameters<LauncherClient['snippet']>) {
    const found = snippetsOf(this.#fleet.get(name).view, context).find((snippet) => snippet.kind === kind);
    if (found === undefined) {
      throw launcherError('BAD_ARGUMENT', `There is no snippet for ${kind}.`, '', []);
    }
    return found;
  }

  #refuseWithoutLock(): void {
    if (!this.#options.owner) {
      throw launcherError('WORKSPACE_BUSY', 'This process may only look.', 'It does not host the workspace.', [
        'Run the command again.',
      ]);
    }
  }

  async #refuseWithoutEngine(): Promise<void> {
    const file = this.#options.enginePath;
    try {
      await access(file);
    } catch {
      throw launcherError('ENGINE_MISSING', 'The engine is not built.', `There is no ${file}.`, [
        'Build it: npm run build',
      ]);
    }
  }
}
