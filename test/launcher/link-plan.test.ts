import { describe, expect, it } from 'vitest';
import { between, linkConsequences, linkPresets } from '../../electron/contract/link-plan.ts';
import { cluster, context, down, node, replica } from '../e2e/view-parts.ts';

const five = cluster({
  nodes: [1, 2, 3, 4, 5].map((i) => node(i)),
  contexts: [context('default', { members: [1, 2, 3, 4, 5].map((i) => replica(i)) })],
});
const names = five.nodes.map((one) => one.name);

describe('ux 4.3: what broken links mean, before they are broken', () => {
  it('B3 a majority keeps the leader, a minority leader is replaced, three ways leave none', () => {
    expect(linkConsequences(five, between([['node-5'], names.slice(0, 4)]))).toEqual([
      'default keeps its leader node-1, who reaches 4 of 5 voters.',
    ]);
    expect(linkConsequences(five, between([names.slice(0, 2), names.slice(2)]))).toEqual([
      'default elects another leader (node-3 or node-4 or node-5); node-1 is cut off.',
    ]);
    expect(linkConsequences(five, between([names.slice(0, 2), names.slice(2, 4), ['node-5']]))).toEqual([
      'default loses its leader: no node reaches 3 of 5 voters.',
    ]);
  });

  it('one direction is enough to lose a voter; a dead voter counts as unreachable', () => {
    const oneDead = cluster({ nodes: [node(1), node(2), down(3)], contexts: [context('default')] });
    expect(linkConsequences(oneDead, [])).toEqual(['default keeps its leader node-1, who reaches 2 of 3 voters.']);
    expect(linkConsequences(oneDead, [{ from: 'node-2', to: 'node-1' }])).toEqual([
      'default loses its leader: no node reaches 2 of 3 voters.',
    ]);
  });

  it('presets name real links only, and a ring leaves each node two neighbours', () => {
    const ring = linkPresets(names, 'node-1').find((preset) => preset.label === 'Ring');
    expect(ring?.links).toHaveLength(10);
    for (const preset of linkPresets(names, 'node-3'))
      for (const link of preset.links) {
        expect(link.from).not.toBe(link.to);
        expect(names).toContain(link.from);
        expect(names).toContain(link.to);
      }
    expect(linkPresets(['node-1'], 'node-1')).toEqual([]);
  });
});
