import { describe, expect, it } from 'vitest';
import { decideAutocluster } from '../../../engine/config/autocluster.ts';
import { joinRetryDelayMs } from '../../../engine/context/cluster-joiner.ts';
import type { AutoclusterDecision, TemplateFile } from '../../../engine/config/autocluster.ts';
import { parseClusterTemplate } from '../../../engine/config/cluster-template.ts';
import { parseSettings } from '../../../engine/config/settings.ts';

const P = 'axoniq.axonserver.';
const BASE = `${P}hostname=localhost\n${P}domain=\n`;

function decide(
  entries: Record<string, string>,
  initialised = false,
  template: TemplateFile | null = null,
): AutoclusterDecision {
  const text =
    BASE +
    Object.entries(entries)
      .map(([key, value]) => `${P}${key}=${value}\n`)
      .join('');
  const { settings, problems } = parseSettings(text, {}, { machineHostName: 'pc' });
  expect(problems).toEqual([]);
  return decideAutocluster({ settings, initialised, template });
}

const template: TemplateFile = {
  path: './cluster-template.yml',
  template: parseClusterTemplate('axoniq:\n  axonserver:\n    cluster-template:\n      first: localhost:8224\n'),
  problem: null,
};

describe('decideAutocluster', () => {
  it('AC-1 does nothing without autocluster.first, even with contexts listed', () => {
    expect(decide({ 'autocluster.contexts': '_admin,default' })).toEqual({ kind: 'none' });
    expect(decide({ 'autocluster.first': '' })).toEqual({ kind: 'none' });
  });

  it('AC-1 takes 8224 as the port of first, not the own internal port', () => {
    expect(decide({ 'autocluster.first': 'localhost', 'internal-port': '8225' })).toMatchObject({
      kind: 'join',
      host: 'localhost',
      port: 8224,
    });
  });

  it('AC-1 refuses a first that is not host or host:port', () => {
    const { problems } = parseSettings(`${P}autocluster.first=http://x:1`, {}, { machineHostName: 'pc' });
    expect(problems).toEqual([expect.objectContaining({ key: `${P}autocluster.first`, value: 'http://x:1' })]);
  });

  it('AC-2 lets only the node whose internal host and port both match initialise', () => {
    const first = { 'autocluster.first': 'localhost:8224' };
    expect(decide(first).kind).toBe('init');
    expect(decide({ ...first, 'internal-port': '8226' }).kind).toBe('join');
    expect(decide({ ...first, 'internal-hostname': 'other' }).kind).toBe('join');
  });

  it('AC-3 compares the host as text, with the domain in effect and without resolving aliases', () => {
    expect(decide({ 'autocluster.first': '127.0.0.1:8224' }).kind).toBe('join');
    const named = { hostname: 'axonserver-1', domain: 'rakis.nl' };
    expect(decide({ ...named, 'autocluster.first': 'axonserver-1.rakis.nl' }).kind).toBe('init');
    expect(decide({ ...named, 'autocluster.first': 'axonserver-1' }).kind).toBe('join');
  });

  it('AC-4 always creates _admin on the first node and default only if listed', () => {
    const first = { 'autocluster.first': 'localhost' };
    expect(decide({ ...first, 'autocluster.contexts': 'orders' })).toEqual({
      kind: 'init',
      contexts: ['_admin', 'orders'],
      dcb: false,
    });
    expect(decide({ ...first, 'autocluster.contexts': 'default, _admin' })).toMatchObject({
      contexts: ['_admin', 'default'],
    });
  });

  it('AC-5 creates only _admin when the first node lists no contexts', () => {
    expect(decide({ 'autocluster.first': 'localhost' })).toMatchObject({ contexts: ['_admin'] });
  });

  it('AC-6 and AC-7 let another node join exactly the contexts of its own list', () => {
    const other = { 'autocluster.first': 'one:9224', 'autocluster.contexts': '_admin,default,default' };
    expect(decide(other)).toEqual({ kind: 'join', host: 'one', port: 9224, contexts: ['_admin', 'default'] });
  });

  it('AC-8 joins _admin only if it is listed', () => {
    expect(decide({ 'autocluster.first': 'one', 'autocluster.contexts': 'default' })).toMatchObject({
      contexts: ['default'],
    });
  });

  it('AC-9 joins the cluster without contexts when none are listed', () => {
    expect(decide({ 'autocluster.first': 'one' })).toEqual({ kind: 'join', host: 'one', port: 8224, contexts: [] });
  });

  it('AC-10 never turns a node that is not first into a creator, whatever it lists', () => {
    expect(decide({ 'autocluster.first': 'one', 'autocluster.contexts': 'absent' }).kind).toBe('join');
  });

  it('AC-11 and AC-14 ignore the properties on a node that is initialised, the first one too', () => {
    expect(decide({ 'autocluster.first': 'localhost', 'autocluster.contexts': 'more' }, true)).toEqual({
      kind: 'already-member',
    });
    expect(decide({ 'autocluster.first': 'one' }, true)).toEqual({ kind: 'already-member' });
    expect(decide({}, true)).toEqual({ kind: 'already-member' });
  });

  it('AC-12 and AC-13 retry for ever: 250 ms doubling to 5 s', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1000].map(joinRetryDelayMs)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  it('AC-15 three nodes of the official local example give one creator and two joiners of both contexts', () => {
    const kinds = ['8224', '8225', '8226'].map((port) =>
      decide({ 'autocluster.first': 'localhost', 'autocluster.contexts': '_admin,default', 'internal-port': port }),
    );
    expect(kinds.map((decision) => decision.kind)).toEqual(['init', 'join', 'join']);
    expect(kinds.map((decision) => 'contexts' in decision && decision.contexts)).toEqual(
      Array(3).fill(['_admin', 'default']),
    );
  });

  it('AC-16 creates DCB contexts when asked and refuses the platform connector next to autocluster', () => {
    expect(decide({ 'autocluster.first': 'localhost', 'autocluster.dcb': 'true' })).toMatchObject({ dcb: true });
    for (const key of ['console.authentication', 'platform.authentication']) {
      expect(decide({ 'autocluster.first': 'localhost', [key]: 'token' })).toMatchObject({
        kind: 'refuse',
        code: 'AUTOCLUSTER_AND_PLATFORM',
      });
    }
  });

  it('AC-17 takes first and contexts from the environment', () => {
    const env = { AXONIQ_AXONSERVER_AUTOCLUSTER_FIRST: 'localhost', AXONIQ_AXONSERVER_AUTOCLUSTER_CONTEXTS: 'default' };
    const { settings } = parseSettings(BASE, env, { machineHostName: 'pc' });
    expect(decideAutocluster({ settings, initialised: false, template: null })).toMatchObject({
      kind: 'init',
      contexts: ['_admin', 'default'],
    });
  });

  it('CT-7 refuses a template next to autocluster and says why', () => {
    expect(decide({ 'autocluster.first': 'localhost' }, false, template)).toMatchObject({
      kind: 'refuse',
      code: 'AUTOCLUSTER_AND_TEMPLATE',
    });
  });

  it('CT-2 a template alone: the node that first names forms the cluster, the others join it and no context yet', () => {
    const first = { 'internal-hostname': 'localhost', 'internal-port': '8224' };
    expect(decide(first, false, template)).toMatchObject({
      kind: 'init',
      contexts: ['_admin'],
      template: template.template,
    });
    expect(decide({ ...first, 'internal-port': '8225' }, false, template)).toEqual({
      kind: 'join',
      host: 'localhost',
      port: 8224,
      contexts: [],
    });
  });

  it('CT-1 a template is read by a fresh node only, and one that cannot be used stops it', () => {
    const broken = { path: './t.yml', template: null, problem: 'line 3: it is broken' };
    expect(decide({}, false, broken)).toMatchObject({
      kind: 'refuse',
      code: 'CLUSTER_TEMPLATE_INVALID',
      message: 'the cluster template ./t.yml cannot be used: line 3: it is broken',
    });
    expect(decide({}, true, broken)).toEqual({ kind: 'already-member' });
  });

  it('LC-13 standalone initialises a clean node with default, and not next to autocluster', () => {
    expect(decide({ standalone: 'true' })).toEqual({ kind: 'init', contexts: ['_admin', 'default'], dcb: false });
    expect(decide({ standalone: 'true' }, true)).toEqual({ kind: 'already-member' });
    expect(decide({ standalone: 'true', 'autocluster.first': 'x' })).toMatchObject({
      code: 'AUTOCLUSTER_AND_STANDALONE',
    });
  });
});
