// Run-time checks of every argument that crosses a process border (IPC, HTTP). May not import anything but the contract.
// Entry point: `checkArguments`. Unknown keys are refused, so a caller's typing error never passes silently.
import type { LauncherApi } from './api.ts';
import { manageChecks } from './check-manage.ts';
import { CLOCK_SKEW_MS_MAX } from './grammar.ts';
import { layoutOf } from './check-layout.ts';
import { recordChecks } from './check-records.ts';
import { scriptChecks } from './check-scripts.ts';
import { sliceChecks } from './check-slices.ts';
import {
  ADMIN_CONTEXT,
  FIRST_PORT_MAX,
  FIRST_PORT_MIN,
  NODES_MAX,
  booleanOf,
  clusterNameOf,
  configTextOf,
  contextNameOf,
  count,
  hostNameOf,
  integerOf,
  listOf,
  nodeNameOf,
  nodeRoleOf,
  oneOf,
  optional,
  recordOf,
  refuse,
  targetOf,
  taskIdOf,
  unique,
} from './check-parts.ts';
import type { Parse } from './check-parts.ts';
import type { DiskFault } from './faults.ts';
import type { ClusterSpec, NodeAction, NodeRole, SnippetKind, WaitCondition } from './model.ts';

export const CONTEXTS_MAX = 50;
export const WAIT_TIMEOUT_MAX_MS = 3_600_000;
export const LOG_TAIL_MAX = 20_000;
export const LINK_DELAY_MAX_MS = 60_000;

const nodeActions: readonly NodeAction[] = ['start', 'stop', 'kill', 'freeze', 'resume', 'restart'];
const snippetKinds: readonly SnippetKind[] = ['spring', 'quarkus', 'java', 'python', 'env', 'cli'];

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

/** Options that are absent when they are off. */
/** Of a spec: true or absent. */
export const SPEC_FLAGS = ['slowMotion', 'dcb', 'accessControl', 'tls'] as const;

function flagsOf(
  record: Readonly<Record<string, unknown>>,
  where: string,
): Pick<ClusterSpec, (typeof SPEC_FLAGS)[number]> {
  const on = SPEC_FLAGS.filter((flag) => record[flag] !== undefined && booleanOf(record[flag], `${where}.${flag}`));
  return Object.fromEntries(on.map((flag) => [flag, true]));
}

const SPEC_KEYS = ['name', 'nodes', 'contexts', 'data', 'timing', ...SPEC_FLAGS, 'host', 'layout', 'firstPort'];

const specOf: Parse<ClusterSpec> = (value, where) => {
  const record = recordOf(value, where, SPEC_KEYS);
  const contexts = unique(
    listOf(contextNameOf, CONTEXTS_MAX)(record['contexts'], `${where}.contexts`),
    `${where}.contexts`,
  );
  if (contexts.includes(ADMIN_CONTEXT)) {
    refuse(`${where}.contexts`, "'_admin' is always created; leave it out.");
  }
  const timing = oneOf(['dev', 'axon'] as const)(record['timing'], `${where}.timing`);
  const flags = flagsOf(record, where);
  if (flags.slowMotion === true && timing !== 'dev') {
    refuse(`${where}.slowMotion`, 'Slow motion is for the timing dev.');
  }
  const nodes = integerOf(1, NODES_MAX)(record['nodes'], `${where}.nodes`);
  const host = optional(hostNameOf, record['host'], `${where}.host`);
  const layout = optional(layoutOf(nodes, contexts), record['layout'], `${where}.layout`);
  return {
    name: clusterNameOf(record['name'], `${where}.name`),
    nodes,
    contexts,
    data: oneOf(['keep', 'throw-away'] as const)(record['data'], `${where}.data`),
    timing,
    ...flags,
    ...(host === undefined ? {} : { host }),
    ...(layout === undefined ? {} : { layout }),
    firstPort:
      record['firstPort'] === null
        ? null
        : integerOf(FIRST_PORT_MIN, FIRST_PORT_MAX)(record['firstPort'], `${where}.firstPort`),
  };
};

const roleOrNoneOf: Parse<NodeRole | null> = (value, where) => (value === null ? null : nodeRoleOf(value, where));

const wishOf: Parse<{ readonly node: string; readonly role: NodeRole | null }> = (value, where) => {
  const record = recordOf(value, where, ['node', 'role']);
  return { node: nodeNameOf(record['node'], `${where}.node`), role: roleOrNoneOf(record['role'], `${where}.role`) };
};

const conditionOf: Parse<WaitCondition> = (value, where) => {
  const record = recordOf(value, where, ['kind', 'context', 'contexts', 'afterTerm', 'node', 'count', 'role']);
  const kinds = ['ready', 'leader', 'leads', 'role', 'joined', 'caught-up', 'apps', 'apps-reconnected'] as const;
  const kind = oneOf(kinds)(record['kind'], `${where}.kind`);
  switch (kind) {
    case 'ready':
    case 'apps-reconnected':
      return { kind };
    case 'leader': {
      const after = record['afterTerm'] ?? null;
      const afterTerm = after === null ? null : integerOf(0, Number.MAX_SAFE_INTEGER)(after, `${where}.afterTerm`);
      return { kind, context: contextNameOf(record['context'], `${where}.context`), afterTerm };
    }
    case 'leads':
    case 'role': {
      const context = contextNameOf(record['context'], `${where}.context`);
      const node = nodeNameOf(record['node'], `${where}.node`);
      return kind === 'leads'
        ? { kind, context, node }
        : { kind, context, node, role: roleOrNoneOf(record['role'], `${where}.role`) };
    }
    case 'joined': {
      const contexts = listOf(contextNameOf, CONTEXTS_MAX)(record['contexts'], `${where}.contexts`);
      return { kind, node: nodeNameOf(record['node'], `${where}.node`), contexts };
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

const diskChangeOf: Parse<Partial<DiskFault>> = (value, where) => {
  const record = recordOf(value, where, ['slowMs', 'failing', 'full']);
  const { slowMs, failing, full } = record;
  return {
    ...(slowMs === undefined ? {} : { slowMs: integerOf(0, LINK_DELAY_MAX_MS)(slowMs, `${where}.slowMs`) }),
    ...(failing === undefined ? {} : { failing: booleanOf(failing, `${where}.failing`) }),
    ...(full === undefined ? {} : { full: booleanOf(full, `${where}.full`) }),
  };
};

const createOf: Parse<{ readonly dcb?: boolean }> = (value, where) => {
  const record = recordOf(value, where, ['dcb']);
  return record['dcb'] === undefined ? {} : { dcb: booleanOf(record['dcb'], `${where}.dcb`) };
};

const keepOf: Parse<{ readonly keepEvents: boolean }> = (value, where) => {
  const record = recordOf(value, where, ['keepEvents']);
  return { keepEvents: booleanOf(record['keepEvents'], `${where}.keepEvents`) };
};

const roleOf: Parse<{ readonly node: string; readonly role: string }> = (value, where) => {
  const record = recordOf(value, where, ['node', 'role']);
  return { node: nodeNameOf(record['node'], `${where}.node`), role: nodeRoleOf(record['role'], `${where}.role`) };
};

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
  ...manageChecks,
  ...sliceChecks,
  ...recordChecks,
  ...scriptChecks,
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
  setDisk(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), targetOf(args[1], 'target'), diskChangeOf(args[2], 'change')];
  },
  skewClock(args) {
    count(args, 3, 3);
    const skewMs = integerOf(-CLOCK_SKEW_MS_MAX, CLOCK_SKEW_MS_MAX)(args[2], 'skewMs');
    return [clusterNameOf(args[0], 'cluster'), targetOf(args[1], 'target'), skewMs];
  },
  heal: onlyCluster,
  wait(args) {
    count(args, 3, 3);
    const timeoutMs = integerOf(0, WAIT_TIMEOUT_MAX_MS)(args[2], 'timeoutMs');
    return [clusterNameOf(args[0], 'cluster'), conditionOf(args[1], 'condition'), timeoutMs];
  },
  createContext(args) {
    count(args, 3, 4);
    return [
      clusterNameOf(args[0], 'cluster'),
      contextNameOf(args[1], 'context'),
      listOf(roleOf, NODES_MAX)(args[2], 'roles'),
      createOf(args[3] ?? {}, 'options'),
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
      args[1] === ADMIN_CONTEXT ? ADMIN_CONTEXT : contextNameOf(args[1], 'context'),
      nodeNameOf(args[2], 'node'),
      roleOrNoneOf(args[3], 'role'),
      keepOf(args[4], 'options'),
    ];
  },
  moveLeader(args) {
    count(args, 3, 3);
    const node = args[2] === null ? null : nodeNameOf(args[2], 'node');
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), node];
  },
  changeRoles(args) {
    count(args, 3, 3);
    const wishes = listOf(wishOf, NODES_MAX)(args[2], 'roles');
    unique(
      wishes.map((wish) => wish.node),
      'roles',
    );
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), wishes];
  },
  getConfig(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), nodeNameOf(args[1], 'node')];
  },
  setConfig(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), nodeNameOf(args[1], 'node'), configTextOf(args[2], 'yours')];
  },
  rollingRestart: onlyCluster,
  tasks: nothing,
  cancelTask(args) {
    count(args, 1, 1);
    return [taskIdOf(args[0], 'id')];
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
