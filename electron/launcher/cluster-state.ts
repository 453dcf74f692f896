// What the launcher knows about one cluster, and how each event changes it. Pure: no clock, no files, no processes.
// Entry points: `initialFacts`, `reduce`. The view that people see is folded from these facts by view.ts.
import type { EngineState, StatusReport } from '../../engine/control/protocol.ts';
import type { ClockFaultView, DiskFaultView, LinkFaultView } from '../contract/faults.ts';
import type { ClusterPlan, ContextName, ExitInfo, LauncherErrorData, NodeName, NodePlan } from '../contract/model.ts';
import type { PaceSetting } from '../contract/pace.ts';

export type ProcessPhase = 'stopped' | 'starting' | 'running' | 'stopping';

export interface NodeFacts {
  readonly plan: NodePlan;
  readonly phase: ProcessPhase;
  readonly pid: number | null;
  readonly startedAt: number | null;
  /** Since when its process stands still; null: it does not. */
  readonly frozenAt: number | null;
  /** What the user asked for that will end the process, in words; null = an exit would be a crash. */
  readonly endRequested: string | null;
  readonly fatal: { readonly code: string; readonly message: string; readonly next: readonly string[] } | null;
  readonly exit: ExitInfo | null;
  /** Why the launcher did not start it at the last attempt. */
  readonly refused: LauncherErrorData | null;
  readonly report: StatusReport | null;
  readonly seenAt: number | null;
  /** Last time a gRPC handshake with this process worked; null = not since it started, or the last one failed. */
  readonly handshakeAt: number | null;
  /** Why the last handshake did not work. */
  readonly handshakeWhy: string | null;
  /** Its properties file was changed since it started. */
  readonly propertiesChangedAt: number | null;
  /** When it crashed, the last CRASH_LOOP_MS. */
  readonly crashes: readonly number[];
}

/** Its process stands still; one that is not known does not. */
export const isFrozen = (node: NodeFacts | undefined): boolean => node !== undefined && node.frozenAt !== null;

export interface LeaderFact {
  readonly node: NodeName;
  readonly term: number;
  readonly since: number;
}

export interface ClusterFacts {
  readonly plan: ClusterPlan;
  readonly nodes: readonly NodeFacts[];
  readonly faults: readonly LinkFaultView[];
  readonly diskFaults: readonly DiskFaultView[];
  readonly clockFaults: readonly ClockFaultView[];
  /** Null: time passes as usual. */
  readonly pace: (PaceSetting & { readonly since: number }) | null;
  /** Last leader seen per context; kept when it is gone, to tell how many terms passed without one. */
  readonly leaders: ReadonlyMap<ContextName, LeaderFact>;
  readonly stopping: boolean;
  /** Start of the present run of the whole cluster, null when stopped. */
  readonly startedAt: number | null;
  readonly usableAt: number | null;
  /** Some node has belonged to a cluster: a first node without data must not form another (decision 8). */
  readonly initialised: boolean;
  /** Every planned member was in every planned context once. Until then the cluster is still forming. */
  readonly formed: boolean;
  /** Nodes whose process outlived its launcher and was ended when this one began; told until the next run. */
  readonly leftBehind: readonly NodeName[];
  readonly warnings: readonly string[];
}

export type ClusterEvent =
  | { readonly type: 'run-started'; readonly at: number }
  | { readonly type: 'spawned'; readonly node: NodeName; readonly pid: number; readonly at: number }
  | {
      readonly type: 'start-refused';
      readonly node: NodeName;
      readonly at: number;
      readonly error: LauncherErrorData;
    }
  | { readonly type: 'report'; readonly node: NodeName; readonly report: StatusReport; readonly at: number }
  | {
      readonly type: 'fatal';
      readonly node: NodeName;
      readonly code: string;
      readonly message: string;
      readonly next: readonly string[];
    }
  | { readonly type: 'handshake'; readonly node: NodeName; readonly why: string | null; readonly at: number }
  | { readonly type: 'properties-changed'; readonly node: NodeName; readonly at: number }
  | { readonly type: 'end-requested'; readonly node: NodeName; readonly reason: string; readonly graceful: boolean }
  | {
      readonly type: 'exited';
      readonly node: NodeName;
      readonly at: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly lastLines: readonly string[];
    }
  | { readonly type: 'frozen'; readonly node: NodeName; readonly frozen: boolean; readonly at: number }
  | { readonly type: 'faults'; readonly faults: readonly LinkFaultView[] }
  | { readonly type: 'disk-faults'; readonly faults: readonly DiskFaultView[] }
  | { readonly type: 'clock-faults'; readonly faults: readonly ClockFaultView[] }
  | { readonly type: 'pace'; readonly pace: ClusterFacts['pace'] }
  | { readonly type: 'usable'; readonly at: number }
  | { readonly type: 'stop-requested' }
  | { readonly type: 'run-ended' }
  | { readonly type: 'replanned'; readonly plan: ClusterPlan }
  | { readonly type: 'data-deleted' }
  | { readonly type: 'warning'; readonly text: string };

const WARNINGS_MAX = 20;
/** ux.md §17: so many crashes in so short a time are a loop, which another start does not end. */
export const CRASHES_TOLD = 3;
export const CRASH_LOOP_MS = 30_000;
const MEMBER_STATES: readonly EngineState[] = ['running', 'stopping'];

export function initialFacts(
  plan: ClusterPlan,
  remembered: { initialised: boolean; formed: boolean },
  leftBehind: readonly NodeName[] = [],
): ClusterFacts {
  return {
    plan,
    nodes: plan.nodes.map(stoppedNode),
    faults: [],
    diskFaults: [],
    clockFaults: [],
    pace: null,
    leaders: new Map(),
    stopping: false,
    startedAt: null,
    usableAt: null,
    initialised: remembered.initialised,
    formed: remembered.formed,
    leftBehind,
    warnings: plan.notes ?? [],
  };
}

function stoppedNode(plan: NodePlan): NodeFacts {
  return {
    plan,
    phase: 'stopped',
    pid: null,
    startedAt: null,
    frozenAt: null,
    endRequested: null,
    fatal: null,
    exit: null,
    refused: null,
    report: null,
    seenAt: null,
    handshakeAt: null,
    handshakeWhy: null,
    propertiesChangedAt: null,
    crashes: [],
  };
}

export function reduce(facts: ClusterFacts, event: ClusterEvent): ClusterFacts {
  switch (event.type) {
    case 'run-started':
      return {
        ...facts,
        startedAt: event.at,
        usableAt: null,
        stopping: false,
        leftBehind: [],
        warnings: facts.plan.notes ?? [],
      };
    case 'report':
      return applyReport(facts, event.node, event.report, event.at);
    case 'faults':
      return { ...facts, faults: event.faults };
    case 'disk-faults':
      return { ...facts, diskFaults: event.faults };
    case 'clock-faults':
      return { ...facts, clockFaults: event.faults };
    case 'pace':
      return { ...facts, pace: event.pace };
    case 'exited':
      // A disk that fails does so until the process ends; the next one gets a disk that works.
      return { ...reduceOne(facts, event), diskFaults: withoutFailing(facts.diskFaults, event.node) };
    case 'usable':
      return { ...facts, usableAt: facts.usableAt ?? event.at, formed: true, initialised: true };
    case 'data-deleted':
      return { ...facts, formed: false, initialised: false };
    case 'stop-requested':
      return { ...facts, stopping: true };
    case 'run-ended':
      return {
        ...facts,
        stopping: false,
        startedAt: null,
        usableAt: null,
        faults: [],
        diskFaults: [],
        clockFaults: [],
        pace: null,
        leaders: new Map(),
      };
    case 'replanned': {
      const names = new Set(event.plan.nodes.map((node) => node.name));
      return {
        ...facts,
        plan: event.plan,
        nodes: event.plan.nodes.map((node) => {
          const known = facts.nodes.find((one) => one.plan.name === node.name);
          return known === undefined ? stoppedNode(node) : { ...known, plan: node };
        }),
        faults: facts.faults.filter((fault) => names.has(fault.from) && names.has(fault.to)),
        diskFaults: facts.diskFaults.filter((fault) => names.has(fault.node)),
        clockFaults: facts.clockFaults.filter((fault) => names.has(fault.node)),
      };
    }
    case 'warning':
      return facts.warnings.includes(event.text)
        ? facts
        : { ...facts, warnings: [...facts.warnings, event.text].slice(-WARNINGS_MAX) };
    default:
      return reduceOne(facts, event);
  }
}

function reduceOne(facts: ClusterFacts, event: NodeEvent): ClusterFacts {
  return updateNode(facts, event.node, (node) => reduceNode(node, event));
}

function withoutFailing(faults: readonly DiskFaultView[], node: NodeName): readonly DiskFaultView[] {
  return faults
    .map((fault) => (fault.node === node ? { ...fault, failing: false } : fault))
    .filter((fault) => fault.slowMs > 0 || fault.full || fault.failing);
}

type NodeEvent = Exclude<
  ClusterEvent,
  {
    type:
      | 'run-started'
      | 'report'
      | 'faults'
      | 'disk-faults'
      | 'clock-faults'
      | 'pace'
      | 'usable'
      | 'stop-requested'
      | 'run-ended'
      | 'replanned'
      | 'data-deleted'
      | 'warning';
  }
>;

function reduceNode(node: NodeFacts, event: NodeEvent): NodeFacts {
  // A new process does not make the crashes of the ones before undone.
  const kept = { crashes: node.crashes };
  switch (event.type) {
    case 'spawned':
      return { ...stoppedNode(node.plan), ...kept, phase: 'starting', pid: event.pid, startedAt: event.at };
    case 'start-refused':
      return { ...stoppedNode(node.plan), ...kept, exit: refusedExit(event), refused: event.error };
    case 'fatal':
      return { ...node, fatal: { code: event.code, message: event.message, next: event.next } };
    case 'handshake':
      return { ...node, handshakeAt: event.why === null ? event.at : null, handshakeWhy: event.why };
    case 'properties-changed':
      return node.startedAt === null || event.at <= node.startedAt ? node : { ...node, propertiesChangedAt: event.at };
    case 'end-requested':
      return { ...node, endRequested: event.reason, phase: event.graceful ? 'stopping' : node.phase };
    case 'frozen':
      // A resumed process has been silent for as long as it was frozen; that is not "no news".
      return event.frozen ? { ...node, frozenAt: event.at } : { ...node, frozenAt: null, seenAt: event.at };
    case 'exited': {
      const crashes = crashesOf(node, event.at);
      return { ...stoppedNode(node.plan), crashes, exit: exitInfo(node, event, crashes.length) };
    }
  }
}

function refusedExit(event: Extract<ClusterEvent, { type: 'start-refused' }>): ExitInfo {
  return {
    at: event.at,
    code: null,
    signal: null,
    expected: false,
    reason: `${event.error.what} ${event.error.why}`.trim(),
    errorCode: event.error.code,
    lastLines: [],
  };
}

/** An end that was asked for is none, and ends the row. */
const crashesOf = (node: NodeFacts, at: number): readonly number[] =>
  node.endRequested === null ? [...node.crashes.filter((before) => at - before < CRASH_LOOP_MS), at] : [];

function exitInfo(node: NodeFacts, event: Extract<ClusterEvent, { type: 'exited' }>, crashes: number): ExitInfo {
  const expected = node.endRequested !== null;
  return {
    at: event.at,
    code: event.code,
    signal: event.signal,
    expected,
    reason: exitReason(node, event.code, event.signal),
    errorCode: expected ? null : (node.fatal?.code ?? 'ENGINE_CRASHED'),
    lastLines: event.lastLines,
    ...(crashes >= CRASHES_TOLD ? { crashes } : {}),
  };
}

export function exitReason(node: NodeFacts, code: number | null, signal: string | null): string {
  if (node.endRequested !== null) {
    return `${node.endRequested}.`;
  }
  const how = signal === null ? `It ended with exit code ${code}` : `It was ended from outside by ${signal}`;
  return node.fatal === null ? `${how}.` : `${how}: ${node.fatal.message}`;
}

function applyReport(facts: ClusterFacts, name: NodeName, report: StatusReport, at: number): ClusterFacts {
  const known = facts.nodes.find((node) => node.plan.name === name);
  if (known === undefined || known.phase === 'stopped') {
    return facts;
  }
  const withNode = updateNode(facts, name, (node) => ({
    ...node,
    phase: node.phase === 'starting' ? 'running' : node.phase,
    report,
    seenAt: at,
  }));
  return {
    ...withNode,
    leaders: foldLeaders(facts.leaders, name, report, at),
    initialised: facts.initialised || (report.clusterId !== null && MEMBER_STATES.includes(report.state)),
  };
}

/** A leader counts from the report in which it first says that it leads that term. */
function foldLeaders(
  leaders: ReadonlyMap<ContextName, LeaderFact>,
  node: NodeName,
  report: StatusReport,
  at: number,
): ReadonlyMap<ContextName, LeaderFact> {
  let next: Map<ContextName, LeaderFact> | null = null;
  for (const group of report.groups) {
    const known = leaders.get(group.context);
    if (group.raftRole === 'leader' && (known === undefined || group.term > known.term)) {
      next ??= new Map(leaders);
      next.set(group.context, { node, term: group.term, since: at });
    }
  }
  return next ?? leaders;
}

function updateNode(facts: ClusterFacts, name: NodeName, change: (node: NodeFacts) => NodeFacts): ClusterFacts {
  return { ...facts, nodes: facts.nodes.map((node) => (node.plan.name === name ? change(node) : node)) };
}
