// Feature row S21, by template: roles of a cluster given as a file (cluster-semantics CT-1 to CT-5), by command line and from the server.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseClusterTemplate } from '../../engine/config/cluster-template.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build, ELECTION_MS_MAX } from './harness.ts';
import { freeBlock } from './ports.ts';
import { until } from './wait.ts';

/** Roles that autocluster cannot express; names as another tool gave them. */
const wanted: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  orders: [
    ['axonserver-0', 'PRIMARY'],
    ['axonserver-1', 'ACTIVE_BACKUP'],
    ['axonserver-2', 'PASSIVE_BACKUP'],
  ],
  edge: [
    ['axonserver-1', 'PRIMARY'],
    ['axonserver-2', 'MESSAGING_ONLY'],
  ],
};

function templateText(): string {
  const group = (name: string): string =>
    [
      `        - name: ${name}`,
      '          roles:',
      ...(wanted[name] ?? []).flatMap(([node, role]) => [`            - node: ${node}`, `              role: ${role}`]),
      '          contexts:',
      `            - name: ${name}`,
    ].join('\n');
  return `axoniq:\n  axonserver:\n    cluster-template:\n      first: axonserver-0:8224\n      replicationGroups:\n${Object.keys(wanted).map(group).join('\n')}\n`;
}

const rolesOf = (cluster: ClusterJson): unknown =>
  Object.fromEntries(
    cluster.contexts
      .filter((context) => context.name !== '_admin')
      .map((context) => [context.name, context.members.map((member) => [member.node, member.role]).sort()]),
  );
const expected = Object.fromEntries(
  Object.entries(wanted).map(([name, roles]) => [
    name,
    roles
      .map(([node, role]) => [
        node.replace(/\d/, (digit) => String(Number(digit) + 1)).replace('axonserver', 'node'),
        role,
      ])
      .sort(),
  ]),
);

describe('roles by template', () => {
  const workspace = new Workspace();
  let up: ClusterJson;
  beforeAll(async () => {
    build();
    const file = path.join(workspace.home, 'shop.yml');
    writeFileSync(file, templateText());
    const args = [
      '--template',
      file,
      '--first-port',
      String(await freeBlock(3)),
      '--throw-away',
      '--detach',
      '--wait',
      '40s',
    ];
    up = await workspace.json<ClusterJson>('up', 'shop', ...args);
  });
  afterAll(async () => {
    await workspace.muster('down', 'shop');
    await workspace.dispose();
  });

  it('S21 a template gives every context its roles: up is ready with them, REST lists the same', async () => {
    expect(rolesOf(up)).toEqual(expected);
    const [first] = up.nodes;
    const response = await fetch(`http://${first?.host}:${first?.http}/v1/public/context`);
    const listed = (await response.json()) as { context: string; roles: { node: string; role: string }[] }[];
    for (const name of Object.keys(wanted))
      expect(
        listed
          .find((one) => one.context === name)
          ?.roles.map(({ node, role }) => [node, role])
          .sort(),
      ).toEqual(expected[name]);
  });

  it('S21 CT-5 the template that the server and `muster export` give back has the same roles', async () => {
    const [first] = up.nodes;
    const downloaded = await (await fetch(`http://${first?.host}:${first?.http}/v1/cluster/download-template`)).text();
    const exported = await workspace.json<{ readonly text: string }>('export', 'template', '-c', 'shop');
    for (const text of [downloaded, exported.text]) {
      const { contexts, first: address } = parseClusterTemplate(text);
      expect(address.port).toBe(first?.internal);
      const roles = contexts
        .filter((one) => one.name !== '_admin')
        .map((one) => [one.name, one.roles.map(({ node, role }) => [node, role]).sort()]);
      expect(Object.fromEntries(roles)).toEqual(expected);
    }
  });

  it('CT-1 a template is used once: a role changed later stays changed over a restart of all nodes', async () => {
    await workspace.ok('role', 'node-3', 'orders', 'primary', '-c', 'shop');
    await workspace.ok('stop', 'all', '-c', 'shop');
    await workspace.ok('start', 'all', '-c', 'shop');
    await workspace.ok('wait', 'ready', '-c', 'shop', '--timeout', '30s');
    await until('node-3 to be PRIMARY of orders', ELECTION_MS_MAX, async () => {
      const { contexts } = await workspace.status('shop');
      return (
        contexts.find((one) => one.name === 'orders')?.members.find((one) => one.node === 'node-3')?.role === 'PRIMARY'
      );
    });
  });

  it('S21 a kill of the first node before the others joined loses nothing of the template', async () => {
    const file = path.join(workspace.home, 'late.yml');
    writeFileSync(file, templateText());
    await workspace.ok('import', file);
    await workspace.ok('start', 'node-1', '-c', 'late');
    await until('node-1 to have formed its cluster', ELECTION_MS_MAX, async () =>
      (await workspace.status('late')).contexts.some((one) => one.name === '_admin' && one.leader === 'node-1'),
    );
    await workspace.ok('kill', 'node-1', '-c', 'late');
    await workspace.ok('start', 'all', '-c', 'late');
    await workspace.ok('wait', 'ready', '-c', 'late', '--timeout', '30s');
    expect(rolesOf(await workspace.status('late'))).toEqual(expected);
    await workspace.ok('down', 'late', '--throw-away');
  });
});
