// A few cores and the messages between them, moved by hand: what the scripts of `scripts/*.txt` command and what they print.
// Nothing is delivered, written late or lost unless a command says so. Time-outs are the shortest allowed, the same for all.
import { EntryType, type Entry, type GroupConfig, type Message, type Ready } from '../../engine/raft/types.ts';
import { config, entriesOfTerms, Solo } from './harness.ts';
import { entryText, messageText } from './script-text.ts';

export const TIMING = { heartbeatTicks: 3, electionTicksMin: 10, electionTicksMax: 20 };
const DELIVERIES_MAX = 2000;

interface Place {
  solo: Solo;
  /** Writes are not done until `persist`; each waits with what must leave behind it. */
  held: Ready[] | null;
  durable: { log: Entry[]; hardState: Solo['hardState'] };
  bootstrap: GroupConfig;
  line: string;
}

export class ScriptWorld {
  readonly #places = new Map<string, Place>();
  readonly #waiting: Message[] = [];
  readonly #cut = new Set<string>();
  #output: string[] = [];

  /** What the last command printed. */
  takeOutput(): string[] {
    for (const [id, place] of this.#places) {
      const line = this.#stateLine(id, place);
      if (line !== place.line) this.#output.push(line);
      place.line = line;
    }
    return this.#output.splice(0);
  }

  print(text: string): void {
    this.#output.push(text);
  }

  // -- nodes --------------------------------------------------------------------------------------------------------------

  add(id: string, bootstrap: GroupConfig, terms: readonly number[] = [], given: Partial<Solo['hardState']> = {}): void {
    const term = given.term ?? terms[terms.length - 1] ?? 0;
    const hardState = { term, vote: given.vote ?? null, commit: given.commit ?? 0 };
    this.#start(id, bootstrap, entriesOfTerms(terms), hardState);
    // A node that holds nothing needs no line.
    const place = this.#place(id);
    if (term === 0) place.line = this.#stateLine(id, place);
  }

  #start(id: string, bootstrap: GroupConfig, entries: readonly Entry[], hardState: Solo['hardState']): void {
    const { term, commit } = hardState;
    const vote = hardState.vote === null ? {} : { vote: hardState.vote };
    const limits = { appendBytesMax: 150, inflightMessagesMax: 3, uncommittedBytesMax: 400 };
    const solo = new Solo(bootstrap, { self: id, timing: TIMING, entries, term, commit, ...vote, ...limits });
    const durable = { log: [...entries], hardState };
    this.#places.set(id, { solo, held: null, durable, bootstrap, line: '' });
  }

  /** The process ends and starts again with what was durable. */
  crash(id: string): void {
    const { durable, bootstrap } = this.#place(id);
    this.#start(id, bootstrap, durable.log, durable.hardState);
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new RangeError(`no node ${id}`);
    return place;
  }

  get ids(): readonly string[] {
    return [...this.#places.keys()];
  }

  solo(id: string): Solo {
    return this.#place(id).solo;
  }

  // -- inputs -------------------------------------------------------------------------------------------------------------

  /** One call into a core, then everything it wants done. */
  input(id: string, action: (solo: Solo) => void): void {
    const place = this.#place(id);
    action(place.solo);
    this.#carryOut(id, place);
  }

  #carryOut(id: string, place: Place): void {
    const { solo } = place;
    const [reads, failures] = [solo.readStates.length, solo.readFailures.length];
    for (let ready = solo.take(); ready !== null; ready = solo.take()) {
      this.#sendAll(ready.sendNow);
      if (place.held !== null && (ready.persist !== null || place.held.length > 0)) place.held.push(ready);
      else this.#persisted(place, ready);
    }
    for (const { token, index } of solo.readStates.slice(reads))
      this.print(`${id}: read ${token} confirmed at ${index}`);
    for (const token of solo.readFailures.slice(failures)) this.print(`${id}: read ${token} failed`);
  }

  #persisted(place: Place, ready: Ready): void {
    const { persist } = ready;
    if (persist?.hardState) place.durable.hardState = persist.hardState;
    if (persist?.truncateFrom) place.durable.log.length = persist.truncateFrom - 1;
    place.durable.log.push(...(persist?.entries ?? []));
    place.solo.group.onPersisted(ready.seq);
    this.#sendAll(ready.sendAfterPersist);
  }

  hold(id: string): void {
    this.#place(id).held ??= [];
  }

  /** The oldest write that is held, or all of them and those to come. */
  persist(id: string, all: boolean): void {
    const place = this.#place(id);
    const done = place.held?.splice(0, all ? place.held.length : 1) ?? [];
    if (all) place.held = null;
    for (const ready of done) this.#persisted(place, ready);
    this.#carryOut(id, place);
  }

  propose(id: string, bytes: number): void {
    this.input(id, ({ group }) => {
      const result = group.propose(EntryType.EVENTS, new Uint8Array(bytes), 0, 1);
      this.print(result.ok ? `${id}: accepted as ${result.index}/${result.term}` : `${id}: refused, ${result.reason}`);
    });
  }

  proposeConfig(id: string, next: GroupConfig): void {
    this.input(id, ({ group }) => {
      const result = group.proposeConfig(next);
      this.print(result.ok ? `${id}: accepted as ${result.index}/${result.term}` : `${id}: refused, ${result.reason}`);
    });
  }

  // -- network ------------------------------------------------------------------------------------------------------------

  #sendAll(messages: readonly Message[]): void {
    for (const message of messages) {
      const lost = this.#cut.has(`${message.from}>${message.to}`) || !this.#places.has(message.to);
      this.print(`  ${messageText(message)}${lost ? ' (lost)' : ''}`);
      if (!lost) this.#waiting.push(message);
    }
  }

  /** Messages of one link, to one node, or all that wait now. */
  #take(which: string): Message[] {
    const [from, to] = which.split('>');
    const chosen = this.#waiting.filter((message) =>
      which === 'all' ? true : to === undefined ? message.to === from : message.from === from && message.to === to,
    );
    for (const message of chosen) this.#waiting.splice(this.#waiting.indexOf(message), 1);
    return chosen;
  }

  deliver(which: string, how: { readonly keep: boolean; readonly last: boolean }): void {
    const taken = this.#take(which);
    const messages = how.last ? taken.splice(-1) : taken.splice(0);
    this.#waiting.unshift(...taken);
    if (messages.length === 0) this.print('nothing waits');
    for (const message of messages) {
      if (how.keep) this.#waiting.push(message);
      this.input(message.to, ({ group }) => group.step(message));
    }
  }

  drop(which: string): void {
    for (const message of this.#take(which)) this.print(`  lost: ${messageText(message)}`);
  }

  /** Until nothing waits any more. */
  settle(): void {
    for (let count = 0; this.#waiting.length > 0; count += 1) {
      if (count > DELIVERIES_MAX) throw new Error('messages without end');
      const message = this.#waiting.shift();
      if (message !== undefined) this.input(message.to, ({ group }) => group.step(message));
    }
  }

  /** Runs `work` and keeps only the states at its end. */
  quietly(work: () => void): void {
    const before = this.#output.length;
    work();
    this.#output.length = before;
  }

  step(message: Message): void {
    this.input(message.to, ({ group }) => group.step(message));
  }

  cut(links: readonly string[]): void {
    for (const link of links) {
      if (link.includes('>')) this.#cut.add(link);
      else for (const other of this.ids) this.#cut.add(`${link}>${other}`).add(`${other}>${link}`);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  // -- what can be seen ---------------------------------------------------------------------------------------------------

  #stateLine(id: string, { solo, held }: Place): string {
    const status = solo.group.status();
    const log = solo.log.map(entryText).join(' ');
    const durable = held === null ? '' : `, durable ${status.durableIndex}`;
    const duty = status.duty === 'full' ? '' : `, duty ${status.duty}`;
    const blocked = status.blockedOnActiveBackup ? ', waits for an active backup' : '';
    const who = `vote ${status.vote ?? '-'}, leader ${status.leader ?? '-'}`;
    return `${id}: ${status.role} of term ${status.term}, ${who}, commit ${status.commit}, log [${log}]${durable}${duty}${blocked}`;
  }

  progress(id: string): void {
    for (const peer of this.solo(id).group.status().progress)
      this.print(`${peer.id}: ${peer.role}, match ${peer.match}, next ${peer.next}, ${peer.state}`);
  }

  members(id: string): void {
    const { config: now, configPending } = this.solo(id).group.status();
    const list = now.members.map((member) => `${member.id} ${member.role}`).join(', ');
    this.print(`${list}, min active backups ${now.minActiveBackups}${configPending ? ', not committed' : ''}`);
  }
}

/** `a b c active=d passive=e min=1` */
export function configOf(words: readonly string[]): GroupConfig {
  const named = (name: string) =>
    words
      .filter((word) => word.startsWith(`${name}=`))
      .map((word) => word.slice(name.length + 1).replaceAll(',', ' '))
      .join(' ');
  const plain = words.filter((word) => !word.includes('='));
  return config(plain.join(' '), named('active'), named('passive'), Number(named('min') || '1'));
}
