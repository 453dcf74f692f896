// Feeds spoilt inputs to one parser. It may take them or refuse them in its own way; anything else is a fault: another error, more
// than a moment, more memory than an input can be worth. A failure names the seed and shows the input.
import { Chance } from '../sim/chance.ts';
import { mutate } from './mutate.ts';

/** Raise with MUSTER_FUZZ_RUNS for a long search; the first seed with MUSTER_FUZZ_SEED. */
export const RUNS = Number(process.env['MUSTER_FUZZ_RUNS'] ?? 1500);
const FIRST_SEED = Number(process.env['MUSTER_FUZZ_SEED'] ?? 1);
/** Generous: the machine may be busy. What is meant are loops without end and squares of long inputs. */
const INPUT_MS_MAX = 2000;
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const MEMORY_LOOK_EVERY = 50;

export interface Target {
  readonly name: string;
  readonly corpus: readonly (string | Uint8Array)[];
  readonly parse: (bytes: Buffer) => unknown;
  /** What it may throw; none: it never throws. `Error` means just that, none of the language's own kinds. */
  readonly refusals: readonly (new (
    ...given: never[]
  ) => Error)[];
}

const bytesHeld = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Resolves with how many inputs were refused. Rejects at the first fault. */
export async function fuzz({ name, corpus, parse, refusals }: Target, runs = RUNS): Promise<number> {
  const inputs = corpus.map((each) => (typeof each === 'string' ? Buffer.from(each) : each));
  for (const input of inputs) await parse(Buffer.from(input));
  let refused = 0;
  const held = bytesHeld();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + runs; seed += 1) {
    const bytes = mutate(inputs, new Chance(seed));
    const shown = () => `${name}, seed ${seed} (MUSTER_FUZZ_SEED): ${bytes.subarray(0, 200).toString('latin1')}`;
    const startedAt = performance.now();
    try {
      await parse(bytes);
    } catch (error) {
      if (!refusals.some((kind) => error instanceof kind && (kind !== Error || error.constructor === Error))) {
        throw new Error(`${shown()}\nthrows ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
      }
      refused += 1;
    }
    if (performance.now() - startedAt > INPUT_MS_MAX)
      throw new Error(`${shown()}\ntakes longer than ${INPUT_MS_MAX} ms`);
    if (seed % MEMORY_LOOK_EVERY === 0 && bytesHeld() - held > MEMORY_BYTES_MAX)
      throw new Error(`${shown()}\nor one shortly before holds more than ${MEMORY_BYTES_MAX} bytes`);
  }
  return refused;
}
