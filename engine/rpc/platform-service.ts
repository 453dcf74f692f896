// control.PlatformService of the client API: where to connect, and the control stream (client-behaviour §2, §3, §11.1).
import { AxonError } from '../context/api.ts';
import type { ProcessorInstruction } from '../messaging/processor-instructions.ts';
import type { PlatformSink, PlatformStream, ProcessorStatus } from '../messaging/clients.ts';
import type { Messaging } from '../messaging/messaging.ts';
import type { Failure } from '../messaging/streams.ts';
import type { TopologyUpdate } from '../messaging/topology-feed.ts';
import { acknowledgement, endCall, UNSUPPORTED_INSTRUCTION } from './acks.ts';
import { contextOf, unary } from './call-context.ts';
import type { MessagingServiceDeps } from './command-service.ts';
import { serveInstructions } from './instruction-stream.ts';
import { type common, control, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

const SERVICE = '/io.axoniq.axonserver.grpc.control.PlatformService';
const HEARTBEAT = encodeMessage(control.PlatformOutboundInstruction, { heartbeat: {} });
const REQUEST_RECONNECT = encodeMessage(control.PlatformOutboundInstruction, { requestReconnect: {} });

export function registerPlatformService(server: GrpcServer, deps: MessagingServiceDeps): void {
  unary(
    server,
    `${SERVICE}/GetPlatformServer`,
    (bytes) => decodeMessage(control.ClientIdentification, bytes),
    (client, call) => platformServer(deps.messaging, client, call),
    (info) => encodeMessage(control.PlatformInfo, info),
  );
  server.handle(`${SERVICE}/OpenStream`, (call) => serveStream(call, deps));
}

/** Works without registration (CF-1). */
function platformServer(
  messaging: Messaging,
  client: control.ClientIdentification,
  call: GrpcCall,
): control.PlatformInfoInput {
  const placed = messaging.place(contextOf(call), client.clientId, new Map(Object.entries(client.tags)));
  if ('failure' in placed) throw placed.cause ?? new AxonError(placed.failure.code, placed.failure.text);
  const { hostName, grpcPort, httpPort, name } = placed.node;
  return { primary: { hostName, grpcPort, httpPort, nodeName: name }, sameConnection: placed.same };
}

function platformSink(call: GrpcCall): PlatformSink {
  return {
    get writable() {
      return call.writable;
    },
    heartbeat: () => call.write(HEARTBEAT),
    requestReconnect: () => call.write(REQUEST_RECONNECT),
    instruct: (id, instruction) => call.write(instructionBytes(id, instruction)),
    topology: (update) => {
      const topologyChange = topologyChangeOf(update);
      call.write(encodeMessage(control.PlatformOutboundInstruction, { topologyChange }));
    },
    end: (failure) => endCall(call, failure),
  };
}

function instructionBytes(instructionId: string, instruction: ProcessorInstruction): Uint8Array {
  const { type, processor: processorName } = instruction;
  const reference = { processorName };
  const segment = { processorName, segmentIdentifier: 'segment' in instruction ? instruction.segment : 0 };
  const encode = (arm: control.PlatformOutboundInstructionInput) =>
    encodeMessage(control.PlatformOutboundInstruction, { ...arm, instructionId });
  if (type === 'pause') return encode({ pauseEventProcessor: reference });
  if (type === 'start') return encode({ startEventProcessor: reference });
  if (type === 'refresh') return encode({ requestEventProcessorInfo: reference });
  if (type === 'release') return encode({ releaseSegment: segment });
  return encode(type === 'split' ? { splitEventProcessorSegment: segment } : { mergeEventProcessorSegment: segment });
}

function topologyChangeOf(update: TopologyUpdate): control.TopologyChangeInput {
  const { context } = update;
  if (update.type === 'reset') return { updateType: control.UpdateType.RESET_ALL, context };
  const { clientId, streamId: clientStreamId, componentName, name } = update;
  const common = { context, clientId, clientStreamId, componentName };
  const isAdded = update.type === 'added';
  if (update.kind === 'query') {
    const { ADD_QUERY_HANDLER, REMOVE_QUERY_HANDLER } = control.UpdateType;
    return { ...common, updateType: isAdded ? ADD_QUERY_HANDLER : REMOVE_QUERY_HANDLER, query: { name } };
  }
  const { ADD_COMMAND_HANDLER, REMOVE_COMMAND_HANDLER } = control.UpdateType;
  const command = { name, loadFactor: update.loadFactor };
  return { ...common, updateType: isAdded ? ADD_COMMAND_HANDLER : REMOVE_COMMAND_HANDLER, command };
}

function serveStream(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  serveInstructions(
    call,
    (owner) => messaging.openPlatformStream(owner, platformSink(call)),
    (stream, bytes) => receive(call, stream, bytes, directory.selfNode.name),
  );
}

function receive(call: GrpcCall, stream: PlatformStream, bytes: Buffer, nodeName: string): void {
  const instruction = decodeMessage(control.PlatformInboundInstruction, bytes);
  const { instructionId, register } = instruction;
  if (register !== null) {
    const { clientId, componentName, version, tags } = register;
    const refusal = stream.register({ clientId, componentName, version, tags: new Map(Object.entries(tags)) });
    if (refusal !== null) {
      stream.closed();
      endCall(call, refusal);
      return;
    }
  }
  const outcome = carryOut(stream, instruction);
  if (instructionId === '') return;
  const ack = acknowledgement(instructionId, outcome, nodeName);
  call.write(encodeMessage(control.PlatformOutboundInstruction, { ack }));
}

function carryOut(stream: PlatformStream, instruction: control.PlatformInboundInstruction): Failure | null {
  switch (instruction.request) {
    case 'heartbeat':
      stream.heartbeat();
      return null;
    case 'eventProcessorInfo':
      if (instruction.eventProcessorInfo !== null) stream.processorInfo(statusOf(instruction.eventProcessorInfo));
      if (instruction.instructionId !== '')
        stream.answered({ type: 'info', id: instruction.instructionId, failure: null });
      return null;
    case 'result':
      answer(stream, 'result', instruction.result);
      return null;
    case 'ack':
      answer(stream, 'ack', instruction.ack);
      return null;
    case 'subscribeTopologyChanges':
      stream.subscribeTopology();
      return null;
    case 'unsubscribeTopologyChanges':
      stream.unsubscribeTopology();
      return null;
    case undefined:
      return UNSUPPORTED_INSTRUCTION;
    default: // register
      return null;
  }
}

/** A failure without a code of its own is one of carrying the instruction out (AXONIQ-1004). */
function answer(
  stream: PlatformStream,
  type: 'result' | 'ack',
  said: common.InstructionResult | common.InstructionAck | null,
): void {
  if (said === null) return;
  const code = said.error?.errorCode || 'AXONIQ-1004';
  const text =
    said.error?.message || said.error?.details.join(', ') || 'The client could not carry the instruction out';
  stream.answered({ type, id: said.instructionId, failure: said.success ? null : { code, text } });
}

function statusOf(info: control.EventProcessorInfo): ProcessorStatus {
  return {
    name: info.processorName,
    mode: info.mode,
    running: info.running,
    error: info.error,
    activeThreads: info.activeThreads,
    availableThreads: info.availableThreads,
    tokenStoreIdentifier: info.tokenStoreIdentifier,
    isStreaming: info.isStreamingProcessor,
    loadBalancingStrategy: info.loadBalancingStrategyName,
    segments: info.segmentStatus.map((segment) => ({
      id: segment.segmentId,
      onePartOf: segment.onePartOf,
      token: segment.tokenPosition,
      caughtUp: segment.caughtUp,
      replaying: segment.replaying,
      errorState: segment.errorState,
    })),
  };
}
