// What the grpc-js application does all the time while nodes are struck, and what it found: every call has a deadline and an outcome.
// Entry point: Load.
import { axoniqCode, event, type EventWithToken, payload } from '../../rows/client.ts';
import { JsApplication, type Session } from './application.ts';

export const CALL_MS = 4_000;
const PAUSE_MS = 10;
const PERMITS = 256;
/** Already there: the append whose outcome nobody knew had been stored. */
const SEQUENCE_TAKEN = 'AXONIQ-2000';

interface QueryInbound {
  readonly query?: { readonly message_identifier: string } | null;
  readonly subscription_query_request?: {
    readonly subscribe?: { readonly subscription_identifier: string } | null;
    readonly unsubscribe?: { readonly subscription_identifier: string } | null;
    readonly get_initial_result?: { readonly subscription_identifier: string } | null;
  } | null;
}

interface CommandInbound {
  readonly command?: { readonly message_identifier: string } | null;
}

export class Load {
  /** Sends everything. */
  readonly asker: JsApplication;
  /** Handles commands, queries and subscription queries. */
  readonly handler: JsApplication;
  readonly #aggregate: string;
  confirmed = 0;
  /** Sequence numbers as the tracking stream brought them. */
  readonly tracked: number[] = [];
  /** How often the handler got each command. */
  readonly deliveries = new Map<string, number>();
  readonly outcomes = { command: new Map<string, number>(), query: new Map<string, number>() };
  readonly unexpected: string[] = [];
  /** Longest command or query, ms. */
  slowest = 0;
  /** Subscription queries: initial results, and updates as numbers, over all subscriptions. */
  initials = 0;
  readonly updates: number[] = [];
  /** Updates that did not come in order within one subscription. */
  disordered = 0;
  #emitted = 0;
  readonly #subscribers = new Map<string, Session>();
  #answered = new WeakMap<Session, (message: object) => void>();
  #nextToken = 0;
  #stopped = false;
  #ids = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(addresses: readonly string[], aggregate: string) {
    this.#aggregate = aggregate;
    this.handler = new JsApplication(addresses, 'js-handler', (session) => this.#handle(session));
    this.asker = new JsApplication(addresses, 'js-asker', async (session) => {
      this.#track(session);
      this.#subscribe(session);
    });
  }

  start(): void {
    this.handler.run();
    this.asker.run();
    this.#work = Promise.all([
      this.#repeat(() => this.#append()),
      this.#repeat((session) => this.#command(session)),
      this.#repeat((session) => this.#query(session)),
      this.#repeat(async () => this.#emit()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
    await Promise.all([this.asker.stop(), this.handler.stop()]);
  }

  async #repeat(work: (session: Session) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      const { session } = this.asker;
      if (session !== null) await work(session);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #append(): Promise<void> {
    const sequence = this.confirmed;
    let unknown = false;
    while (!this.#stopped) {
      const { session } = this.asker;
      if (session === null) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        continue;
      }
      try {
        await session.client.append([event(this.#aggregate, sequence)], CALL_MS);
        break;
      } catch (error) {
        if (axoniqCode(error) === SEQUENCE_TAKEN) {
          if (!unknown) this.unexpected.push(`append ${sequence}: ${String(error)}`);
          break;
        }
        unknown = true;
      }
    }
    if (!this.#stopped) this.confirmed = sequence + 1;
  }

  #track(session: Session): void {
    const stream = session.open('event.EventStore', 'ListEvents');
    stream.onMessage((message) => {
      const { token, event: stored } = message as EventWithToken;
      if (token < this.#nextToken) this.unexpected.push(`token ${token} again`);
      this.#nextToken = token + 1;
      if (stored.aggregate_identifier === this.#aggregate) this.tracked.push(stored.aggregate_sequence_number);
      stream.send({ number_of_permits: 1 });
    });
    stream.send({ tracking_token: this.#nextToken, number_of_permits: PERMITS, client_id: 'js', component_name: 'js' });
  }

  async #command(session: Session): Promise<void> {
    await this.#outcome('command', async () => {
      this.#ids += 1;
      const request = {
        message_identifier: `${this.#aggregate}-c-${this.#ids}`,
        name: 'js.do',
        payload: payload('x'),
        client_id: 'js',
      };
      const answer = await session.client.unary<{ readonly error_code: string }>(
        'command.CommandService',
        'Dispatch',
        request,
        CALL_MS,
      );
      return answer.error_code;
    });
  }

  async #query(session: Session): Promise<void> {
    await this.#outcome('query', async () => {
      this.#ids += 1;
      const request = {
        message_identifier: `${this.#aggregate}-q-${this.#ids}`,
        query: 'js.find',
        payload: payload('x'),
        client_id: 'js',
      };
      const answers = await session.client.collect<{ readonly error_code: string }>(
        'query.QueryService',
        'Query',
        request,
        CALL_MS,
      );
      // QR-16: the handler answered and was lost before it said that this was all.
      const [first, second] = answers.map(({ error_code }) => error_code);
      const isLost = answers.length === 2 && first === '' && second === 'AXONIQ-4001';
      if (answers.length !== 1 && !isLost)
        this.unexpected.push(`${request.message_identifier}: ${JSON.stringify(answers)}`);
      return answers.at(-1)?.error_code ?? 'none';
    });
  }

  async #outcome(kind: 'command' | 'query', call: () => Promise<string>): Promise<void> {
    const startedAt = performance.now();
    const code = await call().catch((error: { readonly code?: number }) => axoniqCode(error) ?? `status ${error.code}`);
    this.slowest = Math.max(this.slowest, performance.now() - startedAt);
    const found = this.outcomes[kind];
    found.set(code, (found.get(code) ?? 0) + 1);
  }

  #subscribe(session: Session): void {
    this.#ids += 1;
    const subscription = {
      subscription_identifier: `${this.#aggregate}-s-${this.#ids}`,
      query_request: {
        message_identifier: `${this.#aggregate}-s-${this.#ids}`,
        query: 'js.find',
        payload: payload('x'),
      },
    };
    const stream = session.open('query.QueryService', 'Subscription');
    let last = -1;
    stream.onMessage((message) => {
      const { initial_result, update } = message as {
        readonly initial_result?: object | null;
        readonly update?: { readonly payload: { readonly data: Buffer } } | null;
      };
      if (initial_result != null) this.initials += 1;
      if (update == null) return;
      const number = Number(update.payload.data.toString());
      if (number <= last) this.disordered += 1;
      last = number;
      this.updates.push(number);
      stream.send({ flow_control: { ...subscription, number_of_permits: 1 } });
    });
    stream.send({ flow_control: { number_of_permits: PERMITS } });
    stream.send({ subscribe: subscription });
    stream.send({ get_initial_result: subscription });
  }

  async #handle(session: Session): Promise<void> {
    const identity = { component_name: 'js', client_id: 'js-handler' };
    const commands = session.open('command.CommandService', 'OpenStream');
    const queries = session.open('query.QueryService', 'OpenStream');
    const acknowledged = [commands, queries].map(
      (stream) => new Promise<void>((resolve) => stream.onMessage((message) => 'ack' in message && resolve())),
    );
    commands.onMessage((message) => {
      const { command } = message as CommandInbound;
      if (command == null) return;
      const id = command.message_identifier;
      this.deliveries.set(id, (this.deliveries.get(id) ?? 0) + 1);
      const answer = { message_identifier: `a-${id}`, request_identifier: id, payload: payload('done') };
      commands.send({ command_response: answer });
      commands.send({ flow_control: { client_id: 'js-handler', permits: 1 } });
    });
    queries.onMessage((message) => this.#onQuery(session, (answer) => queries.send(answer), message as QueryInbound));
    this.#answered.set(session, (message) => queries.send(message));
    commands.send({ subscribe: { ...identity, command: 'js.do', load_factor: 100 }, instruction_id: 'c' });
    queries.send({ subscribe: { ...identity, query: 'js.find', result_name: 'Text' }, instruction_id: 'q' });
    for (const stream of [commands, queries])
      stream.send({ flow_control: { client_id: 'js-handler', permits: PERMITS } });
    await Promise.all(acknowledged);
  }

  #onQuery(session: Session, send: (message: object) => void, message: QueryInbound): void {
    const id = message.query?.message_identifier;
    if (id !== undefined) {
      const answer = { message_identifier: `a-${id}`, request_identifier: id, payload: payload('found') };
      send({ query_response: answer });
      send({ query_complete: { request_id: id, message_id: `d-${id}` } });
      send({ flow_control: { client_id: 'js-handler', permits: 1 } });
    }
    const request = message.subscription_query_request;
    const subscribed = request?.subscribe?.subscription_identifier;
    if (subscribed !== undefined) this.#subscribers.set(subscribed, session);
    const asked = request?.get_initial_result?.subscription_identifier;
    if (asked !== undefined) {
      const initial_result = { message_identifier: `i-${asked}`, request_identifier: asked, payload: payload('first') };
      send(response(asked, { initial_result }));
    }
    const ended = request?.unsubscribe?.subscription_identifier;
    if (ended !== undefined) this.#subscribers.delete(ended);
  }

  #emit(): void {
    const { session } = this.handler;
    for (const [id, of] of this.#subscribers) {
      if (of !== session) {
        this.#subscribers.delete(id);
        continue;
      }
      const update = { message_identifier: `u-${this.#emitted}`, payload: payload(String(this.#emitted)) };
      this.#answered.get(session)?.(response(id, { update: { ...update, client_id: 'js-handler' } }));
    }
    this.#emitted += 1;
  }

  get emitted(): number {
    return this.#emitted;
  }
}

function response(id: string, more: object): object {
  return { subscription_query_response: { message_identifier: `m-${id}`, subscription_identifier: id, ...more } };
}
