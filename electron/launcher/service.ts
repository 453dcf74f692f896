// The launcher as one object: LauncherApi plus its pushes. The one door for app, CLI, browser and tests.
// May not speak HTTP or IPC. Entry point: `LauncherService.open`.
import { access } from 'node:fs/promises';
import { EventEmitter } from 'node:events';
import type { LauncherClient, LauncherEventName, LauncherEvents } from '../contract/api.ts';
import type { ManageApi } from '../contract/manage.ts';
import type { RecordsApi } from '../contract/records.ts';
import type { TimelineEvent } from '../contract/history.ts';
import type { ClusterView, LogChunk } from '../contract/model.ts';
import { createContext, deleteContext, moveLeader, setRole } from './admin-client.ts';
import { adminDoor } from './admin-door.ts';
import { openSettings } from './app-settings.ts';
import { snippetsOf } from './client-config.ts';
import { examine } from './doctor.ts';
import { launcherError } from './errors.ts';
import { queryEvents } from './event-query.ts';
import { appendEvent, eventTree, readEvent, readEvents } from './events.ts';
import { commandOf } from './installation.ts';
import { previewOf } from './properties-file.ts';
import { purgeContexts } from './purge.ts';
import { listCheckpoints, removeCheckpoint } from './checkpoint-files.ts';
import { Checkpoints } from './checkpoints.ts';
import { scrubNode } from './scrub.ts';
import { verifyContext } from './verify.ts';
import type { BrokenCluster } from '../contract/data-use.ts';
import { Fleet } from './fleet.ts';
import { manage } from './management.ts';
import { records } from './records.ts';
import { readConfig, restartSteps, writeConfig } from './node-config.ts';
import { leaderOf, roleSteps } from './role-changes.ts';
import { type ServiceWithoutScripts, withScripts } from './service-scripts.ts';
import type { LauncherService, ServiceOptions } from './service-types.ts';
import { Tasks } from './tasks.ts';
import { notRunning } from './waiters.ts';

/** A hand-over of leadership takes less than an election. */
const CHANGE_MS_MAX = 10_000;
/** Subscribers of one process: windows and remote connections. */
const LISTENERS_MAX = 200;

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
  const settings = await openSettings(options.workspace, options.owner);
  const fleet = await Fleet.open(
    options.workspace,
    {
      enginePath: options.enginePath,
      nodeArguments: options.nodeArguments ?? [],
      environment: options.environment ?? process.env,
      now: options.now ?? Date.now,
      settings: () => settings.view,
      onView: (view: ClusterView) => {
        emit('view', view);
        emitClusters();
      },
      onLog: (chunk: LogChunk) => emit('log', chunk),
      onTimeline: (event: TimelineEvent) => emit('timeline', event),
    },
    options.owner,
  );
  const service = new Service(options, fleet, emitter, emitClusters);
  const { now = Date.now } = options;
  const told = () => emit('settings', settings.view);
  const whole = Object.assign(
    service,
    manage({ ...options, fleet, now, service, settings, told }),
    records({ fleet, service, changed: (change) => emit('searches', change) }),
  );
  return withScripts(whole, options, {
    runs: (runs) => emit('runs', runs),
    scripts: (scripts) => emit('scripts', scripts),
  });
}

class Service implements Omit<ServiceWithoutScripts, keyof ManageApi | keyof RecordsApi> {
  readonly broken: readonly BrokenCluster[];
  readonly #options: ServiceOptions;
  readonly #fleet: Fleet;
  readonly #emitter: EventEmitter;
  readonly #emitClusters: () => void;
  readonly #tasks: Tasks;
  readonly #checkpoints: Checkpoints;

  constructor(options: ServiceOptions, fleet: Fleet, emitter: EventEmitter, emitClusters: () => void) {
    this.#options = options;
    this.#fleet = fleet;
    this.#emitter = emitter;
    this.#emitClusters = emitClusters;
    this.broken = fleet.broken;
    this.#tasks = new Tasks(options.now ?? Date.now, () => emitter.emit('tasks', this.#tasks.list));
    this.#checkpoints = new Checkpoints(this.#tasks, options.now ?? Date.now);
  }

  on<K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void): () => void {
    this.#emitter.on(name, listener);
    return () => this.#emitter.off(name, listener);
  }

  startTask: Tasks['start'] = (...args) => this.#tasks.start(...args);

  alone = <T>(name: string, work: () => Promise<T>): Promise<T> => this.#checkpoints.alone(this.#fleet.get(name), work);

  activeClusters(): number {
    return this.#fleet.all().filter((one) => one.active || this.#checkpoints.busy(one.plan.spec.name)).length;
  }

  async shutdown(): Promise<void> {
    await this.#checkpoints.settled();
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
    const { version, workspace, enginePath, environment = process.env } = this.#options;
    const { pid, platform } = process;
    const command = commandOf(enginePath, platform, environment);
    const own = { version, workspace: workspace.dir, pid, platform, command };
    return this.broken.length > 0 ? { ...own, broken: this.broken } : own;
  }

  async listClusters() {
    return this.#fleet.summaries();
  }

  async planCluster(...[spec]: Parameters<LauncherClient['planCluster']>) {
    return previewOf(await this.#fleet.plan(spec));
  }

  async createCluster(...[spec]: Parameters<LauncherClient['createCluster']>) {
    this.refuseWithoutLock();
    const plan = await this.#fleet.create(spec);
    this.#emitClusters();
    return plan;
  }

  async startCluster(name: string) {
    this.refuseWithoutLock();
    await this.#refuseWithoutEngine();
    const cluster = this.#fleet.get(name);
    this.#fleet.touch(name);
    return this.#checkpoints.whenFree(cluster, () => cluster.start());
  }

  async stopCluster(...[name, options]: Parameters<LauncherClient['stopCluster']>) {
    this.refuseWithoutLock();
    const cluster = this.#fleet.get(name);
    await this.#checkpoints.whenFree(cluster, () => cluster.stop());
    this.#fleet.touch(name);
    const throwAway = cluster.plan.spec.data === 'throw-away' || options?.throwAway === true;
    const deleted = throwAway ? await this.#fleet.remove(name) : [];
    this.#emitClusters();
    return { deleted };
  }

  async removeCluster(name: string) {
    this.refuseWithoutLock();
    const broken = await this.#fleet.removeBroken(name);
    const deleted =
      broken.length > 0
        ? broken
        : await this.#checkpoints.whenFree(this.#fleet.get(name), () => this.#fleet.remove(name));
    this.#emitClusters();
    return { deleted };
  }

  async getCluster(name: string) {
    return this.#fleet.get(name).view;
  }

  async actOnNode(...[name, target, action]: Parameters<LauncherClient['actOnNode']>) {
    this.refuseWithoutLock();
    await this.#refuseWithoutEngine();
    const cluster = this.#fleet.get(name);
    return this.#checkpoints.whenFree(cluster, () => cluster.act(target, action));
  }

  setLinks: LauncherClient['setLinks'] = async (name, links) => this.#fleet.get(name).faults.setLinks(links);
  setDisk: LauncherClient['setDisk'] = async (name, target, change) =>
    this.#fleet.get(name).faults.setDisk(target, change);
  skewClock: LauncherClient['skewClock'] = async (name, target, skewMs) =>
    this.#fleet.get(name).faults.skewClock(target, skewMs);
  heal: LauncherClient['heal'] = async (name) => this.#fleet.get(name).faults.heal();

  async askApp(...[name, clientId, action]: Parameters<LauncherClient['askApp']>) {
    return this.#fleet.get(name).apps.ask(clientId, action);
  }

  async readEvents(...[name, context, query]: Parameters<LauncherClient['readEvents']>) {
    return readEvents(this.#fleet.get(name).source, context, query);
  }

  async readEvent(...[name, context, token]: Parameters<LauncherClient['readEvent']>) {
    return readEvent(this.#fleet.get(name).source, context, token);
  }

  async queryEvents(...[name, context, query]: Parameters<LauncherClient['queryEvents']>) {
    return queryEvents(this.#fleet.get(name), context, query);
  }

  async eventTree(...[name, context]: Parameters<LauncherClient['eventTree']>) {
    return eventTree(this.#fleet.get(name).source, context);
  }

  async appendEvent(...[name, context, event]: Parameters<LauncherClient['appendEvent']>) {
    const { ids } = await appendEvent(this.#fleet.get(name).source, context, event);
    return { id: ids[0] ?? '' };
  }

  async verifyReplicas(...[name, contexts]: Parameters<LauncherClient['verifyReplicas']>) {
    const { source } = this.#fleet.get(name);
    return Promise.all(contexts.map((context) => verifyContext(source, context)));
  }

  async scrub(...[name, node, contexts]: Parameters<LauncherClient['scrub']>) {
    return scrubNode(this.#fleet.get(name).source, node, contexts);
  }

  async doctor(...[name, context]: Parameters<LauncherClient['doctor']>) {
    const cluster = this.#fleet.get(name);
    return examine(cluster.view, context, await cluster.security());
  }

  async purge(...[name, contexts]: Parameters<LauncherClient['purge']>) {
    this.refuseWithoutLock();
    return purgeContexts(this.#fleet.get(name), () => adminDoor(this.#fleet.get(name), []), contexts);
  }

  async checkpoints(name: string) {
    return listCheckpoints(this.#fleet.get(name).plan);
  }

  async saveCheckpoint(...[name, checkpoint]: Parameters<LauncherClient['saveCheckpoint']>) {
    this.refuseWithoutLock();
    return this.#checkpoints.save(this.#fleet.get(name), checkpoint);
  }

  async restoreCheckpoint(...[name, checkpoint]: Parameters<LauncherClient['restoreCheckpoint']>) {
    this.refuseWithoutLock();
    return this.#checkpoints.restore(this.#fleet.get(name), checkpoint);
  }

  async removeCheckpoint(...[name, checkpoint]: Parameters<LauncherClient['removeCheckpoint']>) {
    this.refuseWithoutLock();
    const cluster = this.#fleet.get(name);
    const deleted = await this.#checkpoints.whenFree(cluster, () => removeCheckpoint(cluster.plan, checkpoint));
    this.#emitter.emit('checkpoints', { cluster: name });
    return { deleted: [deleted] };
  }

  async wait(...[name, condition, timeoutMs]: Parameters<LauncherClient['wait']>) {
    return this.#fleet.get(name).wait(condition, timeoutMs);
  }

  async createContext(...[name, context, roles, options]: Parameters<LauncherClient['createContext']>) {
    const nodes = roles.map((role) => role.node);
    const dcb = options?.dcb ?? this.#fleet.get(name).plan.spec.dcb === true;
    await createContext(await adminDoor(this.#fleet.get(name), nodes), context, roles, dcb);
  }

  async deleteContext(...[name, context, { keepEvents }]: Parameters<LauncherClient['deleteContext']>) {
    await deleteContext(await adminDoor(this.#fleet.get(name), []), context, keepEvents);
  }

  async setRole(...[name, context, node, role, { keepEvents }]: Parameters<LauncherClient['setRole']>) {
    await setRole(await adminDoor(this.#fleet.get(name), [node]), context, node, role, keepEvents);
  }

  async moveLeader(...[name, context, node]: Parameters<LauncherClient['moveLeader']>) {
    const cluster = this.#fleet.get(name);
    const { leader, term } = leaderOf(cluster.view, context);
    if (leader.name === node) {
      return;
    }
    await moveLeader({ httpPort: leader.http, security: await cluster.security() }, context, node);
    const moved =
      node === null
        ? ({ kind: 'leader', context, afterTerm: term } as const)
        : ({ kind: 'leads', context, node } as const);
    await cluster.wait(moved, CHANGE_MS_MAX);
  }

  async changeRoles(...[name, context, wishes]: Parameters<LauncherClient['changeRoles']>) {
    const cluster = this.#fleet.get(name);
    await adminDoor(
      cluster,
      wishes.map((wish) => wish.node),
    );
    const steps = roleSteps(cluster, context, wishes, () => adminDoor(this.#fleet.get(name), []));
    return this.#tasks.start(name, `Change roles in ${context}`, steps);
  }

  async getConfig(...[name, node]: Parameters<LauncherClient['getConfig']>) {
    return readConfig(this.#fleet.get(name), node);
  }

  async setConfig(...[name, node, yours]: Parameters<LauncherClient['setConfig']>) {
    this.refuseWithoutLock();
    return writeConfig(this.#fleet.get(name), node, yours);
  }

  async rollingRestart(name: string) {
    this.refuseWithoutLock();
    const cluster = this.#fleet.get(name);
    if (!cluster.active) {
      throw notRunning(name);
    }
    return this.#tasks.start(name, `Rolling restart of ${name}`, restartSteps(cluster));
  }

  async tasks() {
    return this.#tasks.list;
  }

  async cancelTask(id: string) {
    return this.#tasks.cancel(id);
  }

  async readLogs(...[name, nodes, tail]: Parameters<LauncherClient['readLogs']>) {
    return this.#fleet.get(name).readLogs(nodes, tail);
  }

  async timeline(name: string, sinceMs: number) {
    return this.#fleet.get(name).chronicle.since(sinceMs);
  }

  setPace: LauncherClient['setPace'] = async (name, setting) => this.#fleet.get(name).faults.pace.set(setting);
  stepTicks: LauncherClient['stepTicks'] = async (name, ticks) => this.#fleet.get(name).faults.pace.step(ticks);

  history: LauncherClient['history'] = async (name) => this.#fleet.get(name).chronicle.history();
  pastView: LauncherClient['pastView'] = async (name, at) => this.#fleet.get(name).chronicle.past(at);
  timelineScript: LauncherClient['timelineScript'] = async (name, from, to) =>
    (await this.#fleet.get(name).chronicle.part(from, to)).script;

  async snippets(...[name, context]: Parameters<LauncherClient['snippets']>) {
    const cluster = this.#fleet.get(name);
    return snippetsOf(cluster.view, context, await cluster.security());
  }

  async snippet(...[name, context, kind]: Parameters<LauncherClient['snippet']>) {
    const found = (await this.snippets(name, context)).find((snippet) => snippet.kind === kind);
    if (found === undefined) {
      throw launcherError('BAD_ARGUMENT', `There is no snippet for ${kind}.`, '', []);
    }
    return found;
  }

  refuseWithoutLock(): void {
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
