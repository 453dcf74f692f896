import { afterEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../engine/context/api.ts';
import { classicEvents, dcbEvents } from '../../../engine/context/scheduled-kind.ts';
import { encodeScheduleCommand } from '../../../engine/context/scheduler-state.ts';
import { EntryType } from '../../../engine/raft/types.ts';
import { dcb, encodeMessage, event as proto } from '../../../engine/rpc/proto.ts';
import { encodeEvents, eventFacts } from '../../../engine/storage/facts.ts';
import { WireWriter } from '../../../engine/util/wire.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from '../context/mini-node.ts';

let running: MiniNode[] = [];
let folders: MiniNode[] = [];
afterEach(async () => {
  for (const node of running) await node.stop();
  removeFolders(folders);
  running = [];
  folders = [];
});

const leaderOf = (nodes: readonly MiniNode[]) =>
  nodes.find((node) => node.groups.replica('default')?.isReadyLeader === true);

async function formed(count: number): Promise<{ network: MemoryNetwork; nodes: MiniNode[] }> {
  const network = new MemoryNetwork();
  const nodes: MiniNode[] = [];
  for (let number = 1; number <= count; number += 1) nodes.push(await startMiniNode(network, number));
  running = [...nodes];
  folders = [...nodes];
  await nodes[0]!.manager.initCluster(['_admin', 'default']);
  await Promise.all(nodes.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, ['_admin', 'default'])));
  const isComplete = (node: MiniNode): boolean => {
    const members = node.groups.replica('default')?.status().config.members ?? [];
    return members.length === count && members.every((member) => member.role === 'PRIMARY');
  };
  await until('all are PRIMARY and one leads', () => nodes.every(isComplete) && leaderOf(nodes) !== undefined, 15_000);
  return { network, nodes };
}

const scheduler = (node: MiniNode) => node.schedulers.scheduler('default', false);

/** A plain event whose own time is of no interest. */
function plain(id: string): Buffer {
  const payload = new WireWriter().text(1, 'Reminder').bytes(3, Buffer.from(id)).finish();
  const metaData = new WireWriter().text(1, 'key').bytes(2, new WireWriter().text(1, 'value').finish()).finish();
  return Buffer.from(new WireWriter().text(1, id).int(5, 7).bytes(6, payload).bytes(7, metaData).finish());
}

async function stored(node: MiniNode): Promise<readonly StoredEvent[]> {
  return node.contexts.eventStore('default').openCursor(0, false).next(10_000);
}

const idOf = ({ bytes }: StoredEvent): string => proto.Event.decode(bytes).messageIdentifier;

async function ids(node: MiniNode): Promise<string[]> {
  return (await stored(node)).map(idOf);
}

/** Events known to the node's own log, without asking anybody. */
const eventCount = (node: MiniNode): number => (node.groups.replica('default')?.store.lastToken ?? -1) + 1;
const waiting = (node: MiniNode): number =>
  node.groups.replica('default')?.store.commandIndexes(EntryType.SCHEDULE).length ?? 0;

describe('the event scheduler', () => {
  it('SC-1, SC-2: publishes at its instant on whichever node it came, with the time of publication and all else kept', async () => {
    const { nodes } = await formed(3);
    const instant = Date.now() + 300;
    const tokens = await Promise.all(nodes.map((node, i) => scheduler(node).schedule(instant, plain(`m-${i}`))));
    expect(new Set(tokens).size).toBe(3);
    expect(Date.now()).toBeLessThan(instant);
    expect(eventCount(nodes[0]!)).toBe(0);
    await until('all three are published', () => nodes.every((node) => eventCount(node) === 3));
    const events = (await stored(nodes[0]!)).map(({ bytes }) => proto.Event.decode(bytes));
    for (const published of events) {
      expect(published.timestamp).toBeGreaterThanOrEqual(instant);
      expect(published.timestamp).toBeLessThan(instant + 2000);
      expect(Buffer.from(published.payload?.data ?? []).toString()).toBe(published.messageIdentifier);
      expect(published.metaData['key']?.textValue).toBe('value');
    }
    expect(events.map((published) => published.messageIdentifier).sort()).toEqual(['m-0', 'm-1', 'm-2']);
  });

  it('SC-3, SC-6: an instant in the past fires at once, and only once', async () => {
    const { nodes } = await formed(1);
    await scheduler(nodes[0]!).schedule(0, plain('past'));
    await until('published', () => eventCount(nodes[0]!) === 1);
    await until('marked', () => waiting(nodes[0]!) === 2);
    await scheduler(nodes[0]!).schedule(-5, plain('before 1970'));
    await until('published', () => eventCount(nodes[0]!) === 2);
    expect(await ids(nodes[0]!)).toEqual(['past', 'before 1970']);
  });

  it('SC-4: a reschedule cancels the old and gives a new token; unknown and empty tokens are fine', async () => {
    const { nodes } = await formed(1);
    const soon = Date.now() + 250;
    const first = await scheduler(nodes[0]!).schedule(soon, plain('first'));
    const second = await scheduler(nodes[0]!).reschedule(first, soon, plain('second'));
    const third = await scheduler(nodes[0]!).reschedule('', soon + 1, plain('third'));
    const fourth = await scheduler(nodes[0]!).reschedule('nobody knows', soon + 2, plain('fourth'));
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    await until('published', () => eventCount(nodes[0]!) === 3);
    expect(await ids(nodes[0]!)).toEqual(['second', 'third', 'fourth']);
  });

  it('SC-5: a cancelled event never fires; cancelling the unknown and the fired succeeds', async () => {
    const { nodes } = await formed(1);
    const soon = Date.now() + 200;
    const cancelled = await scheduler(nodes[0]!).schedule(soon, plain('cancelled'));
    await scheduler(nodes[0]!).cancel(cancelled);
    await scheduler(nodes[0]!).cancel('unknown');
    const last = await scheduler(nodes[0]!).schedule(soon + 50, plain('last'));
    await until('published', () => eventCount(nodes[0]!) === 1);
    await scheduler(nodes[0]!).cancel(last);
    expect(await ids(nodes[0]!)).toEqual(['last']);
  });

  it('SC-6: schedules survive a restart of the node, and overdue ones fire then', async () => {
    const { network, nodes } = await formed(1);
    const node = nodes[0]!;
    const instant = Date.now() + 150;
    await scheduler(node).schedule(instant, plain('while it was away'));
    await scheduler(node).schedule(Date.now() + 3_600_000, plain('in an hour'));
    await node.stop();
    running = [];
    await until('the instant passed', () => Date.now() > instant);
    const again = await startMiniNode(network, 1, node.dir);
    running = [again];
    await until('published', () => eventCount(again) === 1);
    expect(await ids(again)).toEqual(['while it was away']);
    expect(waiting(again)).toBe(3);
  });

  it('SC-6: a new leader fires what the old one could not, and nothing a second time', async () => {
    const { nodes } = await formed(3);
    await until('a leader', () => leaderOf(nodes) !== undefined);
    const old = leaderOf(nodes)!;
    const instant = Date.now() + 700;
    await scheduler(old).schedule(0, plain('by the old'));
    await until('published', () => nodes.every((node) => eventCount(node) === 1));
    await scheduler(old).schedule(instant, plain('by the new'));
    await old.stop();
    running = nodes.filter((node) => node !== old);
    await until('published by another', () => running.every((node) => eventCount(node) === 2), 15_000);
    expect(await ids(running[0]!)).toEqual(['by the old', 'by the new']);
  });

  it.each([
    { kind: 'classic', of: classicEvents, event: plain('one') },
    {
      kind: 'DCB',
      of: dcbEvents,
      event: encodeMessage(dcb.Event, { identifier: 'one', timestamp: 7, name: 'Reminder' }),
    },
  ])('SC-6: a published $kind event is told to be the scheduled one, whenever it was published', ({ of, event }) => {
    for (const at of [1, Date.now()]) expect(of.timeless(of.fired(event, at))).toEqual(of.fired(event, 0));
  });

  it.each([
    { what: 'as the last entry', others: 0, early: 60 },
    { what: 'and others appended behind it', others: 5, early: 2_000 },
    { what: 'by a clock that was ahead', others: 1, early: 600_000 },
  ])(
    'SC-6: a leader that finds its predecessor’s firing without the mark, $what, writes the mark and does not fire again',
    async ({ others, early }) => {
      const { network, nodes } = await formed(1);
      const node = nodes[0]!;
      await until('a leader', () => leaderOf(nodes) !== undefined);
      const replica = node.groups.replica('default')!;
      // As left behind by a leader that was lost between the two entries of a firing: scheduled and published, not marked.
      const scheduled = plain('once');
      const at = Date.now() - 10;
      const fired = classicEvents.fired(scheduled, at);
      const command = {
        type: 'schedule',
        token: 'token-1',
        instant: at + early,
        replaces: '',
        event: scheduled,
      } as const;
      await replica.proposeEntry(EntryType.SCHEDULE, encodeScheduleCommand(command));
      await replica.appendEvents([eventFacts(fired)], encodeEvents([fired]));
      for (let i = 0; i < others; i += 1) {
        const other = rawEvent('another', i);
        await replica.appendEvents([eventFacts(other)], encodeEvents([other]));
      }
      await node.stop();
      running = [];
      await until('it may be due', () => Date.now() > at + Math.min(early, 2_000));
      const again = await startMiniNode(network, 1, node.dir);
      running = [again];
      await until('marked by the new leader', () => waiting(again) === 2);
      await scheduler(again).schedule(0, plain('after'));
      await until('published', () => eventCount(again) === 2 + others);
      const found = await ids(again);
      expect(found.filter((id) => id === 'once')).toEqual(['once']);
      expect(found.at(-1)).toBe('after');
    },
  );

  it('SC-7: events of an aggregate and bytes that are no event are refused with AXONIQ-3004', async () => {
    const { nodes } = await formed(1);
    for (const bytes of [rawEvent('a-1', 0), Buffer.from([255])])
      await expect(scheduler(nodes[0]!).schedule(0, bytes)).rejects.toMatchObject({ code: 'AXONIQ-3004' });
  });

  it('SC-6: many events at one instant are all published once, in order of scheduling', async () => {
    const { nodes } = await formed(1);
    const instant = Date.now() + 400;
    const names = Array.from({ length: 350 }, (_, i) => `e-${i}`);
    await Promise.all(names.map((name) => scheduler(nodes[0]!).schedule(instant, plain(name))));
    await until('published', () => eventCount(nodes[0]!) === names.length);
    expect(await ids(nodes[0]!)).toEqual(names);
  });

  it('SC-8: in a DCB context events of the DCB message fire with the time of publication, once over a restart', async () => {
    const { network, nodes } = await formed(1);
    const node = nodes[0]!;
    await node.manager.createContext({ name: 'dcb', roles: [], metaData: {}, dcb: true });
    await until('a leader', () => node.groups.replica('dcb')?.isReadyLeader === true);
    const event = (identifier: string) =>
      encodeMessage(dcb.Event, { identifier, timestamp: 7, name: 'Reminder', payload: Buffer.from('x') });
    const before = Date.now();
    await node.schedulers.scheduler('dcb', true).schedule(0, event('now'));
    const count = (of: MiniNode): number => (of.groups.replica('dcb')?.store.lastToken ?? -1) + 1;
    await until('published', () => count(node) === 1);
    const instant = Date.now() + 150;
    await node.schedulers.scheduler('dcb', true).schedule(instant, event('later'));
    await expect(node.schedulers.scheduler('dcb', true).schedule(0, Buffer.from([255]))).rejects.toMatchObject({
      code: 'AXONIQ-3004',
    });
    await node.stop();
    running = [];
    await until('the instant passed', () => Date.now() > instant);
    const again = await startMiniNode(network, 1, node.dir);
    running = [again];
    await until('published', () => count(again) === 2);
    const cursor = again.contexts.dcbStore('dcb').openCursor([], 0);
    const found = (await cursor.next()).map(({ bytes }) => dcb.Event.decode(bytes));
    cursor.close();
    expect(found.map((published) => [published.identifier, published.name])).toEqual([
      ['now', 'Reminder'],
      ['later', 'Reminder'],
    ]);
    for (const published of found) expect(published.timestamp).toBeGreaterThanOrEqual(before);
  });
});
