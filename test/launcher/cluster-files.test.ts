// Clusters as files: what is exported can be imported, and holds no secret.
import { describe, expect, it } from 'vitest';
import { parseClusterTemplate } from '../../engine/config/cluster-template.ts';
import { parseYaml } from '../../engine/config/yaml.ts';
import type { exportKinds } from '../../electron/contract/manage.ts';
import type { ClusterSpec, NodeRole } from '../../electron/contract/model.ts';
import { exportCluster } from '../../electron/launcher/cluster-exports.ts';
import { readClusterFile } from '../../electron/launcher/cluster-import.ts';
import { planTemplate } from '../../electron/launcher/cluster-template.ts';
import { planCluster } from '../../electron/launcher/plan.ts';
import { initialFacts } from '../../electron/launcher/cluster-state.ts';
import { generatedProperties } from '../../electron/launcher/properties-file.ts';
import { noSecurity } from '../../electron/launcher/security.ts';
import { buildView } from '../../electron/launcher/view.ts';

const role = (node: string, what: NodeRole) => ({ node, role: what });
const layout = [
  {
    name: 'orders',
    roles: [role('node-1', 'PRIMARY'), role('node-2', 'ACTIVE_BACKUP'), role('node-3', 'MESSAGING_ONLY')],
  },
  { name: 'audit', roles: [role('node-1', 'PASSIVE_BACKUP'), role('node-3', 'PRIMARY')] },
];
const spec: ClusterSpec = {
  name: 'shop',
  nodes: 3,
  contexts: ['orders', 'audit'],
  data: 'keep',
  timing: 'dev',
  layout,
  accessControl: true,
  firstPort: 8024,
};
const plan = planCluster(spec, { dir: '/w/shop', firstPort: 8024, createdAt: '2026-01-01', notes: [] });
const view = buildView(initialFacts(plan, { initialised: false, formed: false }), 0, 1);
const exported = (kind: (typeof exportKinds)[number]) => exportCluster({ plan, view }, kind);

describe('a cluster as a file', () => {
  it('S21 the plan of a cluster with roles writes a template with everyone in _admin, and no autocluster property (CT-7)', () => {
    const text = planTemplate(plan);
    const template = parseClusterTemplate(text ?? '');
    expect(template.first).toEqual({ host: 'localhost', port: 8224 });
    expect(template.contexts.map(({ name, roles }) => ({ name, roles }))).toEqual([
      { name: '_admin', roles: ['node-1', 'node-2', 'node-3'].map((node) => role(node, 'PRIMARY')) },
      ...layout,
    ]);
    const keys = generatedProperties(plan, plan.nodes[0]!, noSecurity).map(([key]) => key);
    expect(keys).toContain('axoniq.axonserver.clustertemplate.path');
    expect(keys.join()).not.toContain('autocluster');
  });

  it('a spec and a template read back as the same contexts and roles', () => {
    expect(readClusterFile(exported('spec').text, 'copy').spec).toEqual({ ...spec, name: 'copy' });
    const { spec: fromTemplate } = readClusterFile(exported('template').text, 'copy');
    expect(fromTemplate).toMatchObject({ nodes: 3, contexts: ['orders', 'audit'] });
    expect(fromTemplate.layout?.filter((one) => one.name !== '_admin')).toEqual(layout);
  });

  it('foreign node names become ours, and what is left out is said', () => {
    const foreign = exported('template').text.replaceAll('node-', 'axonserver-');
    const text = `${foreign}      users:\n        - userName: admin\n          password: secret\n`;
    const { spec: made, notes } = readClusterFile(text, 'copy');
    expect(made.layout?.filter((one) => one.name !== '_admin')).toEqual(layout);
    expect(notes.join(' ')).toMatch(/axonserver-1 becomes node-1.*1 user of the template/);
    expect(JSON.stringify(made)).not.toContain('secret');
  });

  it.each(['compose', 'k8s'] as const)('%s holds every node, the template, and says what the image needs', (kind) => {
    const { text, notes } = exported(kind);
    for (const node of plan.nodes) expect(text).toContain(node.name);
    expect(text).toContain('CLUSTERTEMPLATE_PATH');
    expect(text).toMatch(/role: ACTIVE_BACKUP/);
    expect(notes.join(' ')).toMatch(/licence.*tokens of this cluster are not part/s);
    expect(text).not.toMatch(/\t|undefined|\[object/);
    // The part before the embedded template is plain enough for our own reader to check its structure.
    if (kind === 'compose') {
      const services = parseYaml(text.slice(0, text.indexOf('configs:\n  template:'))) as { services: object };
      expect(Object.keys(services.services)).toEqual(['node-1', 'node-2', 'node-3']);
    }
  });

  it.each([
    ['{"a": 1}', /not of the kind muster-cluster/],
    ['{', /does not describe a cluster/],
    ['hello', /no cluster template/],
    [JSON.stringify({ kind: 'muster-cluster', version: 1, spec: { ...spec, nodes: 99 } }), /does not describe/],
    [JSON.stringify({ kind: 'muster-cluster', version: 1, spec: { ...spec, nodes: 2 } }), /does not describe/],
    [JSON.stringify({ kind: 'muster-cluster', version: 1, spec: { ...spec, evil: 1 } }), /does not describe/],
  ])('refuses %j with TEMPLATE_INVALID', (text, message) => {
    expect(() => readClusterFile(text, 'x')).toThrow(message);
    expect(() => readClusterFile(text, 'x')).toThrow(
      expect.objectContaining({ data: expect.objectContaining({ code: 'TEMPLATE_INVALID' }) }),
    );
  });
});
