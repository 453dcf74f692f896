// Cluster views for the window's tests: every state a person can meet, also those that real nodes seldom show on request.
import type { ClusterView } from '../../electron/contract/model.ts';
import { admin, cluster, context, down, node, replica, stoppedReplica, why } from './view-parts.ts';

/** The scenes by name. Functions, since they carry the present time. */
export const scenes = {
  healthy: () => cluster(),

  stopped: () =>
    cluster({
      state: 'stopped',
      sentence: 'Stopped; data is kept.',
      nodes: [down(1), down(2), down(3)],
      contexts: [],
      usableAfterMs: null,
    }),

  starting: () =>
    cluster({
      state: 'starting',
      sentence: 'Starting: members are joining.',
      usableAfterMs: null,
      nodes: [
        node(1, { sentence: 'Formed the cluster and leads _admin.', leads: ['_admin'], apps: 0 }),
        node(2, { state: 'joining', sentence: 'Asks node-1 to be taken in.', leads: [], apps: 0 }),
        node(3, {
          state: 'starting',
          sentence: 'The process runs; its first report is awaited.',
          leads: [],
          apps: 0,
          rssBytes: null,
        }),
      ],
      contexts: [
        context('_admin', {
          term: 1,
          commitIndex: 5,
          lastToken: -1,
          members: [replica(1, { term: 1, lastIndex: 5, commitIndex: 5, matchIndex: 5 })],
          why: why({ headline: 'healthy', sentence: 'Healthy. node-1 leads (term 1).', lossSentence: null }),
        }),
      ],
    }),

  electing: () =>
    cluster({
      state: 'unusable',
      sentence: 'default cannot be used: no leader.',
      nodes: [
        down(1, { sentence: 'Killed by you.' }),
        node(2, { sentence: 'Stands for election in default.' }),
        node(3, { sentence: 'Takes part; waits for a leader of default.' }),
      ],
      contexts: [
        context('default', {
          leader: null,
          term: 8,
          leaderSince: null,
          usable: false,
          members: [
            stoppedReplica(1),
            replica(2, {
              ...{ state: 'candidate', term: 8, votedFor: 'node-2', lag: null },
              votes: { granted: ['node-2'], refused: ['node-3'] },
            }),
            replica(3, { term: 8, votedFor: null, lag: null }),
          ],
          why: why({
            headline: 'electing',
            sentence: 'Electing. Term 8, node-2 has 1 of 2 votes. Longest wait 0.4 s.',
            lossSentence: null,
          }),
        }),
        admin(),
      ],
    }),

  elected: () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-1 is not ready: Killed by you.',
      nodes: [down(1, { sentence: 'Killed by you.' }), node(2, { leads: ['default', '_admin'], apps: 2 }), node(3)],
      contexts: [
        context('default', {
          leader: 'node-2',
          term: 8,
          leaderSince: Date.now() - 2_000,
          members: [
            stoppedReplica(1),
            replica(2, { state: 'leader', term: 8, votedFor: 'node-2' }),
            replica(3, { term: 8, votedFor: 'node-2' }),
          ],
          why: why({
            sentence: 'Healthy. node-2 leads since 14:04:36 (term 8).',
            lossSentence: 'If node-2 dies now, committed events are safe on node-3, but no majority is left.',
            notes: ['node-1 is down.'],
            next: [{ label: 'Start node-1', action: 'start', node: 'node-1' }],
          }),
        }),
        admin(),
      ],
    }),

  'catching-up': () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-1 is not ready: it catches up.',
      nodes: [
        node(1, {
          state: 'catching-up',
          sentence: 'Copies the events it missed.',
          catchUpPercent: 82.4,
          eventsBehind: 1204,
          leads: [],
          startedAt: Date.now() - 3_000,
        }),
        node(2, { leads: ['default', '_admin'] }),
        node(3),
      ],
      contexts: [
        context('default', {
          leader: 'node-2',
          term: 8,
          members: [
            replica(1, {
              state: 'catching-up',
              term: 8,
              lastIndex: 17_198,
              commitIndex: 17_198,
              matchIndex: 17_198,
              lag: 1204,
              votedFor: null,
              catchUp: { phase: 'log', bytesLeft: 4_404_019, bytesPerSecond: 1_468_006, etaMs: 3000 },
            }),
            replica(2, { state: 'leader', term: 8, votedFor: 'node-2' }),
            replica(3, { term: 8, votedFor: 'node-2' }),
          ],
          why: why({
            headline: 'catching-up',
            sentence: 'node-1 is 1,204 entries behind and catches up; commits continue without it.',
            lossSentence: 'If node-2 dies now, committed events are safe on node-3 (node-1 lacks the last 1,204).',
          }),
        }),
        admin(),
      ],
    }),

  'no-quorum': () =>
    cluster({
      state: 'unusable',
      sentence: 'default cannot be used: No leader: 1 of 3 voting members reachable, 2 needed.',
      nodes: [
        down(1, { sentence: 'Killed by you.' }),
        down(2),
        node(3, { leads: [], sentence: 'Runs, but reaches no majority.' }),
      ],
      contexts: [
        context('default', {
          leader: null,
          term: 9,
          leaderSince: null,
          usable: false,
          members: [
            stoppedReplica(1),
            stoppedReplica(2),
            replica(3, {
              ...{ state: 'candidate', term: 9, votedFor: 'node-3', lag: null },
              votes: { granted: ['node-3'], refused: [] },
            }),
          ],
          why: why({
            headline: 'no-quorum',
            sentence: 'No leader: 1 of 3 voting members reachable, 2 needed.',
            lossSentence: null,
            next: [
              { label: 'Start node-1', action: 'start', node: 'node-1' },
              { label: 'Start node-2', action: 'start', node: 'node-2' },
            ],
          }),
        }),
      ],
    }),

  blocked: () =>
    cluster({
      state: 'unusable',
      sentence: 'billing cannot be used: commits need an active backup.',
      nodes: [node(1, { leads: ['billing'] }), node(2, { leads: [] }), node(3, { leads: [] }), down(4)],
      contexts: [
        context('billing', {
          usable: false,
          members: [
            replica(1, { lastIndex: 18_410 }),
            replica(2),
            replica(3),
            { ...stoppedReplica(4), role: 'ACTIVE_BACKUP' },
          ],
          why: why({
            headline: 'blocked-no-active-backup',
            sentence: 'Commits need an active backup and node-4 is down.',
            next: [{ label: 'Start node-4', action: 'start', node: 'node-4' }],
          }),
        }),
      ],
    }),

  'stale-leader': () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-1 is not ready: it is cut off.',
      nodes: [
        node(1, {
          state: 'isolated',
          sentence: 'Cut off from node-2 and node-3; believes it leads default.',
          leads: [],
        }),
        node(2, { leads: ['default', '_admin'] }),
        node(3),
      ],
      contexts: [
        context('default', {
          leader: 'node-2',
          term: 8,
          members: [
            replica(1, { state: 'leader', term: 7, lag: 31, lastIndex: 18_405, matchIndex: null }),
            replica(2, {
              state: 'leader',
              term: 8,
              votedFor: 'node-2',
              lastIndex: 18_436,
              commitIndex: 18_436,
              matchIndex: 18_436,
            }),
            replica(3, { term: 8, votedFor: 'node-2', lastIndex: 18_436, commitIndex: 18_436, matchIndex: 18_436 }),
          ],
          why: why({
            headline: 'stale-leader',
            sentence: 'node-1 believes it leads (term 7) but node-2 leads term 8; writes to node-1 will time out.',
            next: [{ label: 'Heal links', action: 'heal', node: null }],
          }),
        }),
        admin(),
      ],
      faults: ['node-2', 'node-3'].flatMap((other) => [
        { from: 'node-1', to: other, cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, since: Date.now() - 12_000 },
        { from: other, to: 'node-1', cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, since: Date.now() - 12_000 },
      ]),
    }),

  frozen: () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-3 is not ready: it is frozen.',
      nodes: [
        node(1),
        node(2),
        node(3, {
          state: 'frozen',
          sentence: 'Frozen by you; its process stands still.',
          seenAt: Date.now() - 9_000,
          frozenSince: Date.now() - 9_000,
        }),
      ],
    }),

  crashed: () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-2 is not ready: it crashed.',
      nodes: [
        node(1, { leads: ['default', '_admin'] }),
        down(2, {
          state: 'crashed',
          sentence: 'The disk is full: the event store could not be written.',
          exit: {
            at: Date.now() - 4_000,
            code: 74,
            signal: null,
            expected: false,
            reason: 'The disk is full: the event store could not be written.',
            errorCode: 'DISK_FULL',
            lastLines: [
              '14:03:21.904 ERROR append to 00000000000000018403.events failed: ENOSPC',
              '14:03:21.906 ERROR stopping: a store that cannot be written must not acknowledge',
              '14:03:21.921 INFO  exit 74',
            ],
          },
        }),
        node(3),
      ],
    }),

  stale: () =>
    cluster({
      state: 'degraded',
      sentence: 'Every context works, but node-2 is not ready: no news from it.',
      nodes: [
        node(1),
        node(2, { state: 'stale', sentence: 'Its process runs but has reported nothing.', seenAt: Date.now() - 4_200 }),
        node(3),
      ],
      warnings: ['This computer was asleep for 41 s; elections in that time are not faults of your nodes.'],
    }),
} satisfies Record<string, () => ClusterView>;

export type SceneName = keyof typeof scenes;
