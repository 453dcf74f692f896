// All clusters of a workspace: find them on disk, create, delete. May not start anything by itself. Entry point: `Fleet`.
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { LauncherError } from '../contract/model.ts';
import type { ClusterName, ClusterPlan, ClusterSpec, ClusterSummary } from '../contract/model.ts';
import type { BrokenCluster } from '../contract/data-use.ts';
import type { AppSettings } from '../contract/settings.ts';
import { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { launcherError, messageOf } from './errors.ts';
import { parsePlan, PLAN_FILE, planCluster, planIn } from './plan.ts';
import { choosePortBlock, isPortFree } from './ports.ts';
import type { PortUses } from './ports.ts';
import { readJson, writeJsonAtomic } from './workspace.ts';
import type { Workspace } from './workspace.ts';

export const CLUSTERS_MAX = 40;

type FleetOptions = Omit<ClusterOptions, 'portUse' | 'times'> & { readonly settings: () => AppSettings };

export class Fleet {
  readonly #workspace: Workspace;
  readonly #options: FleetOptions;
  readonly #clusters = new Map<ClusterName, Cluster>();
  readonly #lastUsed = new Map<ClusterName, string>();
  /** Folders that hold something, but no cluster of this version. Nothing is created over them. */
  readonly broken: BrokenCluster[] = [];

  private constructor(workspace: Workspace, options: FleetOptions) {
    this.#workspace = workspace;
    this.#options = options;
  }

  /** `owner` = this process hosts the workspace: strays are ended. Without it nothing is changed. */
  static async open(workspace: Workspace, options: FleetOptions, owner: boolean): Promise<Fleet> {
    const fleet = new Fleet(workspace, options);
    const entries = await readdir(workspace.clustersDir, { withFileTypes: true }).catch(() => []);
    const names = entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : []));
    for (const name of names.sort()) {
      const dir = workspace.clusterDir(name);
      try {
        const plan = await readPlan(dir, name);
        if (plan !== null) {
          await fleet.#adopt(plan, owner);
        }
      } catch (error) {
        fleet.broken.push({ name, dir, why: error instanceof LauncherError ? error.data.why : messageOf(error) });
      }
    }
    return fleet;
  }

  /** Fails with CLUSTER_NOT_FOUND, CLUSTER_FILE_BROKEN. */
  get(name: ClusterName): Cluster {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) {
      this.#refuseBroken(name);
      const known = [...this.#clusters.keys()];
      throw launcherError(
        'CLUSTER_NOT_FOUND',
        `There is no cluster ${name}.`,
        known.length === 0 ? 'None has been created yet.' : `Known clusters: ${known.join(', ')}.`,
        [`Create it: muster up ${name}`],
      );
    }
    return cluster;
  }

  readonly portUse: PortUses = {
    ownerOf: (pid) => this.all().find((cluster) => cluster.ownsProcess(pid))?.plan.spec.name ?? null,
    freeBlock: (plan) => this.freeBlock(plan),
  };

  /** First port of another block that the cluster could have. Fails with NO_FREE_PORTS. */
  async freeBlock({ spec }: ClusterPlan): Promise<number> {
    const plans = this.all().map((cluster) => cluster.plan);
    const preferred = this.#options.settings().firstPort;
    const { firstPort } = await choosePortBlock({ ...spec, firstPort: null }, plans, isPortFree, preferred);
    return firstPort;
  }

  all(): readonly Cluster[] {
    return [...this.#clusters.values()];
  }

  summaries(): readonly ClusterSummary[] {
    return this.all().map((cluster) => {
      const { view, plan } = cluster;
      return {
        name: view.name,
        state: view.state,
        sentence: view.sentence,
        nodes: plan.nodes.length,
        readyNodes: view.nodes.filter((node) => node.state === 'ready').length,
        contexts: view.contexts.map((context) => context.name),
        data: view.data,
        grpcPorts: plan.nodes.map((node) => node.grpc),
        lastUsed: this.#lastUsed.get(view.name) ?? plan.createdAt,
        dir: plan.dir,
        ...(view.leftBehind === undefined ? {} : { leftBehind: view.leftBehind }),
      };
    });
  }

  touch(name: ClusterName): void {
    this.#lastUsed.set(name, new Date(this.#options.now()).toISOString());
  }

  /** What `create` would write. Fails with CLUSTER_EXISTS, CLUSTER_FILE_BROKEN, NO_FREE_PORTS. */
  async plan(spec: ClusterSpec): Promise<ClusterPlan> {
    this.#refuseBroken(spec.name);
    const existing = this.#clusters.get(spec.name);
    if (existing !== undefined) {
      throw launcherError(
        'CLUSTER_EXISTS',
        `There is already a cluster ${spec.name}.`,
        `It has ${existing.plan.nodes.length === 1 ? '1 node' : `${existing.plan.nodes.length} nodes`} in ${existing.plan.dir}.`,
        [`Start it as it is: muster up ${spec.name}`, `Or delete it: muster rm ${spec.name} --yes`],
      );
    }
    const choice = await choosePortBlock(
      spec,
      this.all().map((cluster) => cluster.plan),
      isPortFree,
      this.#options.settings().firstPort,
    );
    return planCluster(spec, {
      dir: this.#workspace.clusterDir(spec.name),
      createdAt: new Date(this.#options.now()).toISOString(),
      ...choice,
    });
  }

  async create(spec: ClusterSpec): Promise<ClusterPlan> {
    if (this.#clusters.size >= CLUSTERS_MAX) {
      throw launcherError('CLUSTER_BUSY', `There are already ${CLUSTERS_MAX} clusters.`, 'That is the limit.', [
        'Delete one: muster rm <name> --yes',
      ]);
    }
    const plan = await this.plan(spec);
    try {
      await mkdir(plan.dir, { recursive: true });
      await writeJsonAtomic(path.join(plan.dir, PLAN_FILE), plan);
    } catch (error) {
      throw launcherError('WORKSPACE_UNUSABLE', `The folder ${plan.dir} cannot be written.`, messageOf(error), [
        'Make room or make it writable, then try again.',
      ]);
    }
    await this.#adopt(plan, true);
    return plan;
  }

  /** Deletes the folder of a cluster that cannot be read. Answers what was deleted: nothing when there is no such folder. */
  async removeBroken(name: string): Promise<readonly string[]> {
    const position = this.broken.findIndex((one) => one.name === name);
    const gone = position < 0 ? [] : this.broken.splice(position, 1);
    await Promise.all(gone.map(({ dir }) => rm(dir, { recursive: true, force: true, maxRetries: 3 })));
    return gone.map(({ dir }) => dir);
  }

  /** Keeps a plan with other nodes and lets the cluster follow it. Fails with CLUSTER_NOT_FOUND, WORKSPACE_UNUSABLE. */
  async replan(plan: ClusterPlan): Promise<void> {
    const cluster = this.get(plan.spec.name);
    try {
      await writeJsonAtomic(path.join(plan.dir, PLAN_FILE), plan);
    } catch (error) {
      throw launcherError('WORKSPACE_UNUSABLE', `The folder ${plan.dir} cannot be written.`, messageOf(error), [
        'Make room or make it writable, then try again.',
      ]);
    }
    cluster.replan(plan);
  }

  /** Deletes the folder of a cluster that does not run. Answers what was deleted. Fails with CLUSTER_RUNNING. */
  async remove(name: ClusterName): Promise<readonly string[]> {
    const cluster = this.get(name);
    if (cluster.active) {
      throw launcherError(
        'CLUSTER_RUNNING',
        `Cluster ${name} runs.`,
        'Its folder can only be deleted when it is stopped.',
        [`Stop it: muster down ${name}`],
      );
    }
    await cluster.close();
    await rm(cluster.plan.dir, { recursive: true, force: true, maxRetries: 3 });
    this.#clusters.delete(name);
    return [cluster.plan.dir];
  }

  #refuseBroken(name: ClusterName): void {
    const broken = this.broken.find((one) => one.name === name);
    if (broken !== undefined) {
      throw launcherError('CLUSTER_FILE_BROKEN', `Cluster ${name} in ${broken.dir} cannot be read.`, broken.why, [
        `Put a good ${PLAN_FILE} there, or use the version of Muster that wrote it.`,
        `Or delete it with its data: muster rm ${name} --yes`,
      ]);
    }
  }

  async #adopt(plan: ClusterPlan, owner: boolean): Promise<void> {
    this.#clusters.set(
      plan.spec.name,
      await Cluster.open(plan, { ...this.#options, times: this.#options.settings, portUse: this.portUse }, owner),
    );
  }
}

/** Null for an empty folder. Fails with CLUSTER_FILE_BROKEN, with the parser's words, or as reading files does. */
async function readPlan(dir: string, name: string): Promise<ClusterPlan | null> {
  const file = path.join(dir, PLAN_FILE);
  const value = await readJson(file);
  if (value === null) {
    const names = await readdir(dir);
    if (names.length > 0) {
      throw new Error(`It has no ${PLAN_FILE}, but other files: ${names.slice(0, 3).join(', ')}.`);
    }
    return null;
  }
  const plan = parsePlan(value, file);
  if (plan.spec.name !== name) {
    throw new Error(`Its ${PLAN_FILE} is that of cluster ${plan.spec.name}: the folder was copied or renamed.`);
  }
  return plan.dir === dir ? plan : planIn(dir, plan);
}
