// Comparing the members of a context (row B8) with answers that are given here. With real engines: test/rows/verify-cli.test.ts.
import { describe, expect, it } from 'vitest';
import type { EngineAsk } from '../../engine/control/protocol.ts';
import { verifyContext } from '../../electron/launcher/verify.ts';
import { contextOf, healthyFacts, viewOf } from './builders.ts';

const view = viewOf(healthyFacts());
const commits = contextOf(view).members.flatMap(({ commitIndex }) => commitIndex ?? []);
const told = Math.min(...commits);

/** Every member holds the same log; `knows` are the commit indexes at the time of the question. */
function source(knows: Readonly<Record<string, number>>) {
  return {
    view: () => view,
    ask: <T>(node: string, ask: EngineAsk): Promise<T> => {
      if (ask.kind !== 'digest') throw new Error(ask.kind);
      const committedIndex = knows[node] ?? told;
      const to = Math.min(ask.to, committedIndex);
      const slices = [{ from: ask.from, to, hash: `hash of ${ask.from} to ${to}`, events: to, problem: null }];
      return Promise.resolve({ slices, committedIndex, firstToken: 0, lastToken: to - 1 } as T);
    },
  };
}

describe('verify', () => {
  it('B8 equal logs are called equal', async () => {
    const check = await verifyContext(source({}), 'default');
    expect(check).toMatchObject({ equal: true, toIndex: told });
    expect(check.sentence).toBe(`default: every member holds the same ${told} log entries.`);
  });

  it('B8 entries that one member has still to get are told as not compared', async () => {
    const behind = {
      ...view,
      contexts: view.contexts.map((context) => ({
        ...context,
        members: context.members.map((member) =>
          member.node === 'node-3' ? { ...member, commitIndex: told - 2 } : member,
        ),
      })),
    };
    const check = await verifyContext({ ...source({}), view: () => behind }, 'default');
    expect(check).toMatchObject({ equal: true, toIndex: told - 2 });
    expect(check.sentence).toBe(
      `default: every member holds the same ${told - 2} log entries. The last 2 are not committed on every member yet.`,
    );
  });

  it('B8 a member that knows less as committed than the view told is behind, which is no difference', async () => {
    const check = await verifyContext(source({ 'node-3': told - 1 }), 'default');
    expect(check).toMatchObject({ equal: false, firstDifference: null });
    expect(check.members.map(({ problem }) => problem)).toEqual([
      null,
      null,
      `has ${told - 1} of these log entries so far`,
    ]);
    expect(check.sentence).toContain(`node-3 (has ${told - 1} of these log entries so far)`);
  });
});
