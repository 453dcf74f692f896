// admin.EventProcessorAdminService of the client API (client-behaviour §11.2, AD-2, AD-3).
import { RULES } from '../context/access-roles.ts';
import { AxonError, type ClusterAdmin } from '../context/api.ts';
import type {
  InstructionOutcome,
  LogicalProcessor,
  ProcessorAdministration,
  ProcessorRef,
} from '../messaging/processor-admin.ts';
import { BALANCING_STRATEGIES } from '../messaging/processor-admin.ts';
import { mayUse, requireAccess } from './access.ts';
import { contextOf, serverStream, unary } from './call-context.ts';
import { admin, common, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface ProcessorAdminDeps {
  readonly processors: ProcessorAdministration;
  readonly admin: Pick<ClusterAdmin, 'setBalancing'>;
}

const SERVICE = '/io.axoniq.axonserver.grpc.admin.EventProcessorAdminService';

export function registerProcessorAdminService(
  server: GrpcServer,
  { processors, admin: cluster }: ProcessorAdminDeps,
): void {
  const action = (method: string, run: (ref: ProcessorRef) => Promise<InstructionOutcome>): void =>
    unary(
      server,
      `${SERVICE}/${method}`,
      (bytes) => decodeMessage(admin.EventProcessorIdentifier, bytes),
      async (identifier, call) => resultOf(await run(refOf(identifier, call))),
      (result) => encodeMessage(admin.AdminActionResult, { result }),
    );
  action('PauseEventProcessor', (ref) => processors.pause(ref));
  action('StartEventProcessor', (ref) => processors.start(ref));
  action('SplitEventProcessor', (ref) => processors.split(ref));
  action('MergeEventProcessor', (ref) => processors.merge(ref));
  unary(
    server,
    `${SERVICE}/MoveEventProcessorSegment`,
    (bytes) => decodeMessage(admin.MoveSegment, bytes),
    async ({ eventProcessor, segment, targetClientId }, call) =>
      resultOf(await processors.move(refOf(eventProcessor, call), segment, targetClientId)),
    (result) => encodeMessage(admin.AdminActionResult, { result }),
  );
  serverStream(
    server,
    `${SERVICE}/GetAllEventProcessors`,
    (bytes) => bytes,
    async (_, writer, call) => {
      for (const processor of await processors.list(null))
        if (mayUse(call, RULES.watchContext, processor.context)) writer.write(processorBytes(processor));
    },
  );
  serverStream(
    server,
    `${SERVICE}/GetEventProcessorsByComponent`,
    (bytes) => decodeMessage(common.Component, bytes),
    async ({ component }, writer, call) => {
      for (const processor of await processors.list(null)) {
        if (!mayUse(call, RULES.watchContext, processor.context)) continue;
        const instances = processor.instances.filter((instance) => instance.componentName === component);
        if (instances.length > 0) writer.write(processorBytes({ ...processor, instances }));
      }
    },
  );
  registerBalancing(server, { processors, admin: cluster });
}

function registerBalancing(server: GrpcServer, { processors, admin: cluster }: ProcessorAdminDeps): void {
  const decode = (bytes: Buffer): admin.LoadBalanceRequest => decodeMessage(admin.LoadBalanceRequest, bytes);
  serverStream(server, `${SERVICE}/LoadBalanceProcessor`, decode, async ({ processor, strategy }, _, call) => {
    resultOf(await processors.balance(refOf(processor, call), strategy));
  });
  serverStream(server, `${SERVICE}/SetAutoLoadBalanceStrategy`, decode, async ({ processor, strategy }, _, call) => {
    const { context, name, tokenStore } = refOf(processor, call);
    await cluster.setBalancing({ context, name, tokenStore, strategy: requireStrategy(strategy) });
  });
  serverStream(
    server,
    `${SERVICE}/GetBalancingStrategies`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const { name: strategy, label } of BALANCING_STRATEGIES)
        writer.write(encodeMessage(admin.LoadBalancingStrategy, { strategy, label }));
    },
  );
}

function requireStrategy(strategy: string): string {
  if (BALANCING_STRATEGIES.some(({ name }) => name === strategy)) return strategy;
  throw new AxonError('AXONIQ-2311', `Unknown load balancing strategy ${strategy}`);
}

/** AD-3: no context named means that of the caller. */
function refOf(identifier: admin.EventProcessorIdentifier | null, call: GrpcCall): ProcessorRef {
  if (identifier === null || identifier.processorName === '')
    throw new AxonError('AXONIQ-2800', 'The request names no event processor');
  const context = identifier.contextName || contextOf(call);
  requireAccess(call, RULES.steerProcessors, context);
  return {
    context,
    name: identifier.processorName,
    tokenStore: identifier.tokenStoreIdentifier,
  };
}

/** EP-20. Throws the failure. */
function resultOf(outcome: InstructionOutcome): number {
  if (outcome.kind === 'failed') throw new AxonError(outcome.failure.code, outcome.failure.text);
  return outcome.kind === 'success' ? admin.Result.SUCCESS : admin.Result.ACCEPTED;
}

function processorBytes(processor: LogicalProcessor): Buffer {
  return encodeMessage(admin.EventProcessor, {
    identifier: {
      processorName: processor.name,
      tokenStoreIdentifier: processor.tokenStore,
      contextName: processor.context,
    },
    mode: processor.mode,
    isStreaming: processor.isStreaming,
    loadBalancingStrategyName: processor.strategy,
    clientInstance: processor.instances.map((instance) => ({
      clientId: instance.clientId,
      isRunning: instance.running,
      maxCapacity: instance.maxCapacity,
      claimedSegment: instance.segments.map((segment) => ({
        id: segment.id,
        onePartOf: segment.onePartOf,
        claimedBy: segment.claimedBy,
        isCaughtUp: segment.caughtUp,
        isReplaying: segment.replaying,
        tokenPosition: segment.token,
        isInError: segment.errorState !== '',
        error: segment.errorState,
      })),
    })),
  });
}
