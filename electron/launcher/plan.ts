// Pure: a wish (ClusterSpec) and facts (folder, first port, time) in, the whole plan out. The executor reads nothing else.
// May not touch files, clock or environment. Entry point: `planCluster`.
import path from 'node:path';
import type { ClusterPlan, ClusterSpec, ClusterView, NodePlan } from '../contract/model.ts';
import { checkSpec, SPEC_FLAGS } from '../contract/check.ts';
import { launcherError } from './errors.ts';
import { nodePorts } from './ports.ts';

export const PLAN_FILE = 'cluster.json';
/** Advertised to clients and peers; autocluster compares it as text (cluster-semantics AC-3). */
export const ADVERTISED_HOST = 'localhost';
/** How nodes of one computer find each other. */
export const INTERNAL_HOST = 'localhost';

export interface PlanFacts {
  readonly dir: string;
  readonly firstPort: number;
  readonly createdAt: string;
  readonly notes: readonly string[];
}

export function planCluster(spec: ClusterSpec, facts: PlanFacts): ClusterPlan {
  const nodes = Array.from({ length: spec.nodes }, (_unused, position) =>
    planNode(facts.dir, position, facts.firstPort, spec.host),
  );
  return { version: 1, spec, dir: facts.dir, createdAt: facts.createdAt, nodes, notes: facts.notes };
}

/** What a view tells of the wish that a cluster was made by; what is off is absent. */
export function madeWith(spec: ClusterSpec): Pick<ClusterView, 'timing' | (typeof SPEC_FLAGS)[number]> {
  const on = SPEC_FLAGS.filter((flag) => spec[flag] === true);
  return { timing: spec.timing, ...Object.fromEntries(on.map((flag) => [flag, true])) };
}

function nodeFiles(clusterDir: string, name: string): Pick<NodePlan, 'dir' | 'propertiesFile' | 'logFile'> {
  const dir = path.join(clusterDir, name);
  return {
    dir,
    propertiesFile: path.join(dir, 'axonserver.properties'),
    logFile: path.join(dir, 'logs', `${name}.log`),
  };
}

/** The same cluster after its workspace was moved or copied: every path is below the folder in which it lies now. */
export function planIn(dir: string, plan: ClusterPlan): ClusterPlan {
  return { ...plan, dir, nodes: plan.nodes.map((node) => ({ ...node, ...nodeFiles(dir, node.name) })) };
}

/** `position` counts from 0. */
export function planNode(clusterDir: string, position: number, firstPort: number, host = ADVERTISED_HOST): NodePlan {
  const name = `node-${position + 1}`;
  const dir = path.join(clusterDir, name);
  return {
    name,
    dir,
    propertiesFile: path.join(dir, 'axonserver.properties'),
    logFile: path.join(dir, 'logs', `${name}.log`),
    host,
    ...nodePorts(firstPort, position),
  };
}

/** Reads a plan back from disk. Fails with CLUSTER_FILE_BROKEN naming the file. */
export function parsePlan(value: unknown, file: string): ClusterPlan {
  const plan = value as Partial<ClusterPlan> | null;
  const broken = (why: string): Error =>
    launcherError('CLUSTER_FILE_BROKEN', `The file ${file} is not a cluster of this version.`, why, [
      'Restore the file, or delete its folder to forget the cluster.',
    ]);
  if (typeof plan !== 'object' || plan === null || plan.version !== 1) {
    throw broken('It has no version 1.');
  }
  let spec: ClusterSpec;
  try {
    spec = checkSpec(plan.spec);
  } catch (error) {
    throw broken(error instanceof Error ? error.message : String(error));
  }
  const nodes = plan.nodes;
  if (
    !Array.isArray(nodes) ||
    nodes.length !== spec.nodes ||
    typeof plan.dir !== 'string' ||
    !nodes.every(isNodePlan)
  ) {
    throw broken('Its list of nodes is damaged.');
  }
  const notes = Array.isArray(plan.notes) ? plan.notes.filter((note) => typeof note === 'string') : [];
  const moved = plan.moved === true ? ({ moved: true } as const) : {};
  return { version: 1, spec, dir: plan.dir, createdAt: String(plan.createdAt), nodes, notes, ...moved };
}

function isNodePlan(value: unknown): value is NodePlan {
  const node = value as Partial<NodePlan> | null;
  return (
    typeof node === 'object' &&
    node !== null &&
    [node.name, node.dir, node.propertiesFile, node.logFile, node.host].every((text) => typeof text === 'string') &&
    [node.http, node.grpc, node.internal].every((port) => Number.isInteger(port))
  );
}
