import { describe, expect, it } from 'vitest';
import {
  nodesOf,
  parseClusterTemplate,
  renderClusterTemplate,
  TemplateError,
} from '../../../engine/config/cluster-template.ts';

/** As a real server writes it. */
const real = `axoniq:
  axonserver:
    cluster-template:
      first: axonserver-0.axon:8224
      users:
        - roles:
            - context: _admin
              roles:
                - ADMIN
          password: test
          userName: admin
      replicationGroups:
        - roles:
            - role: PRIMARY
              node: axonserver-0
            - role: PRIMARY
              node: axonserver-1
          name: _admin
          contexts:
            - name: _admin
              metaData:
                event.index-format: JUMP_SKIP_INDEX
        - roles:
            - role: PRIMARY
              node: axonserver-0
            - role: passive_backup
              node: axonserver-1
          name: shop
          contexts:
            - name: orders
            - name: billing
      applications:
        - token: 0123456789abcdef
          name: shop
          description: the shop
          roles:
            - roles: [USE_CONTEXT]
              context: "*"
`;

describe('cluster templates', () => {
  it('CT-2 CT-4: roles, contexts of a group, users and applications are read; each context has the roles of its group', () => {
    const template = parseClusterTemplate(real);
    const roles = [
      { node: 'axonserver-0', role: 'PRIMARY' },
      { node: 'axonserver-1', role: 'PASSIVE_BACKUP' },
    ];
    expect(template.first).toEqual({ host: 'axonserver-0.axon', port: 8224 });
    expect(template.contexts.map((context) => context.name)).toEqual(['_admin', 'orders', 'billing']);
    expect(template.contexts[1]).toEqual({ name: 'orders', roles, metaData: {} });
    expect(template.contexts[0]?.metaData).toEqual({ 'event.index-format': 'JUMP_SKIP_INDEX' });
    expect(template.users).toEqual([
      { name: 'admin', password: 'test', roles: [{ context: '_admin', role: 'ADMIN' }] },
    ]);
    expect(template.applications).toMatchObject([
      { name: 'shop', token: '0123456789abcdef', roles: [{ context: '*', role: 'USE_CONTEXT' }] },
    ]);
    expect(nodesOf(template)).toEqual(['axonserver-0', 'axonserver-1']);
  });

  it('CT-6: the old key of the groups and the path as one key are taken, too', () => {
    const old = real.replace('replicationGroups', 'replicationsGroups');
    expect(parseClusterTemplate(old)).toEqual(parseClusterTemplate(real));
    const dotted = 'axoniq.axonserver.cluster-template:\n  first: h\n';
    expect(parseClusterTemplate(dotted)).toMatchObject({ first: { host: 'h', port: 8224 }, contexts: [] });
  });

  it('what is rendered reads back the same', () => {
    const { first, contexts } = parseClusterTemplate(real);
    expect(parseClusterTemplate(renderClusterTemplate({ first, contexts }))).toMatchObject({ first, contexts });
  });

  it.each([
    ['passive_backup', 'SECONDARY', /role SECONDARY is not supported/],
    ['node: axonserver-1\n          name: shop', 'node: axonserver-0\n          name: shop', /a node has two roles/],
    ['- name: billing', '- name: orders', /the context orders appears twice/],
    ['- name: billing', '- name: ../etc', /is no context name/],
    ['first: axonserver-0.axon:8224', 'first: http://x', /first: http:\/\/x is not host or host:port/],
    ['first: axonserver-0.axon:8224', 'last: x', /first is missing/],
    ['cluster-template:', 'other:', /cluster-template is missing/],
  ])('says what is wrong when %j is %j', (found, put, message) => {
    expect(real).toContain(found);
    const broken = real.replace(found, put);
    expect(() => parseClusterTemplate(broken)).toThrow(TemplateError);
    expect(() => parseClusterTemplate(broken)).toThrow(message);
  });

  it('a group without PRIMARY is refused', () => {
    const text = `axoniq:\n  axonserver:\n    cluster-template:\n      first: a\n      replicationGroups:\n        - name: x\n          roles:\n            - node: a\n              role: ACTIVE_BACKUP\n`;
    expect(() => parseClusterTemplate(text)).toThrow(/no PRIMARY/);
  });
});
