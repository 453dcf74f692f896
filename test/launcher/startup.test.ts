// What the checklist of a start says once it takes too long.
import { expect, it } from 'vitest';
import { notReady, READY_MS_MAX, type Startup } from '../../renderer/startup.ts';
import { cluster, context, down, node, why } from '../e2e/view-parts.ts';

const AT = 1_000_000;
const done = (id: string, label = id) => ({ id, label, doneMs: 10 });
const open = (id: string, label = id) => ({ id, label, doneMs: null });
const start = (...steps: Startup['steps']): Startup => ({ cluster: 'dev', at: AT, steps, finished: false });

it('UX-17: not before its time, and not of a start that is done', () => {
  const waiting = start(done('plan'), open('formed'));
  expect(notReady(waiting, cluster({}), AT + READY_MS_MAX - 1)).toBeNull();
  expect(notReady({ ...waiting, finished: true }, cluster({}), AT + READY_MS_MAX)).toBeNull();
  expect(notReady(start(), cluster({}), AT + READY_MS_MAX), 'nothing is known yet').toBeNull();
});

it('UX-17: names the step, the node with its sentence, and why the context cannot be used', () => {
  const view = cluster({
    nodes: [node(1), node(2), node(3, { state: 'joining', sentence: 'Waits for node-1.' })],
    contexts: [context('default', { usable: false, why: why({ sentence: 'No leader: 1 of 3 reachable.' }) })],
  });
  expect(
    notReady(start(done('node:node-2', 'node-2'), open('node:node-3', 'node-3')), view, AT + READY_MS_MAX),
  ).toEqual({
    code: 'NOT_READY_IN_TIME',
    what: 'Not ready after 30 s: the step “node-3” is not done.',
    why: 'node-3: Waits for node-1. default: No leader: 1 of 3 reachable.',
    next: ['It goes on by itself once what is missing is there.'],
    node: 'node-3',
  });
  const half = cluster({ nodes: [node(1), down(2, { sentence: 'It ended.' })] });
  const late = notReady(start(open('processes', '2 processes')), half, AT + READY_MS_MAX);
  expect([late?.node, late?.why]).toEqual(['node-2', expect.stringContaining('node-2: It ended.')]);
});
