// Compares the log of one context on all its members, entry by entry (row B8). Entry point: `verifyContext`.
import type { DigestReport, EngineAsk } from '../../engine/control/protocol.ts';
import { ASK_CHUNKS_MAX } from '../../engine/control/protocol.ts';
import type { ReplicaCheck } from '../contract/events.ts';
import type { ClusterView, NodeName } from '../contract/model.ts';
import { errorData } from './errors.ts';
import { contextOf } from './events.ts';
import type { EventSource } from './events.ts';

interface Member {
  readonly node: NodeName;
  readonly report: DigestReport | null;
  readonly problem: string | null;
}

/** What every running member has committed is compared; a member that cannot be asked is named, and the result is not "equal". */
export async function verifyContext(source: EventSource, name: string): Promise<ReplicaCheck> {
  const view = source.view();
  const context = contextOf(view, name);
  const nodes = context.members.filter((member) => member.role !== 'MESSAGING_ONLY').map((member) => member.node);
  const commits = context.members.flatMap((member) => (member.commitIndex === null ? [] : [member.commitIndex]));
  const toIndex = commits.length === 0 ? 0 : Math.min(...commits);
  const ask = (from: number, to: number): EngineAsk => ({
    kind: 'digest',
    context: name,
    from,
    to,
    chunks: ASK_CHUNKS_MAX,
  });
  const members = (await Promise.all(nodes.map((node) => digestOf(source, view, node, ask(1, toIndex))))).map(
    (member) => reaching(toIndex, member),
  );
  const difference = await firstDifference(source, members, ask);
  const shown = members.map(({ node, report, problem }) => ({
    node,
    lastToken: report?.lastToken ?? null,
    events: report === null ? null : report.slices.reduce((sum, slice) => sum + slice.events, 0),
    checksum: report === null ? null : checksum(report),
    problem: problem ?? report?.slices.find((slice) => slice.problem !== null)?.problem ?? null,
  }));
  const silent = shown.filter((member) => member.checksum === null);
  const equal = difference === null && silent.length === 0;
  return {
    context: name,
    toIndex,
    equal,
    members: shown,
    firstDifference: difference,
    sentence: `${sentenceOf(name, toIndex, difference, silent)}${restSentence(Math.max(0, ...commits) - toIndex)}`,
  };
}

function sentenceOf(
  name: string,
  toIndex: number,
  difference: number | null,
  silent: readonly { readonly node: string; readonly problem: string | null }[],
): string {
  if (difference !== null) {
    return `${name}: members differ, first at log entry ${difference}.`;
  }
  const missing = silent.map((member) => `${member.node} (${member.problem})`).join(', ');
  return silent.length === 0
    ? `${name}: every member holds the same ${toIndex} log entries.`
    : `${name}: ${toIndex} log entries are the same where they could be read; not compared: ${missing}.`;
}

/** What some have committed and others do not know yet is not compared, and must not be taken for it. */
const restSentence = (rest: number): string =>
  rest <= 0 ? '' : ` The last ${rest} are not committed on every member yet.`;

async function digestOf(source: EventSource, view: ClusterView, node: NodeName, ask: EngineAsk): Promise<Member> {
  const exit = view.nodes.find((one) => one.name === node)?.exit;
  try {
    return { node, report: await source.ask<DigestReport>(node, ask), problem: null };
  } catch (error) {
    const { what, why } = errorData(error);
    return { node, report: null, problem: exit?.reason ?? `${what} ${why}`.trim() };
  }
}

/** A member that has just started knows less as committed than the view told: it is behind, which is no difference. */
function reaching(toIndex: number, member: Member): Member {
  const { report } = member;
  if (report === null || report.committedIndex >= toIndex) return member;
  return { ...member, report: null, problem: `has ${report.committedIndex} of these log entries so far` };
}

/** Slices are halved by ASK_CHUNKS_MAX per round until one entry is left. */
async function firstDifference(
  source: EventSource,
  members: readonly Member[],
  ask: (from: number, to: number) => EngineAsk,
): Promise<number | null> {
  let reports = members.flatMap(({ node, report }) => (report === null ? [] : [{ node, report }]));
  for (;;) {
    const slices = reports[0]?.report.slices ?? [];
    const position = slices.findIndex((slice, i) =>
      reports.some(({ report }) => report.slices[i]?.hash !== slice.hash || report.slices[i]?.problem !== null),
    );
    const slice = slices[position];
    if (slice === undefined) {
      return null;
    }
    if (slice.from === slice.to) {
      return slice.from;
    }
    reports = await Promise.all(
      reports.map(async ({ node }) => ({
        node,
        report: await source.ask<DigestReport>(node, ask(slice.from, slice.to)),
      })),
    );
  }
}

function checksum(report: DigestReport): string {
  // Any change of any slice changes the text; short enough to compare by eye.
  let value = 0x811c9dc5;
  for (const character of report.slices.map((slice) => slice.hash).join('')) {
    value = Math.imul(value ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return value.toString(16).padStart(8, '0');
}
