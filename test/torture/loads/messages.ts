// Commands and queries: a handler of both connected to every serving node, askers on every node. What a handler ran is recorded by itself.
import { axoniqCode, payload, type Answer, type Stream } from '../../rows/client.ts';
import { until } from '../../rows/wait.ts';
import type { Chance } from '../../sim/chance.ts';
import { type Actor, type Door, type LoadSettings, pause, Turns } from './actor.ts';
import { answerTo, type Message } from './records.ts';

const ASKERS_PER_NODE = 2;
/** Longer than any fault is held: whatever happened, the caller has an answer by then. */
const ANSWER_MS = 30_000;
const LAST_CALL_MS = 5_000;
const REOPEN_MS = 50;
const NAME = 'torture-work';
const DEADLINE_EXCEEDED = 4;

type Kind = Message['type'];

export class MessageLoad {
  readonly #doors: readonly Door[];
  readonly #settings: LoadSettings;
  #sent = 0;

  constructor(doors: readonly Door[], settings: LoadSettings) {
    this.#doors = doors;
    this.#settings = settings;
  }

  actors(): readonly Actor[] {
    const { seed, pauseMs } = this.#settings;
    const askers = this.#doors.flatMap((door, at) =>
      Array.from({ length: ASKERS_PER_NODE }, (_unused, asker) => {
        const own = seed * 100 + at * ASKERS_PER_NODE + asker;
        return new Turns(own, pauseMs, async (chance: Chance) => {
          await this.#ask(door, chance.roll(0.7) ? 'command' : 'query');
        });
      }),
    );
    return [...this.#doors.map((door) => this.#handler(door)), ...askers];
  }

  #handler({ node, client }: Door): Actor {
    let stopped = false;
    let open: readonly Stream[] = [];
    const run = async (): Promise<void> => {
      while (!stopped) {
        open = [
          this.#opened(client, node, 'command', 'command.CommandService'),
          this.#opened(client, node, 'query', 'query.QueryService'),
        ];
        await Promise.race(open.map((stream) => stream.ended));
        for (const stream of open) stream.cancel();
        if (!stopped) await pause(REOPEN_MS);
      }
    };
    const stop = (): void => {
      stopped = true;
      for (const stream of open) stream.cancel();
    };
    return { run, stop };
  }

  #opened(client: Door['client'], node: string, message: Kind, service: string): Stream {
    const stream = client.bidi(service, 'OpenStream');
    stream.onMessage((inbound) => {
      const id = (inbound as { [kind in Kind]?: { message_identifier: string } | null })[message]?.message_identifier;
      if (id === undefined) return;
      this.#settings.journal.add({ type: 'handled', message, handler: node, id });
      const answer = { message_identifier: `answer-${id}`, request_identifier: id, payload: payload(answerTo(id)) };
      stream.send({ [`${message}_response`]: answer, instruction_id: '' });
      if (message === 'query')
        stream.send({ query_complete: { message_id: `end-${id}`, request_id: id }, instruction_id: '' });
    });
    const client_id = `handler-${node}`;
    const common = { message_id: client_id, [message]: NAME, component_name: 'torture-handler', client_id };
    stream.send({
      subscribe: { ...common, ...(message === 'command' ? { load_factor: 100 } : {}) },
      instruction_id: client_id,
    });
    stream.send({ flow_control: { client_id, permits: 1_000_000 }, instruction_id: '' });
    return stream;
  }

  async #ask({ node, client }: Door, type: Kind, timeoutMs = ANSWER_MS): Promise<Message> {
    this.#sent += 1;
    const id = `${type}-${this.#sent}`;
    const common = {
      message_identifier: id,
      timestamp: Date.now(),
      payload: payload(id),
      client_id: `asker-${node}`,
      component_name: 'torture-asker',
    };
    const asked =
      type === 'command'
        ? client
            .unary<Answer>('command.CommandService', 'Dispatch', { ...common, name: NAME }, timeoutMs)
            .then((answer) => [answer])
        : client.collect<Answer>('query.QueryService', 'Query', { ...common, query: NAME }, timeoutMs);
    const ended = await asked.then(resultOf, failureOf);
    const record: Message = { type, node, id, ...ended };
    this.#settings.journal.add(record);
    if (ended.outcome === 'lost') await pause(REOPEN_MS);
    return record;
  }

  /** After healing every node gets an answer again, soon. */
  async lastCalls(withinMs: number): Promise<void> {
    for (const door of this.#doors) {
      for (const type of ['command', 'query'] as const) {
        await until(`a ${type} through ${door.node} to be handled`, withinMs, async () => {
          const { outcome, error } = await this.#ask(door, type, LAST_CALL_MS);
          if (outcome !== 'ok') throw new Error(error ?? outcome);
          return true;
        });
      }
    }
  }
}

type Ended = Pick<Message, 'outcome' | 'answers' | 'error'>;

function resultOf(answers: readonly Answer[]): Ended {
  const failed = answers.find(({ error_code }) => error_code !== '');
  const results = answers.filter((answer) => answer !== failed).map((answer) => answer.payload?.data.toString() ?? '');
  if (failed === undefined) return { outcome: 'ok', answers: results, error: null };
  return { outcome: 'error', answers: results, error: `${failed.error_code} ${failed.error_message?.message ?? ''}` };
}

function failureOf(error: unknown): Ended {
  const { code, details } = error as { readonly code?: number; readonly details?: string };
  const coded = axoniqCode(error);
  const outcome = coded !== null ? 'error' : code === DEADLINE_EXCEEDED ? 'silent' : 'lost';
  return { outcome, answers: [], error: `${coded ?? `gRPC ${code ?? '?'}`} ${details ?? String(error)}` };
}
