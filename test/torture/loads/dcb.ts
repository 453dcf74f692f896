// Appends with conditions and reads by tag of a DCB context, through every serving node, on a few tags so that writers meet.
import { condition, DcbClient, taggedEvent } from '../../engine/dcb/dcb-client.ts';
import { until } from '../../rows/wait.ts';
import type { Chance } from '../../sim/chance.ts';
import { type Actor, type Door, type LoadSettings, timed, Turns } from './actor.ts';

const WRITERS_PER_NODE = 2;
const TAGS = 4;
/** Then a tag is left alone and a new one takes its place. */
const TURNS_PER_TAG = 120;
const EVENTS_MAX = 3;

const refusedBy = (text: string) => (text.includes('ConsistencyConditionException') ? ('conflict' as const) : null);

export class DcbLoad {
  readonly #settings: LoadSettings;
  readonly #clients: ReadonlyMap<string, DcbClient>;
  readonly #turns = new Map<number, number>();
  #written = 0;

  constructor(doors: readonly Door[], context: string, settings: LoadSettings) {
    this.#settings = settings;
    this.#clients = new Map(doors.map(({ node, host, port }) => [node, new DcbClient(port, context, host)]));
  }

  actors(): readonly Actor[] {
    const { seed, pauseMs } = this.#settings;
    return [...this.#clients.keys()].flatMap((node, at) =>
      Array.from({ length: WRITERS_PER_NODE }, (_unused, writer) => {
        const own = seed * 100 + at * WRITERS_PER_NODE + writer;
        return new Turns(own, pauseMs, (chance) => this.#turn(node, chance));
      }),
    );
  }

  /** Reads by one tag, decides, appends: as an application does. */
  async #turn(node: string, chance: Chance): Promise<void> {
    const tag = this.#tag(chance.below(TAGS));
    const read = await this.#source(node, tag);
    if (read === null || chance.roll(0.2)) return;
    // Now and then what was read long ago: most of those must be refused.
    const marker = chance.roll(0.1) ? Math.max(0, read - chance.between(1, 20)) : read;
    const other = chance.roll(0.2) ? [this.#tag(chance.below(TAGS))] : [];
    await this.#append(node, [...new Set([tag, ...other])], marker, chance.between(1, EVENTS_MAX));
  }

  #tag(slot: number): string {
    const turns = (this.#turns.get(slot) ?? 0) + 1;
    this.#turns.set(slot, turns);
    return `t=${slot + TAGS * Math.floor(turns / TURNS_PER_TAG)}`;
  }

  async #source(node: string, tag: string): Promise<number | null> {
    const { value, times } = await timed(() => this.#read(node, { tags: [tag] }));
    const { ids, marker } = value ?? { ids: [], marker: 0 };
    this.#settings.journal.add({ type: 'dcb-source', node, ...times, tag, ids, marker });
    return value === null ? null : marker;
  }

  async #read(node: string, ...criteria: { readonly tags: readonly string[] }[]) {
    const replies = await this.#client(node).sourceReplies(0, ...criteria);
    const last = replies.pop();
    if (last?.result !== 'consistency_marker') throw new Error('the last message is no marker');
    return {
      ids: replies.map(({ event }) => event?.event.identifier ?? ''),
      sequences: replies.map(({ event }) => event?.sequence ?? -1),
      marker: last.consistency_marker ?? 0,
    };
  }

  async #append(node: string, tags: readonly string[], marker: number, count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => {
      this.#written += 1;
      return `d${this.#written}`;
    });
    const events = ids.map((id) => taggedEvent('Marked', tags, id));
    const guard = condition(marker, ...tags.map((tag) => ({ tags: [tag] })));
    const { value, times } = await timed(() => this.#client(node).append(events, guard), refusedBy);
    const at = value?.sequence_of_the_first_event ?? null;
    this.#settings.journal.add({ type: 'dcb-append', node, ...times, ids, tags, marker, guarded: tags, at });
  }

  /** After healing: everything, through every node. */
  async lastReads(withinMs: number): Promise<void> {
    for (const node of this.#clients.keys()) {
      const { ids, sequences } = await until(`the last DCB read through ${node}`, withinMs, () => this.#read(node));
      const hole = sequences.findIndex((sequence, at) => sequence !== at);
      if (hole >= 0) throw new Error(`I9: DCB event ${sequences[hole]} of ${node} at position ${hole}`);
      this.#settings.journal.add({ type: 'dcb-final', node, ids });
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #client(node: string): DcbClient {
    const found = this.#clients.get(node);
    if (found === undefined) throw new Error(`no DCB client of ${node}`);
    return found;
  }
}
