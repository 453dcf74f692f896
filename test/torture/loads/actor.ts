// What the actors of all loads share: turns with a pause between them, and how a call is recorded.
import type { NodeClient } from '../../rows/client.ts';
import { Chance } from '../../sim/chance.ts';
import { type Outcome, nowMicros } from '../history.ts';
import type { Journal } from '../journal.ts';
import { failureOf } from '../workload.ts';
import type { LoadRecord } from './records.ts';

/** A node that is down answers at once; the others need the processor as well. */
const PAUSE_AFTER_FAILURE_MS = 60;

export interface Door {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly client: NodeClient;
}

export interface LoadSettings {
  readonly journal: Journal<LoadRecord>;
  readonly seed: number;
  /** Mean pause between two turns of an actor. */
  readonly pauseMs: number;
}

/** Everything of a load that goes on by itself. */
export interface Actor {
  run(): Promise<void>;
  stop(): void;
}

export class Turns implements Actor {
  readonly chance: Chance;
  readonly #pauseMs: number;
  readonly #act: (chance: Chance) => Promise<void>;
  #stopped = false;

  constructor(seed: number, pauseMs: number, act: (chance: Chance) => Promise<void>) {
    this.chance = new Chance(seed);
    this.#pauseMs = pauseMs;
    this.#act = act;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#act(this.chance);
      await pause(this.chance.next() * 2 * this.#pauseMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

export interface Timed<T> {
  readonly value: T | null;
  readonly times: {
    readonly call: number;
    readonly return: number;
    readonly outcome: Outcome;
    readonly error: string | null;
  };
}

/** `definite`: the outcome that a message of the error proves, beside the codes of `failureOf`. */
export async function timed<T>(
  work: () => Promise<T>,
  definite: (text: string) => Outcome | null = () => null,
): Promise<Timed<T>> {
  const call = nowMicros();
  try {
    const value = await work();
    return { value, times: { call, return: nowMicros(), outcome: 'ok', error: null } };
  } catch (thrown) {
    const end = nowMicros();
    const { outcome, error, nodeIsGone } = failureOf(thrown);
    if (nodeIsGone) await pause(PAUSE_AFTER_FAILURE_MS);
    return { value: null, times: { call, return: end, outcome: definite(error) ?? outcome, error } };
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
