// Pure: is a wait condition true in a view, and if not, why. Entry points: `isSatisfied`, `unmetReason`, `hopelessReason`.
import type { ClusterView, LauncherErrorData, NodeRole, NodeView, WaitCondition } from '../contract/model.ts';

export function isSatisfied(view: ClusterView, condition: WaitCondition): boolean {
  switch (condition.kind) {
    case 'ready':
      return view.state === 'usable';
    case 'leader': {
      const context = view.contexts.find((candidate) => candidate.name === condition.context);
      return context?.usable === true && (condition.afterTerm === null || (context.term ?? 0) > condition.afterTerm);
    }
    case 'leads':
      return view.contexts.some((one) => one.name === condition.context && one.usable && one.leader === condition.node);
    case 'role':
      return roleIn(view, condition) === condition.role;
    case 'joined':
      return notJoined(view, condition) === null;
    case 'caught-up':
      return behind(view, condition.node) === null && everyoneRuns(view, condition.node);
    case 'apps':
      return view.apps.length >= condition.count;
    case 'apps-reconnected':
      return (view.reconnect?.apps ?? []).every(({ state }) => state === 'back' || state === 'kept');
  }
}

/** One sentence for NOT_READY_IN_TIME. */
export function unmetReason(view: ClusterView, condition: WaitCondition): string {
  switch (condition.kind) {
    case 'ready':
      return view.sentence;
    case 'leader': {
      const context = view.contexts.find((candidate) => candidate.name === condition.context);
      if (context === undefined) {
        return `There is no context ${condition.context}.`;
      }
      return context.usable ? `${context.leader} still leads term ${context.term}.` : context.why.sentence;
    }
    case 'leads':
    case 'role': {
      const context = view.contexts.find((candidate) => candidate.name === condition.context);
      if (context === undefined) {
        return `There is no context ${condition.context}.`;
      }
      const role = roleIn(view, condition);
      return condition.kind === 'leads'
        ? `${context.leader ?? 'Nobody'} leads ${context.name}. ${context.why.sentence}`
        : `${condition.node} is ${role ?? 'no member'} of ${context.name}. ${[context.why.sentence, ...context.why.notes].join(' ')}`;
    }
    case 'joined':
      return notJoined(view, condition) ?? '';
    case 'caught-up':
      return behind(view, condition.node) ?? notRunning(view, condition.node);
    case 'apps':
      return `${view.apps.length} of ${condition.count} apps are connected.`;
    case 'apps-reconnected':
      return view.reconnect?.sentence ?? '';
  }
}

function roleIn(view: ClusterView, at: { readonly context: string; readonly node: string }): NodeRole | null {
  const members = view.contexts.find((one) => one.name === at.context)?.members ?? [];
  return members.find((member) => member.node === at.node)?.role ?? null;
}

/** A node that runs has joined every context that it asked for, but those that were deleted meanwhile. */
function notJoined(view: ClusterView, { node, contexts }: Extract<WaitCondition, { kind: 'joined' }>): string | null {
  const state = view.nodes.find((candidate) => candidate.name === node)?.state;
  if (state !== 'ready' && state !== 'catching-up') return notRunning(view, node);
  const present = contexts.filter((name) => view.contexts.some((one) => one.name === name));
  const missing = present.find((context) => roleIn(view, { context, node }) !== 'PRIMARY');
  return missing === undefined ? null : `${node} is no PRIMARY of ${missing} yet.`;
}

/** Set when waiting for `ready` cannot help: a node ended by itself or was refused, and nobody restarts it. */
export function hopelessReason(view: ClusterView, condition: WaitCondition): LauncherErrorData | null {
  if (condition.kind !== 'ready') {
    return null;
  }
  const crashed = view.nodes.find((node) => node.state === 'crashed');
  if (crashed?.exit === undefined || crashed.exit === null) {
    return null;
  }
  return {
    code: crashed.exit.errorCode ?? 'ENGINE_CRASHED',
    what: `${crashed.name} does not run.`,
    why: [crashed.exit.reason, ...crashed.exit.lastLines.slice(-3)].join('\n  '),
    next: [`Look at its log: muster logs ${crashed.name}`, `Start it again: muster start ${crashed.name}`],
    node: crashed.name,
  };
}

function chosen(view: ClusterView, node: string | null): readonly NodeView[] {
  return node === null ? view.nodes : view.nodes.filter((candidate) => candidate.name === node);
}

function everyoneRuns(view: ClusterView, node: string | null): boolean {
  const nodes = chosen(view, node);
  return nodes.length > 0 && nodes.every((candidate) => candidate.state === 'ready');
}

function notRunning(view: ClusterView, node: string | null): string {
  const found = chosen(view, node).find((candidate) => candidate.state !== 'ready');
  return found === undefined ? `There is no ${node}.` : `${found.name}: ${found.sentence}`;
}

/** Caught up: the replica holds everything that its leader had committed when it last said so. */
function behind(view: ClusterView, node: string | null): string | null {
  for (const context of view.contexts) {
    for (const member of context.members) {
      if (member.role === 'MESSAGING_ONLY' || (node !== null && member.node !== node)) {
        continue;
      }
      if (context.commitIndex === null) {
        return `${context.name}: ${context.why.sentence}`;
      }
      if (member.lastIndex === null) {
        const ready = everyoneRuns(view, member.node);
        return ready
          ? `${member.node} has not told yet what it has of ${context.name}.`
          : notRunning(view, member.node);
      }
      if (member.lastIndex < context.commitIndex) {
        const missing = String(context.commitIndex - member.lastIndex);
        return `${member.node} lacks ${missing} of the committed entries of ${context.name}.`;
      }
    }
  }
  return null;
}
