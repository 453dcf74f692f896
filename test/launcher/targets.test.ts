import { describe, expect, it } from 'vitest';
import type { ClusterView } from '../../electron/contract/model.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { snippetsOf } from '../../electron/launcher/client-config.ts';
import { faultsOf, mergeLinks } from '../../electron/launcher/links.ts';
import { applicableNodes, resolveTarget } from '../../electron/launcher/targets.ts';
import { describeChanges } from '../../electron/launcher/timeline.ts';
import { hopelessReason, isSatisfied, unmetReason } from '../../electron/launcher/wait.ts';
import { applied, followerGroups, healthyFacts, leaderGroups, nodeUp, T0, viewOf } from './builders.ts';

const healthy = viewOf(healthyFacts());
const leaderKilled = viewOf(
  applied(
    healthyFacts(),
    { type: 'end-requested', node: 'node-1', reason: 'Killed by you (SIGKILL)', graceful: false },
    { type: 'exited', node: 'node-1', at: T0, code: null, signal: 'SIGKILL', lastLines: [] },
  ),
);
const crashed = viewOf(
  applied(healthyFacts(), { type: 'exited', node: 'node-2', at: T0, code: 1, signal: null, lastLines: ['boom'] }),
);

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof LauncherError ? error.data.code : String(error);
  }
}

describe('targets', () => {
  it('ux 18: a node, all nodes, the leader and a follower of a context', () => {
    expect(resolveTarget(healthy, 'node-2')).toEqual(['node-2']);
    expect(resolveTarget(healthy, 'all')).toEqual(['node-1', 'node-2', 'node-3']);
    expect(resolveTarget(healthy, 'leader:default')).toEqual(['node-1']);
    expect(resolveTarget(healthy, 'follower:default')).toEqual(['node-2']);
  });

  it('says why there is none now', () => {
    expect(codeOf(() => resolveTarget(leaderKilled, 'leader:default'))).toBe('NO_SUCH_TARGET');
    expect(codeOf(() => resolveTarget(healthy, 'leader:nope'))).toBe('NO_SUCH_TARGET');
    expect(codeOf(() => resolveTarget(healthy, 'node-9'))).toBe('NODE_NOT_FOUND');
  });

  it('a repeated start is nothing to do; a kill of a dead node is an error', () => {
    expect(applicableNodes(healthy, ['node-1'], 'start')).toEqual([]);
    expect(applicableNodes(leaderKilled, ['node-1', 'node-2'], 'kill')).toEqual(['node-2']);
    expect(codeOf(() => applicableNodes(leaderKilled, ['node-1'], 'kill'))).toBe('NODE_NOT_RUNNING');
    expect(codeOf(() => applicableNodes(healthy, ['node-1'], 'resume'))).toBe('NODE_NOT_FROZEN');
  });
});

describe('wait conditions', () => {
  it('leader: needs a leader that can commit, of a higher term if asked', () => {
    expect(isSatisfied(healthy, { kind: 'leader', context: 'default', afterTerm: null })).toBe(true);
    expect(isSatisfied(healthy, { kind: 'leader', context: 'default', afterTerm: 7 })).toBe(false);
    expect(unmetReason(healthy, { kind: 'leader', context: 'default', afterTerm: 7 })).toBe(
      'node-1 still leads term 7.',
    );
    expect(isSatisfied(leaderKilled, { kind: 'leader', context: 'default', afterTerm: null })).toBe(false);
  });

  it('ready: every node and context; not when one node is down', () => {
    expect(isSatisfied(viewOf(healthyFacts()), { kind: 'ready' })).toBe(true);
    expect(isSatisfied(leaderKilled, { kind: 'ready' })).toBe(false);
  });

  it('caught-up: everything that the leader had committed is on the node', () => {
    const behind: ClusterView = viewOf(
      applied(
        healthyFacts(),
        ...nodeUp('node-1', leaderGroups({ commitIndex: 103, lastIndex: 103 })),
        ...nodeUp('node-2', followerGroups({ lastIndex: 103 })),
      ),
    );
    expect(isSatisfied(behind, { kind: 'caught-up', node: 'node-2' })).toBe(true);
    expect(isSatisfied(behind, { kind: 'caught-up', node: 'node-3' })).toBe(false);
    expect(unmetReason(behind, { kind: 'caught-up', node: null })).toBe(
      'node-3 lacks 3 of the committed entries of default.',
    );
    const frozen = viewOf(applied(healthyFacts(), { type: 'frozen', node: 'node-3', frozen: true, at: T0 }));
    expect(unmetReason(frozen, { kind: 'caught-up', node: null })).toBe(
      'node-3: Stands still; its connections stay open.',
    );
  });

  it('AC-10 joined: the node runs and is PRIMARY of what it asked for, but for contexts that are gone', () => {
    const joined = (node: string, contexts: readonly string[]) => ({ kind: 'joined', node, contexts }) as const;
    expect(isSatisfied(healthy, joined('node-2', ['default', 'deleted-a-moment-ago']))).toBe(true);
    expect(isSatisfied(leaderKilled, joined('node-1', ['deleted-a-moment-ago']))).toBe(false);
    expect(unmetReason(leaderKilled, joined('node-1', ['default']))).toBe('node-1: Killed by you (SIGKILL).');
    expect(unmetReason(healthy, joined('node-9', ['default']))).toBe('There is no node-9.');
    const outside: ClusterView = {
      ...healthy,
      contexts: healthy.contexts.map((one) => ({
        ...one,
        members: one.members.filter((member) => member.node !== 'node-3'),
      })),
    };
    expect(isSatisfied(outside, joined('node-3', ['default']))).toBe(false);
    expect(unmetReason(outside, joined('node-3', ['default']))).toBe('node-3 is no PRIMARY of default yet.');
  });

  it('gives up at once on ready when a node has crashed, with its last lines', () => {
    expect(hopelessReason(crashed, { kind: 'ready' })).toMatchObject({ code: 'ENGINE_CRASHED', node: 'node-2' });
    expect(hopelessReason(crashed, { kind: 'ready' })?.why).toContain('boom');
    expect(hopelessReason(crashed, { kind: 'leader', context: 'default', afterTerm: null })).toBeNull();
    expect(hopelessReason(leaderKilled, { kind: 'ready' })).toBeNull();
  });
});

describe('links', () => {
  const none = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };

  it('has one fault per direction; all zero clears it', () => {
    const first = mergeLinks([], [{ from: 'node-1', to: 'node-2', ...none, delayMs: 80 }], T0);
    const second = mergeLinks(first, [{ from: 'node-1', to: 'node-2', ...none, cut: true }], T0 + 1);
    expect(second).toEqual([{ from: 'node-1', to: 'node-2', ...none, cut: true, since: T0 + 1 }]);
    expect(mergeLinks(second, [{ from: 'node-1', to: 'node-2', ...none }], T0 + 2)).toEqual([]);
  });

  it('decision 15: a delay is made by the sender, a cut at both ends', () => {
    const faults = mergeLinks(
      [],
      [
        { from: 'node-1', to: 'node-2', ...none, delayMs: 80 },
        { from: 'node-3', to: 'node-1', ...none, cut: true },
      ],
      T0,
    );
    expect(faultsOf('node-2', faults)).toEqual([]);
    expect(faultsOf('node-1', faults)).toEqual([
      { peer: 'node-2', direction: 'outbound', ...none, delayMs: 80 },
      { peer: 'node-3', direction: 'inbound', ...none, cut: true },
    ]);
    expect(faultsOf('node-3', faults)).toEqual([{ peer: 'node-1', direction: 'outbound', ...none, cut: true }]);
  });
});

describe('what people are told', () => {
  it('ux 6: snippets carry the live gRPC ports, never the HTTP ones', () => {
    const texts = new Map(snippetsOf(healthy, 'default').map((snippet) => [snippet.kind, snippet.text]));
    expect([...texts.keys()]).toEqual(['spring', 'quarkus', 'java', 'python', 'env', 'cli']);
    expect(texts.get('spring')).toContain('axon.axonserver.servers=localhost:8124,localhost:8125,localhost:8126');
    expect(texts.get('java')).toContain('new ServerAddress("localhost", 8126)');
    expect([...texts.values()].join()).not.toContain('8024');
  });

  it('the timeline names exits, elections and fault-free repeats once', () => {
    const lines = describeChanges(healthy, leaderKilled, T0).map((event) => event.text);
    expect(lines[0]).toBe('node-1: stopped. Killed by you (SIGKILL).');
    expect(lines.some((line) => line.startsWith('default: Electing.'))).toBe(true);
    expect(describeChanges(healthy, healthy, T0)).toEqual([]);
  });
});
