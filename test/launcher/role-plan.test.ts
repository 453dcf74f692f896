import { describe, expect, it } from 'vitest';
import { planRoles } from '../../electron/contract/role-plan.ts';
import { cluster, context, down, node, replica } from '../e2e/view-parts.ts';

const four = (down4 = false) =>
  cluster({
    nodes: [node(1), node(2), node(3), down4 ? down(4) : node(4)],
    contexts: [context('billing', { lastToken: 18_401 })],
  });

describe('ux 8: a change of roles in words, before it is applied', () => {
  it('a backup that joins copies the events; voters and majority stay', () => {
    const plan = planRoles(four(), 'billing', [{ node: 'node-4', role: 'PASSIVE_BACKUP' }]);
    expect(plan).toEqual({
      steps: [
        {
          node: 'node-4',
          role: 'PASSIVE_BACKUP',
          from: null,
          sentence: 'node-4 joins billing as passive backup; copies 18,402 events.',
        },
      ],
      outcome: 'Voters stay 3, majority 2.',
      warnings: [],
      refused: null,
    });
  });

  it('B14 warns of an even number of voters, of a single active backup, and of voters that do not run', () => {
    const even = planRoles(four(), 'billing', [{ node: 'node-4', role: 'PRIMARY' }]);
    expect(even.outcome).toBe('Voters become 4, majority 3.');
    expect(even.warnings).toEqual(['4 voters need 3: no safer than 3.']);
    const backup = planRoles(four(), 'billing', [{ node: 'node-4', role: 'ACTIVE_BACKUP' }]);
    expect(backup.warnings).toEqual(['node-4 is the only active backup: while it is down, nothing is committed.']);
    const lonely = planRoles(four(true), 'billing', [
      { node: 'node-4', role: 'PRIMARY' },
      { node: 'node-2', role: null },
      { node: 'node-3', role: null },
    ]);
    expect(lonely.warnings).toContain('Only 1 of 2 voters run, 2 are needed.');
  });

  it('adds voters first, changes the leader last, and says that another takes over', () => {
    const plan = planRoles(four(), 'billing', [
      { node: 'node-1', role: 'PASSIVE_BACKUP' },
      { node: 'node-3', role: null },
      { node: 'node-4', role: 'PRIMARY' },
    ]);
    expect(plan.steps.map((step) => step.node)).toEqual(['node-4', 'node-3', 'node-1']);
    expect(plan.steps[1]?.sentence).toBe('node-3 leaves billing; its copy of 18,402 events is deleted.');
    expect(plan.warnings).toContain(
      'node-1 leads billing now: another primary takes over, writes pause for an election.',
    );
  });

  it('refuses to lose the last primary and an unknown context; the same roles again are no steps', () => {
    const all = ['node-1', 'node-2', 'node-3'].map((name) => ({ node: name, role: 'ACTIVE_BACKUP' as const }));
    expect(planRoles(four(), 'billing', all).refused).toMatch(/at least one primary/);
    expect(planRoles(four(), 'nowhere', []).refused).toBe('There is no context nowhere.');
    expect(planRoles(four(), 'billing', [{ node: 'node-2', role: 'PRIMARY' }]).steps).toEqual([]);
    expect(replica(2).role).toBe('PRIMARY');
  });
});
