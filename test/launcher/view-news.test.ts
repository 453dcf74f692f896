// Which views are drawn at once and which wait for the next drawing of numbers (ux.md §19).
import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView, ReplicaView } from '../../electron/contract/model.ts';
import {
  COUNTS_EVERY_MS,
  drawEveryMs,
  isNews,
  MANY_COUNTS_EVERY_MS,
  REST_EVERY_MS,
} from '../../electron/contract/view-news.ts';
import { cluster, context, node, replica } from '../e2e/view-parts.ts';

const AT = 1_700_000_000_000;
const rotten = { running: false, checkedBytes: 9, totalBytes: 9, segments: 1, finishedAt: AT, problem: 'a bad sum' };
const scene = (
  parts: { readonly node?: Partial<NodeView>; readonly member?: Partial<ReplicaView>; readonly view?: object } = {},
): ClusterView => ({
  ...cluster({
    nodes: [node(1, { startedAt: AT, seenAt: AT, ...parts.node })],
    contexts: [
      context('default', {
        leaderSince: AT,
        members: [
          replica(1, {
            seenAt: AT,
            lastIndex: 10,
            lag: 0,
            timer: { kind: 'election', elapsedMs: 20, ofMs: 400 },
            ...parts.member,
          }),
        ],
      }),
    ],
  }),
  ...parts.view,
});

describe('UX-19 a view that only counts on may wait', () => {
  it.each<[string, ClusterView]>([
    ['an equal view', scene()],
    ['another revision', scene({ view: { revision: 99 } })],
    ['memory and CPU of a node', scene({ node: { rssBytes: 1, cpuPercent: 50 } })],
    ['a later sign of life', scene({ node: { seenAt: AT + 100 }, member: { seenAt: AT + 100 } })],
    ['a timer that runs', scene({ member: { timer: { kind: 'election', elapsedMs: 90, ofMs: 300 } } })],
    ['a longer log', scene({ member: { lastIndex: 11, commitIndex: 11, matchIndex: 11, lastToken: 9, lag: 2 } })],
  ])('%s', (_title, after) => {
    expect(isNews(scene(), after)).toBe(false);
  });
});

describe('UX-19 whatever else changes is shown at once', () => {
  it.each<[string, ClusterView]>([
    ['a state', scene({ node: { state: 'frozen' } })],
    ['a sentence', scene({ node: { sentence: 'Stopped by you.' } })],
    ['a vote', scene({ member: { votedFor: 'node-2' } })],
    ['a number that became unknown', scene({ member: { lag: null } })],
    ['what a check of the disk found', scene({ member: { scrub: rotten } })],
    ['another kind of timer', scene({ member: { timer: { kind: 'heartbeat', elapsedMs: 20, ofMs: 400 } } })],
    ['one node more', scene({ view: { nodes: [...scene().nodes, node(2)] } })],
    ['a warning', scene({ view: { warnings: ['Little room on the disk.'] } })],
    ['time that runs slower, with every view', scene({ view: { pace: { held: false, slowdown: 10 } } })],
  ])('%s', (_title, after) => {
    expect(isNews(scene(), after)).toBe(true);
  });
});

it.each([
  { contexts: 50, nodes: 4, every: COUNTS_EVERY_MS },
  { contexts: 50, nodes: 9, every: MANY_COUNTS_EVERY_MS },
])('UX-19 numbers of $contexts contexts on $nodes nodes are drawn every $every ms', ({ contexts, nodes, every }) => {
  const members = Array.from({ length: nodes }, (_, at) => replica(at + 1));
  const before = cluster({
    contexts: Array.from({ length: contexts }, (_, at) => context(`context-${at}`, { members })),
  });
  const after = { ...before, contexts: before.contexts.map((one) => ({ ...one, commitIndex: 9_999 })) };
  expect(drawEveryMs(before, after)).toBe(every);
});

it('UX-19 a cluster that only beats is drawn more seldom, one that works as before, and news at once', () => {
  const before = cluster({ contexts: [context('default', { members: [replica(1, { heartbeats: 1 })] })] });
  const [one] = before.contexts;
  if (one === undefined) throw new Error('no context');
  const beaten = { ...one, members: one.members.map((member) => ({ ...member, heartbeats: 2 })) };
  const after = (change: Partial<typeof one>) => ({ ...before, contexts: [{ ...beaten, ...change }] });
  expect(drawEveryMs(before, after({}))).toBe(REST_EVERY_MS);
  expect(drawEveryMs(before, after({ commitIndex: 9_999 }))).toBe(COUNTS_EVERY_MS);
  expect(drawEveryMs(before, after({ term: 99 }))).toBe(0);
});
