import { describe, expect, it } from 'vitest';
import {
  applyAdminCommand,
  type AdminCommand,
  type AdminState,
  emptyAdminState,
  formedState,
} from '../../../engine/context/admin-state.ts';
import type { NodeInfo } from '../../../engine/context/api.ts';

const node = (number: number, storeId = `store${number}`): NodeInfo => ({
  name: `node-${number}`,
  storeId,
  hostName: 'localhost',
  grpcPort: 8123 + number,
  httpPort: 8023 + number,
  internalHostName: 'localhost',
  internalPort: 8223 + number,
  tags: {},
});

function run(...commands: readonly AdminCommand[]): AdminState {
  let state: AdminState = emptyAdminState;
  commands.forEach((command, position) => {
    const outcome = applyAdminCommand(state, position + 1, command);
    if (outcome.failure !== null) throw new Error(`${outcome.failure.code} ${outcome.failure.message}`);
    state = outcome.state;
  });
  return state;
}

const init: AdminCommand = { type: 'init', clusterId: 'c1', node: node(1) };
const create = (
  name: string,
  ...roles: readonly [number, 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | 'MESSAGING_ONLY'][]
): AdminCommand => ({
  type: 'create-context',
  name,
  roles: roles.map(([number, role]) => ({ node: `node-${number}`, role })),
  metaData: {},
  dcb: false,
});
const join = (number: number, contexts: readonly string[] | 'all' | 'none'): AdminCommand => ({
  type: 'join',
  node: node(number),
  contexts,
});
const failureOf = (state: AdminState, command: AdminCommand) =>
  applyAdminCommand(state, 99, command).failure?.code ?? null;

describe('the state machine of _admin', () => {
  it('LC-3, AC-4: init makes _admin with the first node as PRIMARY and nothing else', () => {
    const state = run(init);
    expect(state.contexts.map((context) => [context.name, context.group, context.roles])).toEqual([
      ['_admin', 1, [{ node: 'node-1', role: 'PRIMARY' }]],
    ]);
    expect(state.version).toBe(1);
  });

  it('LC-9: init again changes nothing but the version', () => {
    expect(run(init, init)).toEqual({ ...run(init), version: 2 });
  });

  it('LC-7, AC-7, AC-8: a join takes the listed contexts as PRIMARY, _admin only when listed', () => {
    const state = run(init, create('default', [1, 'PRIMARY']), join(2, ['default']), join(3, ['_admin', 'default']));
    expect(state.contexts.find((context) => context.name === '_admin')!.roles.map((role) => role.node)).toEqual([
      'node-1',
      'node-3',
    ]);
    expect(state.contexts.find((context) => context.name === 'default')!.roles).toEqual(
      [1, 2, 3].map((n) => ({ node: `node-${n}`, role: 'PRIMARY' })),
    );
  });

  it('AC-9: a join without contexts makes a member of no context', () => {
    const state = run(init, join(2, 'none'));
    expect(state.nodes.map((known) => known.name)).toEqual(['node-1', 'node-2']);
    expect(state.contexts.every((context) => context.roles.every((role) => role.node !== 'node-2'))).toBe(true);
  });

  it('AC-10: contexts that do not exist are reported, not created', () => {
    const outcome = applyAdminCommand(run(init), 2, join(2, ['_admin', 'orders']));
    expect(outcome.missingContexts).toEqual(['orders']);
    expect(outcome.state.contexts.map((context) => context.name)).toEqual(['_admin']);
  });

  it('AC-10: a context that was deleted is waited for no more, until it exists again; one that never existed is', () => {
    const gone = run(init, create('orders', [1, 'PRIMARY']), { type: 'delete-context', name: 'orders' });
    const asked = applyAdminCommand(gone, 9, join(2, ['_admin', 'orders', 'later']));
    expect(asked.missingContexts).toEqual(['later']);
    expect(gone.deleted).toEqual(['orders']);
    const kept = applyAdminCommand(
      run(init, create('orders', [1, 'PRIMARY']), { type: 'delete-context', name: 'orders', preserve: true }),
      9,
      join(2, ['orders']),
    );
    expect(kept.missingContexts).toEqual([]);
    for (const before of [asked.state, kept.state]) {
      const back = applyAdminCommand(before, 10, create('orders', [1, 'PRIMARY'])).state;
      expect(back.deleted).toEqual([]);
      const joined = applyAdminCommand(back, 11, join(2, ['orders'])).state;
      expect(joined.contexts.find(({ name }) => name === 'orders')?.roles).toHaveLength(2);
    }
  });

  it('AC-10: remembers the names of the last 500 deleted contexts, each once', () => {
    let state = run(init);
    const step = (command: AdminCommand) => (state = applyAdminCommand(state, state.version + 1, command).state);
    for (const name of ['first', ...Array.from({ length: 500 }, (_, at) => `c${at}`), 'c499']) {
      step(create(name, [1, 'PRIMARY']));
      step({ type: 'delete-context', name });
    }
    expect(state.deleted).toHaveLength(500);
    expect(state.deleted).not.toContain('first');
  });

  it('LC-10: a second node with the internal address of another is refused with AXONIQ-2500', () => {
    expect(failureOf(run(init), { type: 'join', node: { ...node(2), internalPort: 8224 }, contexts: 'none' })).toBe(
      'AXONIQ-2500',
    );
  });

  it('a wiped node that joins again replaces its store id and keeps its roles', () => {
    const state = run(init, create('default', [1, 'PRIMARY']), join(2, ['default']), {
      type: 'join',
      node: node(2, 'fresh'),
      contexts: ['default'],
    });
    expect(state.nodes.find((known) => known.name === 'node-2')!.storeId).toBe('fresh');
    expect(state.contexts.find((context) => context.name === 'default')!.roles).toHaveLength(2);
  });

  it('CX-2, CX-4, CX-5: bad names, doubled nodes, unknown nodes, missing primaries, existing names have their codes', () => {
    const state = run(init, join(2, 'none'), create('orders', [1, 'PRIMARY']));
    expect(failureOf(state, create('1st', [1, 'PRIMARY']))).toBe('AXONIQ-2308');
    expect(failureOf(state, create('../etc', [1, 'PRIMARY']))).toBe('AXONIQ-2308');
    expect(failureOf(state, create('_mine', [1, 'PRIMARY']))).toBe('AXONIQ-2308');
    expect(failureOf(state, create('a', [1, 'PRIMARY'], [1, 'ACTIVE_BACKUP']))).toBe('AXONIQ-2309');
    expect(failureOf(state, create('a', [7, 'PRIMARY']))).toBe('AXONIQ-1301');
    expect(failureOf(state, create('a', [1, 'ACTIVE_BACKUP']))).toBe('AXONIQ-2309');
    expect(failureOf(state, create('orders', [1, 'PRIMARY']))).toBe('AXONIQ-1304');
  });

  it('CX-7: _admin cannot be deleted; an unknown context cannot either', () => {
    expect(failureOf(run(init), { type: 'delete-context', name: '_admin' })).toBe('AXONIQ-2304');
    expect(failureOf(run(init), { type: 'delete-context', name: 'nope' })).toBe('AXONIQ-1302');
  });

  it('MB-5, MB-6: the last node and the last PRIMARY cannot leave', () => {
    const state = run(init, join(2, 'none'), create('orders', [1, 'PRIMARY'], [2, 'PASSIVE_BACKUP']));
    expect(failureOf(state, { type: 'remove-role', context: 'orders', node: 'node-1' })).toBe('AXONIQ-2310');
    expect(failureOf(state, { type: 'set-role', context: 'orders', node: 'node-1', role: 'PASSIVE_BACKUP' })).toBe(
      'AXONIQ-2310',
    );
    expect(failureOf(state, { type: 'remove-role', context: '_admin', node: 'node-1' })).toBe('AXONIQ-2310');
    expect(failureOf(state, { type: 'remove-role', context: 'orders', node: 'node-2' })).toBeNull();
  });

  it('group numbers are never used twice', () => {
    const state = run(
      init,
      create('a', [1, 'PRIMARY']),
      { type: 'delete-context', name: 'a' },
      create('a', [1, 'PRIMARY']),
    );
    expect(state.contexts.find((context) => context.name === 'a')!.group).toBe(3);
  });

  it('a node that left and came back is marked, so that it starts empty', () => {
    const state = run(
      init,
      join(2, 'none'),
      create('a', [1, 'PRIMARY'], [2, 'PRIMARY']),
      { type: 'remove-role', context: 'a', node: 'node-2' },
      { type: 'set-role', context: 'a', node: 'node-2', role: 'PRIMARY' },
    );
    expect(state.contexts.find((context) => context.name === 'a')!.departed).toEqual(['node-2']);
  });

  it('the state that a first node forms is the one that init replicates', () => {
    expect({ ...formedState('c1', node(1)), version: 1 }).toEqual(run(init));
  });

  it('an unknown command fails without an effect', () => {
    expect(failureOf(run(init), { type: 'explode' } as unknown as AdminCommand)).toBe('AXONIQ-0001');
  });
});
