// Pure: is a wait condition true in a view, and if not, why. Entry points: `isSatisfied`, `unmetReason`, `hopelessReason`.
import type { ClusterView, LauncherErrorData, NodeView, WaitCondition } from '../contract/model.ts';

export function isSatisfied(view: ClusterView, condition: WaitCondition): boolean {
  switch (condition.kind) {
    case 'ready':
      return view.state === 'usable';
    case 'leader': {
      const context = view.contexts.find((candidate) => candidate.name === condition.context);
      return context?.usable === true && (condition.afterTerm === null || (context.term ?? 0) > condition.afterTerm);
    }
    case 'caught-up':
      return behind(view, condition.node) === null && everyoneRuns(view, condition.node);
    case 'apps':
      return view.apps.length >= condition.count;
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
    case 'caught-up':
      return behind(view, condition.node) ?? notRunning(view, condition.node);
    case 'apps':
      return `${view.apps.length} of ${condition.count} apps are connected.`;
  }
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
      if (member.lastIndex === null || member.lastIndex < context.commitIndex) {
        const missing = member.lastIndex === null ? 'unknown how much' : String(context.commitIndex - member.lastIndex);
        return `${member.node} lacks ${missing} of the committed entries of ${context.name}.`;
      }
    }
  }
  return null;
}
