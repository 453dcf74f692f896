// Event processors over REST: what they do, and what they are told (rest-and-cli §6, client-behaviour EP-23).
import { AxonError, DEFAULT_CONTEXT } from '../context/api.ts';
import type {
  InstructionOutcome,
  LogicalProcessor,
  ProcessorAdministration,
  ProcessorRef,
} from '../messaging/processor-admin.ts';
import { BALANCING_STRATEGIES } from '../messaging/processor-admin.ts';
import type { Exchange } from './exchange.ts';
import { contextOf, HttpError, sendDone, sendEmpty, sendJson } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';

/** The REST name of the strategy that does nothing; gRPC calls it `default`. */
const DISABLED = 'disabled';
const STRATEGIES = BALANCING_STRATEGIES.map(({ name, label }) => ({
  name: name === 'default' ? DISABLED : name,
  label,
}));

export class ProcessorRoutes {
  readonly #node: HttpNodeFacade;

  constructor(node: HttpNodeFacade) {
    this.#node = node;
  }

  get #processors(): ProcessorAdministration {
    return this.#node.processors;
  }

  async list(exchange: Exchange): Promise<void> {
    const component = exchange.variables['component']!;
    const found = await this.#processors.list(contextOf(exchange) ?? DEFAULT_CONTEXT);
    const shown = found
      .map((processor) => ({
        ...processor,
        instances: processor.instances.filter((instance) => instance.componentName === component),
      }))
      .filter((processor) => processor.instances.length > 0);
    sendJson(exchange.response, 200, shown.map(describeProcessor));
  }

  async clients(exchange: Exchange): Promise<void> {
    const { context, name, tokenStore } = refOf(exchange);
    const found = (await this.#processors.list(context)).filter(
      (processor) => processor.name === name && (tokenStore ?? processor.tokenStore) === processor.tokenStore,
    );
    const ids = found.flatMap((processor) => processor.instances.map((instance) => instance.clientId));
    sendJson(exchange.response, 200, [...new Set(ids)].sort());
  }

  async pause(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#processors.pause(refOf(exchange)));
  }

  async start(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#processors.start(refOf(exchange)));
  }

  async split(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#processors.split(refOf(exchange)));
  }

  async merge(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#processors.merge(refOf(exchange)));
  }

  async move(exchange: Exchange): Promise<void> {
    const segment = exchange.variables['segment']!;
    const target = exchange.query.get('target') ?? '';
    if (!/^\d{1,9}$/.test(segment) || target === '') {
      throw new HttpError(400, 'a segment number in the path and the parameter target are needed');
    }
    answer(exchange, await this.#processors.move(refOf(exchange), Number(segment), target));
  }

  /** DP-15: `client` is its id; without `context` its streams in every context are asked. */
  async reconnect(exchange: Exchange): Promise<void> {
    const client = exchange.query.get('client') ?? '';
    if (client === '') throw new HttpError(400, 'the parameter client is needed');
    const asked = await this.#node.reconnectClient(client, contextOf(exchange));
    if (asked === 0) throw new AxonError('AXONIQ-6001', `Client ${client} is not connected`);
    sendEmpty(exchange.response, 200);
  }

  strategies(exchange: Exchange): void {
    sendJson(exchange.response, 200, STRATEGIES);
  }

  async balance(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#processors.balance(refOf(exchange), strategyOf(exchange)));
  }

  async setBalancing(exchange: Exchange): Promise<void> {
    const { context, name, tokenStore } = refOf(exchange);
    const strategy = strategyOf(exchange);
    await this.#node.admin.setBalancing({ context, name, tokenStore, strategy });
    sendEmpty(exchange.response, 200);
  }
}

function strategyOf({ query }: Exchange): string {
  const strategy = query.get('strategy') ?? DISABLED;
  if (!STRATEGIES.some(({ name }) => name === strategy) && strategy !== 'default') {
    throw new AxonError('AXONIQ-2311', `Unknown load balancing strategy ${strategy}`);
  }
  return strategy === DISABLED ? 'default' : strategy;
}

function refOf(exchange: Exchange): ProcessorRef {
  return {
    context: contextOf(exchange) ?? DEFAULT_CONTEXT,
    name: exchange.variables['processor']!,
    tokenStore: exchange.query.get('tokenStoreIdentifier'),
  };
}

function answer({ response }: Exchange, outcome: InstructionOutcome): void {
  if (outcome.kind === 'failed') {
    throw new AxonError(outcome.failure.code, outcome.failure.text);
  }
  if (outcome.kind === 'success') {
    sendDone(response, 200, 'Done');
  } else {
    sendDone(response, 202, 'Accepted: the application only confirms that it got the request');
  }
}

function describeProcessor(processor: LogicalProcessor): unknown {
  const { instances, name, context, mode, isStreaming, tokenStore } = processor;
  const trackers = instances.flatMap((instance) =>
    instance.segments.map((segment) => ({
      clientId: instance.clientId,
      segmentId: segment.id,
      caughtUp: segment.caughtUp,
      replaying: segment.replaying,
      tokenPosition: segment.token,
      errorState: segment.errorState,
      onePartOf: segment.onePartOf,
    })),
  );
  const isSplit = trackers.some((tracker) => tracker.onePartOf > 1);
  const paused = instances.filter((instance) => !instance.running).map((instance) => instance.clientId);
  return {
    name,
    context,
    mode,
    isStreaming,
    fullName: tokenStore === '' ? name : `${name}@${tokenStore}`,
    warnings: paused.length > 0 && processor.running ? [`Paused on ${paused.join(', ')}`] : [],
    tokenStoreIdentifier: tokenStore,
    freeThreadInstances: instances
      .filter((instance) => instance.availableThreads > 0)
      .map((instance) => instance.clientId),
    activeThreads: instances.reduce((sum, instance) => sum + instance.activeThreads, 0),
    canPause: isStreaming && processor.running,
    canPlay: isStreaming && paused.length > 0,
    canSplit: isStreaming && processor.running,
    canMerge: isStreaming && processor.running && isSplit,
    trackers,
  };
}
