// Feature row B12: clusters worth trying, started by name; the server shows the roles that the scenario promises.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scenarios, scenarioSpec } from '../../electron/contract/scenarios.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

describe('scenarios', () => {
  const workspace = new Workspace();
  beforeAll(() => build());
  afterAll(() => workspace.dispose());

  it.each(scenarios.map((scenario) => [scenario.id, scenario] as const))(
    'B12 %s starts with its roles',
    async (id, scenario) => {
      const name = `s-${id}`;
      const block = String(await freeBlock(scenario.roles.length));
      const args = ['--scenario', id, '--first-port', block, '--throw-away', '--detach', '--wait', '40s'];
      const up = await workspace.json<ClusterJson>('up', name, ...args);
      const [first] = up.nodes;
      const response = await fetch(`http://${first?.host}:${first?.http}/v1/public/context`);
      const listed = (await response.json()) as { context: string; roles: { node: string; role: string }[] }[];
      const roles = listed
        .find((one) => one.context === 'default')
        ?.roles.map(({ node, role }) => [node, role])
        .sort();
      expect(roles).toEqual(scenario.roles.map((role, at) => [`node-${at + 1}`, role]));
      await workspace.ok('down', name);
    },
    60_000,
  );

  it('B12 a scenario gives its roles to every context, and three primaries need none written', () => {
    const [plain, backup] = scenarios;
    expect(scenarioSpec(plain!, ['a', 'b'])).toEqual({ nodes: 3, contexts: ['a', 'b'] });
    expect(scenarioSpec(backup!, ['a', 'b']).layout?.map((context) => context.name)).toEqual(['a', 'b']);
  });
});
