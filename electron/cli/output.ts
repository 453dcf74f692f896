// How the command line looks: one JSON object, or lines and tables for people. May not call the launcher.
// Entry points: `Output`, `clusterObject`, `statusText`.
import { codesIn } from '../contract/axoniq-codes.ts';
import type { ClusterSummary, ClusterView, LauncherErrorData, LogLine } from '../contract/model.ts';
import type { PaceSetting } from '../contract/pace.ts';
import type { TimeFormat } from '../contract/settings.ts';
import { clockText } from '../contract/times.ts';
import { catchUpWords, frozenNodes, isTold } from '../contract/words.ts';
import { faultLines } from './fault-lines.ts';

export interface Output {
  readonly json: boolean;
  readonly terminal: boolean;
  /** One line for people; nothing with --json. */
  line(text: string): void;
  /** Progress and warnings for people, on stderr, so that pipes stay clean. */
  note(text: string): void;
  /** One object, only with --json. */
  object(value: unknown): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    terminal: process.stdout.isTTY === true,
    line(text) {
      if (!json) {
        process.stdout.write(`${text}\n`);
      }
    },
    note(text) {
      process.stderr.write(`${text}\n`);
    },
    object(value) {
      if (json) {
        process.stdout.write(`${JSON.stringify(value)}\n`);
      }
    },
  };
}

export interface ControlReference {
  readonly url: string;
  readonly tokenFile: string;
}

/**
 * The one object of `up --json` and `status --json`; `control` is null when no process hosts the cluster. `faults` and `warnings`
 * are present only when there are any.
 */
export function clusterObject(view: ClusterView, control: ControlReference | null) {
  return {
    cluster: view.name,
    state: view.state,
    dir: view.dir,
    data: view.data,
    usableAfterMs: view.usableAfterMs,
    nodes: view.nodes.map((node) => ({
      name: node.name,
      pid: node.pid,
      state: node.state,
      host: node.host,
      http: node.http,
      grpc: node.grpc,
      internal: node.internal,
      dir: node.dir,
      propertiesFile: node.propertiesFile,
      logFile: node.logFile,
    })),
    contexts: view.contexts.map((context) => ({
      name: context.name,
      ...(context.dcb === true ? { dcb: true } : {}),
      leader: context.leader,
      term: context.term,
      members: context.members.map((member) => ({
        node: member.node,
        role: member.role,
        state: member.state,
        lastIndex: member.lastIndex,
        commitIndex: member.commitIndex,
        appliedIndex: member.appliedIndex ?? null,
        lastToken: member.lastToken,
        ...(member.votes ? { votes: member.votes } : {}),
        ...(member.catchUp ? { catchUp: member.catchUp } : {}),
        ...(member.scrub ? { scrub: member.scrub } : {}),
      })),
      why: context.why.sentence,
      ...(context.why.notes.length > 0 ? { notes: context.why.notes } : {}),
    })),
    ...(view.faults.length > 0 ? { faults: view.faults } : {}),
    ...(view.pace === undefined ? {} : { pace: view.pace }),
    ...(view.diskFaults === undefined ? {} : { diskFaults: view.diskFaults }),
    ...(view.clockFaults === undefined ? {} : { clockFaults: view.clockFaults }),
    ...(frozenNodes(view).length === 0 ? {} : { frozenNodes: frozenNodes(view) }),
    ...(view.warnings.length > 0 ? { warnings: view.warnings } : {}),
    ...(view.leftBehind === undefined ? {} : { leftBehind: view.leftBehind }),
    control: control === null ? null : { url: control.url, tokenFile: control.tokenFile },
  };
}

const NODE_MARKS: Readonly<Record<string, string>> = {
  stopped: '○',
  starting: '◌',
  joining: '◔',
  'catching-up': '◐',
  ready: '●',
  isolated: '◍',
  frozen: '❚',
  crashed: '✕',
  stale: '▨',
  stopping: '◌',
};

export function statusText(view: ClusterView): string {
  const nodes = view.nodes.map((node) => [
    `${NODE_MARKS[node.state] ?? '?'} ${node.name}`,
    node.state,
    node.pid === null ? '-' : String(node.pid),
    `${node.host}:${node.grpc}`,
    `${node.host}:${node.http}`,
    node.rssBytes === null || node.pid === null ? '-' : `${Math.round(node.rssBytes / 1_048_576)} MB`,
    node.leads.length === 0 ? '' : `leads ${node.leads.join(', ')}`,
  ]);
  const contexts = view.contexts.map((context) => [
    context.name,
    context.leader ?? '-',
    context.term === null ? '-' : String(context.term),
    context.lastToken === null ? '-' : String(context.lastToken + 1),
    context.members.map((member) => `${member.node} ${member.lastIndex ?? member.state}`).join('  '),
  ]);
  const trouble = view.nodes.filter((node) => node.state !== 'ready' && view.state !== 'stopped');
  return [
    `${view.name}: ${view.state}. ${view.sentence}`,
    '',
    ...table(['NODE', 'STATE', 'PID', 'GRPC (apps)', 'HTTP (REST)', 'MEMORY', ''], nodes),
    ...trouble.map((node) => `  ${node.name}: ${node.sentence}`),
    '',
    ...table(['CONTEXT', 'LEADER', 'TERM', 'EVENTS', 'MEMBERS (last index)'], contexts),
    ...view.contexts
      .filter((context) => !context.usable && view.state !== 'stopped')
      .map((context) => `  ${context.name}: ${context.why.sentence}`),
    ...view.contexts.flatMap((context) =>
      context.members
        .map((member) => ({ node: member.node, words: catchUpWords(member) }))
        .filter(({ words }) => words !== '')
        .map(({ node, words }) => `  ${context.name}: ${node} catches up: ${words}`),
    ),
    ...(view.state === 'stopped' ? [] : view.contexts).flatMap((context) =>
      context.why.notes.map((note) => `note: ${context.name}: ${note}`),
    ),
    ...(view.pace === undefined ? [] : [`pace: ${paceText(view.pace)} (${view.pace.nodes} nodes keep it)`]),
    ...faultLines(view).map(({ words }) => `fault: ${words}`),
    ...(view.leftBehind === undefined ? [] : [`note: ${view.leftBehind}`]),
    ...view.nodes
      .filter((node) => node.propertiesChangedAt !== undefined)
      .map(({ name }) => `note: the properties of ${name} were changed since it started: muster restart ${name}`),
    ...view.warnings.map((warning) => `warning: ${warning}`),
    `Data: ${view.data === 'keep' ? `kept in ${view.dir}` : `thrown away when the cluster stops (${view.dir})`}`,
  ].join('\n');
}

export function paceText({ slowdown, held }: PaceSetting): string {
  return held ? 'ticks are held: muster step, muster pace normal' : `slow motion x${slowdown}`;
}

export function clustersText(clusters: readonly ClusterSummary[]): string {
  if (clusters.length === 0) {
    return 'No clusters yet. Start one: muster up';
  }
  const rows = clusters.map((cluster) => [
    cluster.name,
    cluster.state,
    `${cluster.readyNodes}/${cluster.nodes}`,
    cluster.grpcPorts.join(' '),
    cluster.contexts.join(' '),
    cluster.data === 'keep' ? 'kept' : 'thrown away',
  ]);
  const notes = clusters.flatMap(({ name, state, sentence, leftBehind }) =>
    [isTold(state) ? sentence : undefined, leftBehind]
      .filter((one) => one !== undefined)
      .map((one) => `${name}: ${one}`),
  );
  return [...table(['CLUSTER', 'STATE', 'READY', 'GRPC PORTS', 'CONTEXTS', 'DATA'], rows), ...notes].join('\n');
}

export function errorText(error: LauncherErrorData): string {
  const why = error.why === '' ? '' : `\n  ${error.why}`;
  const explained = codesIn(error.why).map(({ code }) => `Read what ${code} means: muster explain ${code}`);
  return `muster: ${error.what} [${error.code}]${why}${[...error.next, ...explained].map((step) => `\n  → ${step}`).join('')}`;
}

export function logText(node: string, line: LogLine, withNode: boolean, times: TimeFormat): string {
  const prefix = withNode ? `[${node}] ` : '';
  const time = line.at > 0 ? clockText(line.at, times, 3) : '';
  if (line.level === 'mark') {
    return `${prefix}${time} ─── ${line.text} ───`;
  }
  const context = line.context === null ? '' : ` ${line.context}:`;
  const code = line.code === null ? '' : ` [${line.code}]`;
  return `${prefix}${time} ${line.level.toUpperCase().padEnd(5)}${context} ${line.text}${code}${line.harmless === undefined ? '' : ` (harmless: ${line.harmless})`}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd();
  return [format(head), ...rows.map(format)];
}
