// The calls of records.ts (contract) as one object over the fleet. Entry point: `records`.
import type { RecordsApi, SearchesChanged } from '../contract/records.ts';
import type { Cluster } from './cluster.ts';
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
    searches: async (name) => searchesOf(name).list(),
    saveSearch: (name, search, words) => change(() => searchesOf(name).save(search, words)),
    renameSearch: (name, search, to) => change(() => searchesOf(name).rename(search, to)),
    removeSearch: (name, search) => change(() => searchesOf(name).remove(search)),
    addNote: (name, at, text) => change(async () => fleet.get(name).chronicle.note(at, text)),
    editNote: (name, id, text) => change(() => fleet.get(name).chronicle.editNote(id, text)),
    removeNote: (name, id) => change(() => fleet.get(name).chronicle.removeNote(id)),
  };
}
