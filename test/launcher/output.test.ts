// What the command line says besides its tables.
import { standardSettings } from '../../electron/contract/settings.ts';
import { expect, it } from 'vitest';
import { clustersText, logText, statusText } from '../../electron/cli/output.ts';
import type { ClusterSummary, LogLine } from '../../electron/contract/model.ts';
import { scenes } from '../e2e/scenes.ts';
import { healthyFacts, T0, viewOf } from './builders.ts';

const view = viewOf(healthyFacts());

it('UX-12, UX-3.3 status tells a node with changed properties what to do, and what an earlier launcher left behind', () => {
  const nodes = view.nodes.map((node, i) => (i === 1 ? { ...node, propertiesChangedAt: T0 } : node));
  const notes = statusText({ ...view, nodes, leftBehind: 'Something ran.' })
    .split('\n')
    .filter((line) => line.startsWith('note: '));
  expect(notes).toEqual([
    'note: Something ran.',
    'note: the properties of node-2 were changed since it started: muster restart node-2',
  ]);
});

it('UX-3.3 the list of clusters tells below it what was left behind, and of which cluster', () => {
  const one: ClusterSummary = {
    name: 'dev',
    state: 'stopped',
    sentence: 'Stopped; data is kept.',
    nodes: 3,
    readyNodes: 0,
    contexts: ['default'],
    data: 'keep',
    grpcPorts: [8124],
    lastUsed: '',
    dir: '/dev',
  };
  const lines = clustersText([
    one,
    { ...one, name: 'other', leftBehind: 'Something ran.' },
    { ...one, name: 'ill', state: 'unusable', sentence: 'default cannot be used: no majority.' },
  ]).split('\n');
  expect(lines.slice(4)).toEqual(['other: Something ran.', 'ill: default cannot be used: no majority.']);
});

it('B11 a log line that only looks like trouble says so at its end', () => {
  const line: LogLine = { seq: 1, at: 0, level: 'info', context: 'default', code: 'X', text: 'waits' };
  expect(logText('node-1', line, true, standardSettings)).toBe('[node-1]  INFO  default: waits [X]');
  const utc = { ...standardSettings, clock: '12h', zone: 'utc' } as const;
  expect(logText('node-1', { ...line, at: Date.UTC(2026, 0, 2, 15, 4, 5, 6) }, false, utc)).toMatch(
    /^03:04:05\.006 PM Z INFO/,
  );
  expect(logText('node-1', { ...line, harmless: 'it forms' }, false, standardSettings)).toMatch(
    / waits \[X\] \(harmless: it forms\)$/,
  );
});

it('status tells the phase, bytes, rate and time to go of a member that catches up, and nothing when it is there', () => {
  const view = scenes.healthy();
  const [first, ...rest] = view.contexts;
  const [leader, behind, ...others] = first!.members;
  const catchUp = { phase: 'segments', bytesLeft: 3_500_000, bytesPerSecond: 1_048_576, etaMs: 3400 } as const;
  const contexts = [{ ...first!, members: [leader!, { ...behind!, catchUp }, ...others] }, ...rest];
  const words = `  ${first!.name}: ${behind!.node} catches up: whole files, 3.3 MB left, 1.0 MB/s, 3.4 s to go`;
  expect(statusText({ ...view, contexts }).split('\n')).toContain(words);
  expect(statusText(view)).not.toContain('catches up');
  const down = { ...behind!, state: 'down', catchUp: { ...catchUp, phase: 'probe' } } as const;
  const gone = [{ ...first!, members: [leader!, down, ...others] }, ...rest];
  expect(statusText({ ...view, contexts: gone }), 'a member that is down does not').not.toContain('catches up');
});
