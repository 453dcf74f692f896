// Which lines of a node look like trouble and are only a cluster that forms (row B11). Pure. Entry point: `FormingNoise`.
import type { LogLine } from '../contract/model.ts';

const ALWAYS: ReadonlyMap<string, string> = new Map([
  ['SETTING_DATA_FOLDER', 'the line is for Axon Server, which keeps log and events apart; here one folder has both'],
]);

/** Until the node has seen a leader of anything. */
const WHILE_JOINING: ReadonlyMap<string, string> = new Map([
  ['JOIN_RETRY', 'the first node is not up yet; this one asks again by itself'],
  ['PEER_LINK_DOWN', 'the other node is still starting; the link comes back by itself'],
]);

const FIRST_ELECTION = 'the context is new: its first leader is being elected';

/**
 * Reads the lines of one node in their order. A node forms from its start on a new data folder until it sees a leader, context by
 * context; of a node that had data before, the same lines are no noise, since it waits for members that should be there.
 */
export class FormingNoise {
  #forming = false;
  readonly #led = new Set<string>();

  /** Why the line is harmless, a phrase; null when it says what it says. */
  reasonOf({ level, code, context, text }: Omit<LogLine, 'seq'>): string | null {
    if (level === 'mark') {
      this.#forming = false;
      this.#led.clear();
      return null;
    }
    if (code === 'DATA_FOLDER_CREATED') this.#forming = true;
    const always = ALWAYS.get(code ?? '');
    if (always !== undefined || !this.#forming) return always ?? null;
    if (code !== 'RAFT_STATE') return this.#led.size === 0 ? (WHILE_JOINING.get(code ?? '') ?? null) : null;
    if (!text.endsWith('leader none')) this.#led.add(context ?? '');
    return this.#led.has(context ?? '') ? null : FIRST_ELECTION;
  }
}
