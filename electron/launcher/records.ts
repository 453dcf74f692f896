// The calls of records.ts (contract) as one object over the fleet. Entry point: `records`.
import type { ProcessorAct, ProcessorName } from '../contract/processors.ts';
import type { RecordsApi, SearchesChanged } from '../contract/records.ts';
import { accessCalls } from './access.ts';
import { steerProcessor } from './admin-client.ts';
import { adminDoor } from './admin-door.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import { contextOf } from './events.ts';
import type { Fleet } from './fleet.ts';
import { Searches } from './searches.ts';

export interface RecordsOptions {
  readonly fleet: Fleet;
  /** Throws WORKSPACE_BUSY in a process that may only look. */
  readonly service: { readonly refuseWithoutLock: () => void };
  readonly changed: (change: SearchesChanged) => void;
}

export function records({ fleet, service, changed }: RecordsOptions): RecordsApi {
  const known = new WeakMap<Cluster, Searches>();
  const searchesOf = (name: string): Searches => {
    const cluster = fleet.get(name);
    const found =
      known.get(cluster) ?? new Searches(name, cluster.plan.dir, (searches) => changed({ cluster: name, searches }));
    known.set(cluster, found);
    return found;
  };
  const change = async <T>(work: () => Promise<T>): Promise<T> => {
    service.refuseWithoutLock();
    return work();
  };
  return {
    ...accessCalls(fleet),
    searches: async (name) => searchesOf(name).list(),
    saveSearch: (name, search, words) => change(() => searchesOf(name).save(search, words)),
    renameSearch: (name, search, to) => change(() => searchesOf(name).rename(search, to)),
    removeSearch: (name, search) => change(() => searchesOf(name).remove(search)),
    addNote: (name, at, text) => change(async () => fleet.get(name).chronicle.note(at, text)),
    editNote: (name, id, text) => change(() => fleet.get(name).chronicle.editNote(id, text)),
    removeNote: (name, id) => change(() => fleet.get(name).chronicle.removeNote(id)),
    steerProcessor: (name, processor, act) => steer(fleet.get(name), processor, act),
  };
}

async function steer(cluster: Cluster, processor: ProcessorName, act: ProcessorAct): Promise<'done' | 'accepted'> {
  const { view, chronicle } = cluster;
  const door = await adminDoor(cluster, []);
  contextOf(view, processor.context);
  const owner = view.apps.find(
    (app) => app.context === processor.context && app.processors.some((one) => one.name === processor.name),
  );
  if (owner === undefined) {
    throw launcherError(
      'PROCESSOR_NOT_FOUND',
      `No app has an event processor ${processor.name} in ${processor.context}.`,
      'It is not connected now, or has not told of it yet.',
      ['List them: muster processor ls'],
    );
  }
  const outcome = await steerProcessor(door, { ...processor, component: owner.componentName }, act);
  const what = act.kind === 'move' ? `move segment ${act.segment} to ${act.clientId}` : act.kind;
  chronicle.tell('user', processor.name, `Event processor ${processor.name}: ${what}.`);
  return outcome;
}
