import { describe, expect, it } from 'vitest';
import { advance, beginTour, tourSteps, tourVerdict } from '../../renderer/tour-steps.ts';
import { cluster, context, down, node, why } from '../e2e/view-parts.ts';

const healthy = (term: number, leader: string, lastToken = 9) =>
  cluster({ contexts: [context('default', { term, leader, lastToken })] });

describe('the five-minute tour', () => {
  it('is moved on by the state of the cluster alone, one step at a time, to a verdict from real numbers', () => {
    const elected = cluster({
      nodes: [down(1), node(2), node(3)],
      contexts: [context('default', { term: 8, leader: 'node-2', lastToken: 9, why: why({ headline: 'healthy' }) })],
    });
    const lost = cluster({
      nodes: [down(1), down(2), node(3)],
      contexts: [
        context('default', { term: 8, leader: null, usable: false, lastToken: 9, why: why({ headline: 'no-quorum' }) }),
      ],
    });
    const follower = cluster({ nodes: [node(1), node(2), down(3)], contexts: [context('default', { lastToken: 9 })] });
    const views = [healthy(7, 'node-1'), follower, healthy(7, 'node-1'), elected, lost, healthy(9, 'node-3')];
    let tour = beginTour('dev');
    for (const [step, view] of views.entries()) {
      tour = advance(tour, view);
      expect(tour.step, tourSteps[step]?.title).toBe(step + 1);
    }
    expect(tourVerdict(tour)).toMatch(/0 of 10 committed events are missing \(term 9\)/);
    expect(tourVerdict({ ...tour, eventsAfter: 8 })).toMatch(/2 committed events are missing/);
  });

  it('does not take a dead leader for a lost follower, nor the same leader for a new one', () => {
    const started = advance(beginTour('dev'), healthy(7, 'node-1'));
    const leaderDown = cluster({
      nodes: [down(1), node(2), node(3)],
      contexts: [context('default', { leader: null, usable: false })],
    });
    expect(advance(started, leaderDown)).toBe(started);
    const again = { ...started, step: 3 };
    expect(advance(again, healthy(8, 'node-1'))).toBe(again);
    expect(advance(started, cluster({ name: 'other' }))).toBe(started);
  });
});
