import { describe, expect, it } from 'vitest';
import { nextMembershipStep, PROMOTION_LAG_ENTRIES } from '../../../engine/context/membership-plan.ts';
import type { Member, ProgressStatus, StoringRole } from '../../../engine/raft/types.ts';

const members = (...list: readonly [string, StoringRole][]): Member[] => list.map(([id, role]) => ({ id, role }));
const at = (id: string, match: number): ProgressStatus => ({
  id,
  role: 'PASSIVE_BACKUP',
  match,
  next: match + 1,
  state: 'replicate',
  recentActive: true,
  heartbeats: 1,
});

function step(current: Member[], wanted: Member[], progress: ProgressStatus[] = [], lastIndex = 5000, min = 1) {
  return nextMembershipStep({
    self: 'a',
    current: { members: current, minActiveBackups: 1 },
    wanted,
    minActiveBackups: min,
    lastIndex,
    progress,
  });
}

describe('one step towards the wanted members (raft-design §7)', () => {
  it('does nothing when all is as wanted', () => {
    expect(step(members(['a', 'PRIMARY']), members(['a', 'PRIMARY'])).kind).toBe('none');
  });

  it('adds a new member as a learner first', () => {
    const result = step(members(['a', 'PRIMARY']), members(['a', 'PRIMARY'], ['b', 'PRIMARY']));
    expect(result).toMatchObject({
      kind: 'change',
      config: { members: members(['a', 'PRIMARY'], ['b', 'PASSIVE_BACKUP']) },
    });
  });

  it('promotes a learner only when it has caught up', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PASSIVE_BACKUP']);
    const wanted = members(['a', 'PRIMARY'], ['b', 'PRIMARY']);
    expect(step(current, wanted, [at('b', 5000 - PROMOTION_LAG_ENTRIES - 1)])).toEqual({
      kind: 'wait',
      member: 'b',
      reason: 'copying',
      changing: 'b',
      role: 'PRIMARY',
    });
    expect(step(current, wanted, [at('b', 5000 - PROMOTION_LAG_ENTRIES)])).toMatchObject({
      kind: 'change',
      config: { members: wanted },
    });
    expect(step(current, wanted, [at('b', 0)], 3).kind).toBe('wait');
  });

  it('promotes whoever is ready while another still catches up', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PASSIVE_BACKUP'], ['c', 'PASSIVE_BACKUP']);
    const wanted = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY']);
    expect(step(current, wanted, [at('b', 0), at('c', 5000)])).toMatchObject({
      kind: 'change',
      text: 'c becomes PRIMARY',
    });
  });

  it('hands leadership over before the leader itself is demoted or removed', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PRIMARY']);
    const transfer = { kind: 'transfer', reason: 'handing-over', member: 'b', changing: 'a' };
    expect(step(current, members(['a', 'PASSIVE_BACKUP'], ['b', 'PRIMARY']), [at('b', 5000)])).toEqual({
      ...transfer,
      role: 'PASSIVE_BACKUP',
    });
    expect(step(current, members(['b', 'PRIMARY']), [at('b', 5000)])).toEqual({ ...transfer, role: null });
  });

  it('hands over to the PRIMARY that holds most of those that answer', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY'], ['d', 'PRIMARY'], ['e', 'PRIMARY']);
    const progress = [at('b', 4998), at('c', 4999), { ...at('d', 5000), recentActive: false }, at('e', 4997)];
    expect(step(current, current.slice(1), progress)).toMatchObject({ kind: 'transfer', member: 'c' });
  });

  it('removes members one at a time', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY']);
    expect(step(current, members(['a', 'PRIMARY']), [at('b', 5000), at('c', 5000)])).toMatchObject({
      kind: 'change',
      config: { members: members(['a', 'PRIMARY'], ['c', 'PRIMARY']) },
    });
  });

  it('raft-design §7 demotes and removes no PRIMARY while those that stay could not commit without it, and waits for the one that is missing', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY']);
    const silent = { ...at('c', 5000), recentActive: false };
    const behind = at('c', 5000 - PROMOTION_LAG_ENTRIES - 1);
    for (const c of [silent, behind, at('c', 0)]) {
      const progress = [at('b', 5000), c];
      const demoted = members(['a', 'PRIMARY'], ['b', 'PASSIVE_BACKUP'], ['c', 'PRIMARY']);
      const held = { kind: 'wait', member: 'c', reason: 'guarded', changing: 'b' };
      expect(step(current, demoted, progress)).toEqual({ ...held, role: 'PASSIVE_BACKUP' });
      expect(step(current, members(['a', 'PRIMARY'], ['c', 'PRIMARY']), progress)).toEqual({ ...held, role: null });
      // The leader itself stays where it is, too.
      expect(step(current, members(['b', 'PRIMARY'], ['c', 'PRIMARY']), progress).kind).toBe('wait');
    }
    expect(step(current, members(['a', 'PRIMARY'], ['c', 'PRIMARY']), [at('b', 5000), at('c', 4990)]).kind).toBe(
      'change',
    );
  });

  it('of several that leave, the silent one goes first, for the others can commit that', () => {
    const current = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY']);
    const progress = [at('b', 5000), { ...at('c', 5000), recentActive: false }];
    expect(step(current, members(['a', 'PRIMARY']), progress)).toMatchObject({ kind: 'change', text: 'c leaves' });
    const four = members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY'], ['d', 'PASSIVE_BACKUP']);
    expect(step(four, members(['a', 'PRIMARY'], ['b', 'PRIMARY'], ['c', 'PRIMARY']), progress).kind).toBe('change');
  });

  it('brings the new data directory of a wiped node in before the old one leaves', () => {
    const current = members(['a', 'PRIMARY'], ['b@old', 'PRIMARY']);
    expect(step(current, members(['a', 'PRIMARY'], ['b@new', 'PRIMARY']))).toMatchObject({
      kind: 'change',
      text: 'b@new joins as a learner, to become PRIMARY',
    });
  });

  it('follows a changed min-active-backups', () => {
    expect(step(members(['a', 'PRIMARY']), members(['a', 'PRIMARY']), [], 10, 2)).toMatchObject({
      kind: 'change',
      config: { minActiveBackups: 2 },
    });
  });
});
