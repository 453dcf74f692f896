// Lets a running node check its closed segments now and waits for the outcome. Entry point: `scrubNode`.
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineAsk, ScrubReport } from '../../engine/control/protocol.ts';
import type { ScrubResult } from '../contract/events.ts';
import type { ClusterView, ContextName, NodeName } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { contextOf } from './events.ts';
import type { EventSource } from './events.ts';
import { nodeNotFound } from './targets.ts';

const POLL_MS = 50;
/** A pass that checks nothing more for this long is given up; the node goes on with it. */
const STALLED_MS_MAX = 30_000;

/** One context after the other, as the node does it. Fails as `LauncherApi.scrub`. */
export async function scrubNode(
  source: EventSource,
  node: NodeName,
  names: readonly ContextName[],
): Promise<readonly ScrubResult[]> {
  const results: ScrubResult[] = [];
  for (const context of contextsOf(source.view(), node, names)) {
    results.push(resultOf(node, context, await onePass(source, node, context)));
  }
  return results;
}

function contextsOf(view: ClusterView, node: NodeName, names: readonly ContextName[]): readonly ContextName[] {
  if (!view.nodes.some((known) => known.name === node)) {
    throw nodeNotFound(view.name, node, view.nodes);
  }
  if (names.length > 0) {
    return names.map((name) => contextOf(view, name).name);
  }
  return view.contexts
    .filter((context) => context.members.some((member) => member.node === node && member.role !== 'MESSAGING_ONLY'))
    .map((context) => context.name);
}

async function onePass(source: EventSource, node: NodeName, context: ContextName): Promise<ScrubReport> {
  const ask = (begin: boolean): Promise<ScrubReport> => {
    return source.ask<ScrubReport>(node, { kind: 'scrub', context, begin } satisfies EngineAsk);
  };
  const before = await ask(true);
  let report = before;
  let movedAt = performance.now();
  while (report.passes <= before.passes) {
    if (performance.now() - movedAt > STALLED_MS_MAX) {
      throw launcherError(
        'NOT_READY_IN_TIME',
        `${node} does not get on with checking ${context}.`,
        `Nothing was checked for ${STALLED_MS_MAX} ms; a damaged log is checked after its repair only.`,
        ['Look at its state: muster status', `Look at its log: muster logs ${node}`],
      );
    }
    await delay(POLL_MS);
    const next = await ask(false);
    if (next.checkedBytes !== report.checkedBytes) {
      movedAt = performance.now();
    }
    report = next;
  }
  return report;
}

function resultOf(node: NodeName, context: ContextName, report: ScrubReport): ScrubResult {
  const { segments, checkedBytes: bytes, problem: damage } = report;
  const size = segments === 1 ? '1 closed segment' : `${segments} closed segments`;
  const sentence =
    damage === null
      ? `${context} on ${node}: ${size}, ${bytes} bytes, as they were written.`
      : `${context} on ${node}: ${damage}. The node repairs it from the other members; until then it neither votes nor confirms.`;
  return { context, segments, bytes, damage, sentence };
}
