// Builders of believable views, node by node; `scenes.ts` puts them together.
import type {
  ClusterSummary,
  ClusterView,
  ContextView,
  LogLine,
  NodeView,
  ReplicaView,
  Why,
} from '../../electron/contract/model.ts';

const DIR = '/home/ada/.local/share/muster/dev';

/** Two minutes and a bit ago: long enough for `up 2m 14s`. */
const STARTED_AGO_MS = 134_000;

export function node(i: number, patch: Partial<NodeView> = {}): NodeView {
  const name = `node-${i}`;
  return {
    name,
    state: 'ready',
    sentence: 'Takes part in both contexts and is up to date.',
    pid: 4710 + i,
    host: 'localhost',
    http: 8023 + i,
    grpc: 8123 + i,
    internal: 8223 + i,
    dir: `${DIR}/${name}`,
    propertiesFile: `${DIR}/${name}/axonserver.properties`,
    logFile: `${DIR}/${name}/log/axonserver.log`,
    startedAt: Date.now() - STARTED_AGO_MS,
    seenAt: Date.now(),
    rssBytes: (61 + i * 3) * 1_048_576,
    cpuPercent: 0.4 + i * 0.3,
    leads: i === 1 ? ['default'] : i === 2 ? ['_admin'] : [],
    apps: i === 3 ? 0 : 1,
    catchUpPercent: null,
    eventsBehind: null,
    exit: null,
    ...patch,
  };
}

/** A node without a process. */
export const down = (i: number, patch: Partial<NodeView> = {}): NodeView =>
  node(i, {
    state: 'stopped',
    sentence: 'Stopped by you.',
    pid: null,
    startedAt: null,
    rssBytes: null,
    cpuPercent: null,
    leads: [],
    apps: 0,
    ...patch,
  });

export function replica(i: number, patch: Partial<ReplicaView> = {}): ReplicaView {
  return {
    node: `node-${i}`,
    role: 'PRIMARY',
    state: i === 1 ? 'leader' : 'follower',
    term: 7,
    votedFor: 'node-1',
    lastIndex: 18_402,
    commitIndex: 18_402,
    appliedIndex: patch.commitIndex ?? 18_402,
    matchIndex: 18_402,
    lastToken: 18_377,
    lag: 0,
    seenAt: Date.now(),
    ...patch,
  };
}

export const why = (patch: Partial<Why> = {}): Why => ({
  headline: 'healthy',
  sentence: 'Healthy. node-1 leads since 14:02:11 (term 7).',
  lossSentence: 'If node-1 dies now, committed events are safe on node-2 and node-3.',
  notes: [],
  next: [],
  ...patch,
});

export function context(name: string, patch: Partial<ContextView> = {}): ContextView {
  return {
    name,
    leader: 'node-1',
    term: 7,
    leaderSince: Date.now() - STARTED_AGO_MS + 900,
    usable: true,
    commitIndex: 18_402,
    lastToken: 18_377,
    members: [replica(1), replica(2), replica(3)],
    why: why(),
    ...patch,
  };
}

export const admin = (): ContextView =>
  context('_admin', {
    leader: 'node-2',
    term: 2,
    commitIndex: 14,
    lastToken: -1,
    members: [1, 2, 3].map((i) =>
      replica(i, {
        state: i === 2 ? 'leader' : 'follower',
        term: 2,
        votedFor: 'node-2',
        lastIndex: 14,
        commitIndex: 14,
        matchIndex: 14,
        lastToken: -1,
      }),
    ),
    why: why({ sentence: 'Healthy. node-2 leads since 14:02:11 (term 2).' }),
  });

export function cluster(patch: Partial<ClusterView> = {}): ClusterView {
  return {
    name: 'dev',
    state: 'usable',
    sentence: '3 of 3 nodes ready, 2 contexts healthy; data is kept.',
    dir: DIR,
    data: 'keep',
    timing: 'dev',
    nodes: [node(1), node(2), node(3)],
    contexts: [context('default'), admin()],
    apps: [],
    faults: [],
    usableAfterMs: 1284,
    revision: 1,
    warnings: [],
    ...patch,
  };
}

export const stoppedReplica = (i: number): ReplicaView =>
  replica(i, {
    state: 'down',
    term: null,
    votedFor: null,
    lastIndex: null,
    commitIndex: null,
    matchIndex: null,
    lag: null,
  });

export const summaryOf = (view: ClusterView): ClusterSummary => ({
  name: view.name,
  state: view.state,
  sentence: view.sentence,
  nodes: view.nodes.length,
  readyNodes: view.nodes.filter((one) => one.state === 'ready').length,
  contexts: view.contexts.map((one) => one.name).filter((name) => !name.startsWith('_')),
  data: view.data,
  grpcPorts: view.nodes.map((one) => one.grpc),
  lastUsed: new Date().toISOString(),
  dir: view.dir,
  ...(view.leftBehind === undefined ? {} : { leftBehind: view.leftBehind }),
});

/** A short plausible log of one node. */
export function logOf(i: number): readonly LogLine[] {
  const start = Date.now() - STARTED_AGO_MS;
  const line = (seq: number, level: LogLine['level'], text: string, inContext: string | null = null): LogLine => ({
    seq,
    at: start + seq * 137 + i * 11,
    level,
    context: inContext,
    code: level === 'warn' ? 'JOIN_RETRY' : null,
    text,
    ...(level === 'warn' ? { harmless: 'the first node is not up yet; this one asks again by itself' } : {}),
  });
  const leader = i === 1;
  return [
    line(0, 'mark', `process ${4710 + i} started`),
    line(1, 'info', `listening: http ${8023 + i}, grpc ${8123 + i}, internal ${8223 + i}`),
    line(
      2,
      'info',
      leader ? 'first node of autocluster: forming the cluster' : 'joining the cluster through localhost:8224',
    ),
    line(
      3,
      leader ? 'info' : 'warn',
      leader ? 'created context _admin' : 'localhost:8224 does not answer yet, next try in 250 ms',
    ),
    line(4, 'info', leader ? 'elected leader of term 7' : 'follows node-1 in term 7', 'default'),
    line(5, 'debug', 'barrier entry 3 committed', 'default'),
    line(6, 'info', 'ready', null),
  ];
}
