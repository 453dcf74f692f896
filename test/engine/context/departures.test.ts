import { describe, expect, it } from 'vitest';
import {
  type AdminCommand,
  type AdminState,
  applyAdminCommand,
  emptyAdminState,
} from '../../../engine/context/admin-state.ts';
import type { NodeInfo } from '../../../engine/context/api.ts';
import {
  Departures,
  folderOf,
  groupOfFolder,
  isDeletedForGood,
  isPreserved,
} from '../../../engine/context/departures.ts';

const HOURS = 3_600_000;

function node(name: string): NodeInfo {
  const port = Number(name.slice(-1));
  return {
    name,
    storeId: `${name}-store`,
    hostName: 'localhost',
    grpcPort: 8123 + port,
    httpPort: 8023 + port,
    internalHostName: 'localhost',
    internalPort: 8223 + port,
    tags: {},
  };
}

/** A cluster of four nodes, `_admin` on the first, `default` on the first three. */
function stateAfter(...commands: readonly AdminCommand[]): AdminState {
  const all: readonly AdminCommand[] = [
    { type: 'init', clusterId: 'c', node: node('node-1') },
    ...['node-2', 'node-3', 'node-4'].map(
      (name): AdminCommand => ({ type: 'join', node: node(name), contexts: 'none' }),
    ),
    create(['node-1', 'node-2', 'node-3']),
    ...commands,
  ];
  return all.reduce((state, command, index) => {
    const { state: next, failure } = applyAdminCommand(state, index + 1, command);
    expect(failure).toBeNull();
    return next;
  }, emptyAdminState);
}

function create(names: readonly string[]): AdminCommand {
  const roles = names.map((name) => ({ node: name, role: 'PRIMARY' as const }));
  return { type: 'create-context', name: 'default', roles, metaData: {}, dcb: false };
}

const remove = (preserve: boolean): AdminCommand => ({ type: 'delete-context', name: 'default', preserve });
const leave = (preserve: boolean): AdminCommand => ({
  type: 'remove-role',
  context: 'default',
  node: 'node-3',
  preserve,
});
const defaultOf = (state: AdminState) => state.contexts.find((context) => context.name === 'default');

describe('preserved contexts in the state of _admin', () => {
  it('CX-10: a context deleted with its events kept is created again as the same group with the same first members', () => {
    const first = defaultOf(stateAfter())!;
    const deleted = stateAfter(remove(true));
    expect(deleted.contexts.map((context) => context.name)).toEqual(['_admin']);
    expect(isPreserved(deleted, first.group)).toBe(true);
    expect(isDeletedForGood(deleted, first.group)).toBe(false);
    const again = stateAfter(remove(true), create(['node-1', 'node-4']));
    expect(defaultOf(again)).toMatchObject({
      group: first.group,
      bootstrap: first.bootstrap,
      kept: ['node-2', 'node-3'],
      roles: [
        { node: 'node-1', role: 'PRIMARY' },
        { node: 'node-4', role: 'PRIMARY' },
      ],
    });
    expect(again.preserved).toEqual([]);
  });

  it('CX-8: deleted for good means another group for the next context of that name', () => {
    const first = defaultOf(stateAfter())!;
    for (const commands of [[remove(false)], [remove(true), remove(false)]]) {
      const deleted = stateAfter(...commands);
      expect(isDeletedForGood(deleted, first.group)).toBe(true);
      expect(defaultOf(stateAfter(...commands, create(['node-1'])))?.group).toBeGreaterThan(first.group);
    }
    expect(isDeletedForGood(stateAfter(), stateAfter().nextGroup)).toBe(false);
  });

  it('CX-10: events of a DCB context are not taken for those of a classic one', () => {
    const state = stateAfter(remove(true));
    const command = { ...create(['node-1']), dcb: true } as AdminCommand;
    expect(applyAdminCommand(state, 99, command).failure?.code).toBe('AXONIQ-2311');
  });

  it('MB-4: a node that leaves is remembered as keeping its copy until it is back or leaves without it', () => {
    expect(defaultOf(stateAfter(leave(true)))?.kept).toEqual(['node-3']);
    expect(defaultOf(stateAfter(leave(true), leave(false)))?.kept).toEqual([]);
    const back: AdminCommand = { type: 'set-role', context: 'default', node: 'node-3', role: 'PASSIVE_BACKUP' };
    expect(defaultOf(stateAfter(leave(true), back))?.kept).toEqual([]);
    expect(defaultOf(stateAfter(leave(false)))?.kept).toBeUndefined();
  });

  it('a node that stops storing is a newcomer when it stores again, for its copy is gone', () => {
    const edge: AdminCommand = { type: 'set-role', context: 'default', node: 'node-3', role: 'MESSAGING_ONLY' };
    expect(defaultOf(stateAfter(edge))?.departed).toEqual(['node-3']);
  });
});

describe('when a copy may go', () => {
  const group = defaultOf(stateAfter())!.group;
  const folders = [folderOf({ group, name: 'default' })];

  it('MB-6: not before the leader of the group says so, however long that takes', () => {
    const departures = new Departures('node-3');
    expect(departures.review(stateAfter(), folders, 0).map((context) => context.group)).toContain(group);
    expect(departures.leaving).toEqual([]);
    expect(departures.review(stateAfter(leave(false)), folders, 0).map((context) => context.group)).toContain(group);
    expect(departures.mayGo(group, 5, true, HOURS)).toBe(false);
    departures.noteMembers(group, 5, ['node-1@s', 'node-2@s', 'node-3@s']);
    expect(departures.mayGo(group, 5, true, HOURS)).toBe(false);
    departures.noteMembers(group, 4, ['node-1@s', 'node-2@s']);
    expect(departures.mayGo(group, 5, true, HOURS)).toBe(false);
    departures.noteMembers(group, 5, ['node-1@s', 'node-2@s']);
    expect(departures.mayGo(group, 6, true, HOURS)).toBe(false);
    expect(departures.mayGo(group, 5, true, 0)).toBe(true);
  });

  it('once gone it is not opened again, until the node has a role again', () => {
    const departures = new Departures('node-3');
    departures.review(stateAfter(leave(true)), folders, 0);
    departures.gone(group);
    expect(departures.review(stateAfter(leave(true)), folders, 0).map((context) => context.group)).not.toContain(group);
    expect(departures.review(stateAfter(), folders, 0).map((context) => context.group)).toContain(group);
  });

  it('a node outside the cluster hears no leader and goes after a while', () => {
    const departures = new Departures('node-3');
    departures.review(stateAfter(leave(false)), folders, 0);
    expect(departures.mayGo(group, 5, false, 10)).toBe(false);
    expect(departures.mayGo(group, 5, false, HOURS)).toBe(true);
  });

  it('names of folders carry the group', () => {
    expect(groupOfFolder(folderOf({ group: 12, name: 'a-1' }))).toBe(12);
    expect(groupOfFolder(folderOf({ group: 12_345, name: 'a' }))).toBe(12_345);
    expect(groupOfFolder('lost+found')).toBeNull();
  });
});
