// Pure: turns `leader:default`, `follower:default`, `node-2`, `all` into node names of a view. Entry point: `resolveTarget`.
import type { NodeTarget } from '../contract/api.ts';
import type { ClusterPlan, ClusterView, NodeAction, NodeName } from '../contract/model.ts';
import { launcherError } from './errors.ts';

/** `follower:` means the first running follower by node order. Fails with NODE_NOT_FOUND or NO_SUCH_TARGET. */
export function resolveTarget(view: ClusterView, target: NodeTarget): readonly NodeName[] {
  if (target === 'all') {
    return view.nodes.map((node) => node.name);
  }
  const symbolic = /^(leader|follower):(.+)$/.exec(target);
  if (symbolic === null) {
    if (!view.nodes.some((node) => node.name === target)) {
      throw nodeNotFound(view.name, target, view.nodes);
    }
    return [target];
  }
  const context = view.contexts.find((candidate) => candidate.name === symbolic[2]);
  if (context === undefined) {
    throw noSuchTarget(target, `Cluster ${view.name} has no context ${symbolic[2]}.`, [
      `Its contexts are ${view.contexts.map((candidate) => candidate.name).join(', ')}.`,
    ]);
  }
  const found =
    symbolic[1] === 'leader' ? context.leader : context.members.find((member) => member.state === 'follower')?.node;
  if (found === null || found === undefined) {
    throw noSuchTarget(target, context.why.sentence, [`Wait for it: muster wait leader:${context.name} --timeout 5s`]);
  }
  return [found];
}

/** `all` leaves out nodes for which the action is already done; a single node that cannot take it is an error. */
export function applicableNodes(
  view: ClusterView,
  names: readonly NodeName[],
  action: NodeAction,
): readonly NodeName[] {
  const fits = (name: NodeName): boolean => {
    const node = view.nodes.find((candidate) => candidate.name === name);
    const runs = node !== undefined && node.pid !== null;
    switch (action) {
      case 'start':
        return !runs;
      case 'restart':
        return true;
      case 'resume':
        return node?.state === 'frozen';
      case 'freeze':
        return runs && node.state !== 'frozen';
      default:
        return runs;
    }
  };
  const applicable = names.filter(fits);
  const only = names.length === 1 ? names[0] : undefined;
  if (applicable.length > 0 || only === undefined) {
    return applicable;
  }
  switch (action) {
    case 'start':
    case 'freeze':
      // Already as wanted: repeating the command is not an error.
      if (view.nodes.find((node) => node.name === only)?.pid !== null) {
        return [];
      }
      throw notRunning(only);
    case 'resume':
      throw launcherError(
        'NODE_NOT_FROZEN',
        `${only} is not frozen.`,
        `It is ${view.nodes.find((node) => node.name === only)?.state ?? 'unknown'}.`,
        [`Freeze it first: muster freeze ${only}`, `Or start it, when it does not run: muster start ${only}`],
        { node: only },
      );
    default:
      throw notRunning(only);
  }
}

function notRunning(node: NodeName): Error {
  return launcherError('NODE_NOT_RUNNING', `${node} does not run.`, '', [`Start it: muster start ${node}`], { node });
}

export function nodeNotFound(cluster: string, name: string, nodes: readonly { readonly name: NodeName }[]): Error {
  return launcherError('NODE_NOT_FOUND', `Cluster ${cluster} has no ${name}.`, '', [
    `Its nodes are ${nodes.map((node) => node.name).join(', ')}.`,
  ]);
}

export function contextNotFound(cluster: string, name: string, contexts: readonly string[]): Error {
  return launcherError('CONTEXT_NOT_FOUND', `Cluster ${cluster} has no context ${name}.`, '', [
    `Its contexts are ${contexts.join(', ')}.`,
  ]);
}

export function appNotFound(clientId: string, view: ClusterView): Error {
  const known = [...new Set(view.apps.map((app) => app.clientId))].join(', ');
  return launcherError(
    'APP_NOT_FOUND',
    `No app ${clientId} is connected.`,
    known === '' ? 'No app is connected at all.' : `Connected: ${known}.`,
    ['See them: muster apps'],
  );
}

function noSuchTarget(target: NodeTarget, why: string, next: readonly string[]): Error {
  return launcherError('NO_SUCH_TARGET', `There is no ${target} now.`, why, next);
}

/** The value looked up for a node of the plan. Fails with NODE_NOT_FOUND. */
export function found<T>(value: T | undefined, plan: ClusterPlan, name: NodeName): T {
  if (value === undefined) {
    throw nodeNotFound(plan.spec.name, name, plan.nodes);
  }
  return value;
}
