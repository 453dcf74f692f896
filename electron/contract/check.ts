// Run-time checks of every argument that crosses a process border (IPC, HTTP). May not import anything but the contract.
// Entry point: `checkArguments`. Unknown keys are refused, so a caller's typing error never passes silently.
import type { LauncherApi } from './api.ts';
import { LauncherError } from './model.ts';
import type { ClusterSpec, NodeAction, NodeRole, SnippetKind, TimingProfile, WaitCondition } from './model.ts';

export const CLUSTER_NAME_RULE = /^[a-z][a-z0-9-]{0,39}$/;
/** cluster-semantics CX: the name rule of Axon Server contexts; `_admin` is the only name that starts with an underscore. */
export const CONTEXT_NAME_RULE = /^[a-zA-Z][a-zA-Z_\-0-9]{0,62}$/;
export const NODE_NAME_RULE = /^node-[1-9]$/;
export const NODES_MAX = 9;
export const CONTEXTS_MAX = 50;
export const WAIT_TIMEOUT_MAX_MS = 3_600_000;
export const LOG_TAIL_MAX = 20_000;
export const LINK_DELAY_MAX_MS = 60_000;
/** Three blocks of ports, 100 apart, must fit below 65536. */
export const FIRST_PORT_MIN = 1024;
export const FIRST_PORT_MAX = 65_535 - 200 - NODES_MAX;

const nodeActions: readonly NodeAction[] = ['start', 'stop', 'kill', 'freeze', 'resume', 'restart'];
const snippetKinds: readonly SnippetKind[] = ['spring', 'quarkus', 'java', 'python', 'env', 'cli'];
const roles: readonly NodeRole[] = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP', 'MESSAGING_ONLY'];

type Parse<T> = (value: unknown, where: string) => T;
type ArgumentChecks = { readonly [K in keyof LauncherApi]: (args: readonly unknown[]) => Parameters<LauncherApi[K]> };

/** Throws LauncherError BAD_ARGUMENT; answers the typed argument list of `method`. */
export function checkArguments<K extends keyof LauncherApi>(
  method: K,
  args: readonly unknown[],
): Parameters<LauncherApi[K]> {
  return checks[method](args);
}

export function checkSpec(value: unknown): ClusterSpec {
  return specOf(value, 'spec');
}

function refuse(where: string, why: string): never {
  throw new LauncherError({
    code: 'BAD_ARGUMENT',
    what: `The argument '${where}' cannot be used.`,
    why,
    next: ['Correct the argument and try again.'],
  });
}

function textOf(rule: RegExp, ruleInWords: string): Parse<string> {
  return (value, where) => {
    if (typeof value !== 'string' || !rule.test(value)) {
      refuse(where, `${shown(value)} is not ${ruleInWords}.`);
    }
    return value;
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const clusterNameOf = textOf(
  CLUSTER_NAME_RULE,
  'a cluster name (1 to 40 lower-case letters, digits and dashes, starting with a letter)',
);
const nodeNameOf = textOf(NODE_NAME_RULE, 'a node name (node-1 to node-9)');
const targetOf = textOf(
  /^(all|node-[1-9]|(leader|follower):[a-zA-Z_][a-zA-Z_\-0-9]{0,62})$/,
  'a target (node-1, all, leader:<context> or follower:<context>)',
);

export const contextNameOf: Parse<string> = (value, where) => {
  if (typeof value !== 'string' || (value !== '_admin' && !CONTEXT_NAME_RULE.test(value))) {
    refuse(where, `${shown(value)} is not a context name (a letter, then letters, digits, '_' or '-').`);
  }
  return value;
};

function oneOf<T extends string>(values: readonly T[]): Parse<T> {
  return (value, where) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) {
      refuse(where, `${shown(value)} is none of ${values.join(', ')}.`);
    }
    return found;
  };
}

function integerOf(min: number, max: number): Parse<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      refuse(where, `${shown(value)} is not a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

const booleanOf: Parse<boolean> = (value, where) => {
  if (typeof value !== 'boolean') {
    refuse(where, `${shown(value)} is neither true nor false.`);
  }
  return value;
};

function listOf<T>(item: Parse<T>, max: number): Parse<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) {
      refuse(where, `${shown(value)} is not a list.`);
    }
    if (value.length > max) {
      refuse(where, `The list has ${value.length} entries, at most ${max} are allowed.`);
    }
    return value.map((entry, position) => item(entry, `${where}[${position}]`));
  };
}

function recordOf(value: unknown, where: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(where, `${shown(value)} is not an object.`);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      refuse(`${where}.${key}`, `Unknown key; known keys are ${keys.join(', ')}.`);
    }
  }
  return value as Record<string, unknown>;
}

function unique(values: readonly string[], where: string): readonly string[] {
  if (new Set(values).size !== values.length) {
    refuse(where, 'A name appears twice.');
  }
  return values;
}

const specOf: Parse<ClusterSpec> = (value, where) => {
  const record = recordOf(value, where, ['name', 'nodes', 'contexts', 'data', 'timing', 'dcb', 'firstPort']);
  const contexts = unique(
    listOf(contextNameOf, CONTEXTS_MAX)(record['contexts'], `${where}.contexts`),
    `${where}.contexts`,
  );
  if (contexts.includes('_admin')) {
    refuse(`${where}.contexts`, "'_admin' is always created; leave it out.");
  }
  return {
    name: clusterNameOf(record['name'], `${where}.name`),
    nodes: integerOf(1, NODES_MAX)(record['nodes'], `${where}.nodes`),
    contexts,
    data: oneOf(['keep', 'throw-away'] as const)(record['data'], `${where}.data`),
    timing: oneOf<TimingProfile>(['dev', 'axon'])(record['timing'], `${where}.timing`),
    ...(record['dcb'] !== undefined && booleanOf(record['dcb'], `${where}.dcb`) ? { dcb: true } : {}),
    firstPort:
      record['firstPort'] === null
        ? null
        : integerOf(FIRST_PORT_MIN, FIRST_PORT_MAX)(record['firstPort'], `${where}.firstPort`),
  };
};

const conditionOf: Parse<WaitCondition> = (value, where) => {
  const record = recordOf(value, where, ['kind', 'context', 'afterTerm', 'node', 'count']);
  const kind = oneOf(['ready', 'leader', 'caught-up', 'apps'] as const)(record['kind'], `${where}.kind`);
  switch (kind) {
    case 'ready':
      return { kind };
    case 'leader': {
      const after = record['afterTerm'] ?? null;
      const afterTerm = after === null ? null : integerOf(0, Number.MAX_SAFE_INTEGER)(after, `${where}.afterTerm`);
      return { kind, context: contextNameOf(record['context'], `${where}.context`), afterTerm };
    }
    case 'caught-up': {
      const node = record['node'] ?? null;
      return { kind, node: node === null ? null : nodeNameOf(node, `${where}.node`) };
    }
    case 'apps':
      return { kind, count: integerOf(0, 10_000)(record['count'], `${where}.count`) };
  }
};

const linkKeys = ['from', 'to', 'cut', 'delayMs', 'jitterMs', 'lossPercent'];
const linkOf: Parse<Parameters<LauncherApi['setLinks']>[1][number]> = (value, where) => {
  const record = recordOf(value, where, linkKeys);
  const link = {
    from: nodeNameOf(record['from'], `${where}.from`),
    to: nodeNameOf(record['to'], `${where}.to`),
    cut: booleanOf(record['cut'], `${where}.cut`),
    delayMs: integerOf(0, LINK_DELAY_MAX_MS)(record['delayMs'], `${where}.delayMs`),
    jitterMs: integerOf(0, LINK_DELAY_MAX_MS)(record['jitterMs'], `${where}.jitterMs`),
    lossPercent: integerOf(0, 100)(record['lossPercent'], `${where}.lossPercent`),
  };
  if (link.from === link.to) {
    refuse(where, 'A link needs two different nodes.');
  }
  return link;
};

const keepOf: Parse<{ readonly keepEvents: boolean }> = (value, where) => {
  const record = recordOf(value, where, ['keepEvents']);
  return { keepEvents: booleanOf(record['keepEvents'], `${where}.keepEvents`) };
};

const roleOf: Parse<{ readonly node: string; readonly role: string }> = (value, where) => {
  const record = recordOf(value, where, ['node', 'role']);
  return { node: nodeNameOf(record['node'], `${where}.node`), role: oneOf(roles)(record['role'], `${where}.role`) };
};

function count(args: readonly unknown[], min: number, max: number): void {
  if (args.length < min || args.length > max) {
    refuse('arguments', `${args.length} arguments given, ${min === max ? min : `${min} to ${max}`} expected.`);
  }
}

function onlyCluster(args: readonly unknown[]): [string] {
  count(args, 1, 1);
  return [clusterNameOf(args[0], 'cluster')];
}

function nothing(args: readonly unknown[]): [] {
  count(args, 0, 0);
  return [];
}

function onlySpec(args: readonly unknown[]): [ClusterSpec] {
  count(args, 1, 1);
  return [specOf(args[0], 'spec')];
}

const checks: ArgumentChecks = {
  about: nothing,
  listClusters: nothing,
  planCluster: onlySpec,
  createCluster: onlySpec,
  startCluster: onlyCluster,
  stopCluster(args) {
    count(args, 1, 2);
    const cluster = clusterNameOf(args[0], 'cluster');
    if (args[1] === undefined || args[1] === null) {
      return [cluster];
    }
    const record = recordOf(args[1], 'options', ['throwAway']);
    return [cluster, { throwAway: booleanOf(record['throwAway'], 'options.throwAway') }];
  },
  removeCluster: onlyCluster,
  getCluster: onlyCluster,
  actOnNode(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), targetOf(args[1], 'target'), oneOf(nodeActions)(args[2], 'action')];
  },
  setLinks(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), listOf(linkOf, NODES_MAX * NODES_MAX)(args[1], 'links')];
  },
  heal: onlyCluster,
  wait(args) {
    count(args, 3, 3);
    const timeoutMs = integerOf(0, WAIT_TIMEOUT_MAX_MS)(args[2], 'timeoutMs');
    return [clusterNameOf(args[0], 'cluster'), conditionOf(args[1], 'condition'), timeoutMs];
  },
  createContext(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      contextNameOf(args[1], 'context'),
      listOf(roleOf, NODES_MAX)(args[2], 'roles'),
    ];
  },
  deleteContext(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), keepOf(args[2], 'options')];
  },
  setRole(args) {
    count(args, 5, 5);
    return [
      clusterNameOf(args[0], 'cluster'),
      args[1] === '_admin' ? '_admin' : contextNameOf(args[1], 'context'),
      nodeNameOf(args[2], 'node'),
      args[3] === null ? null : oneOf(roles)(args[3], 'role'),
      keepOf(args[4], 'options'),
    ];
  },
  readLogs(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      listOf(nodeNameOf, NODES_MAX)(args[1], 'nodes'),
      integerOf(0, LOG_TAIL_MAX)(args[2], 'tail'),
    ];
  },
  timeline(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), integerOf(0, Number.MAX_SAFE_INTEGER)(args[1], 'sinceMs')];
  },
  snippets(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context')];
  },
  snippet(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), oneOf(snippetKinds)(args[2], 'kind')];
  },
};
