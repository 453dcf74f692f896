import { describe, expect, it } from 'vitest';
import { COMMIT_WAIT_MS, PendingProposals } from '../../../engine/context/waiting.ts';

/** Terms of the log by index, as the replica would be asked for them. */
const log = (terms: Readonly<Record<number, number>>) => (index: number) => terms[index];

function outcome(proposal: Promise<void>): Promise<string> {
  return proposal.then(
    () => 'confirmed',
    (error: { readonly code: string }) => error.code,
  );
}

async function undecided(proposal: Promise<string>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([proposal, Promise.resolve('open')])) === 'open';
}

describe('appends that wait for their commit', () => {
  it('I7, raft-design §3: an entry cut from the log of its leader is confirmed when another member brings it back', async () => {
    const pending = new PendingProposals('default');
    // Five PRIMARYs: entry 8 of term 2 reached one other member before a leader of term 3 cut it here. That leader goes before
    // anybody else has its entry; the other member is elected in term 4 and commits entry 8 with its own entry 9.
    const answer = outcome(pending.add(8, 2, 0));
    pending.truncate(8);
    expect(await undecided(answer)).toBe(true);
    pending.settle(9, log({ 8: 2, 9: 4 }));
    expect(await answer).toBe('confirmed');
  });

  it('I7: it is called rolled back when the committed log has another entry in its place', async () => {
    const pending = new PendingProposals('default');
    const answer = outcome(pending.add(8, 2, 0));
    pending.truncate(8);
    pending.settle(7, log({ 7: 2 }));
    expect(await undecided(answer)).toBe(true);
    pending.settle(8, log({ 7: 2, 8: 3 }));
    expect(await answer).toBe('AXONIQ-9900');
  });

  it('I7: entries behind a committed one of a later term are rolled back as well', async () => {
    const pending = new PendingProposals('default');
    const answers = [8, 9, 10].map((index) => outcome(pending.add(index, 2, 0)));
    pending.truncate(8);
    pending.settle(8, log({ 8: 3 }));
    expect(await Promise.all(answers)).toEqual(['AXONIQ-9900', 'AXONIQ-9900', 'AXONIQ-9900']);
  });

  it('I8: cut and never decided is unknown, whatever a second leadership adds meanwhile', async () => {
    const pending = new PendingProposals('default');
    const cut = outcome(pending.add(8, 2, 0));
    pending.truncate(8);
    const later = outcome(pending.add(8, 4, 10));
    pending.expire(COMMIT_WAIT_MS, () => '');
    expect(await cut).toBe('AXONIQ-10003');
    expect(await undecided(later)).toBe(true);
    pending.settle(8, log({ 8: 4 }));
    expect(await later).toBe('confirmed');
  });
});
