// command.CommandService of the client API (client-behaviour §4). Commands and responses pass as bytes; only the small
// instructions of handlers are decoded.
import type { ContextDirectory } from '../context/api.ts';
import type { CommandHandlerStream } from '../messaging/command-handlers.ts';
import type { Messaging } from '../messaging/messaging.ts';
import type { MessageSink } from '../messaging/streams.ts';
import type { Env } from '../util/env.ts';
import { WireReader, WireWriter } from '../util/wire.ts';
import { acknowledgement, endCall, UNSUPPORTED_INSTRUCTION } from './acks.ts';
import { contextOf, failCall, onSingleRequest } from './call-context.ts';
import { serveInstructions } from './instruction-stream.ts';
import { command, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface MessagingServiceDeps {
  readonly messaging: Messaging;
  readonly directory: ContextDirectory;
  readonly env: Env;
}

const SERVICE = '/io.axoniq.axonserver.grpc.command.CommandService';
/** Field of CommandProviderOutbound / CommandProviderInbound. */
const COMMAND_RESPONSE_FIELD = 4;
const COMMAND_FIELD = 2;

export function registerCommandService(server: GrpcServer, deps: MessagingServiceDeps): void {
  server.handle(`${SERVICE}/OpenStream`, (call) => serveHandler(call, deps));
  server.handle(`${SERVICE}/Dispatch`, (call) => serveDispatch(call, deps));
}

function serveDispatch(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  onSingleRequest(call, (bytes) => {
    try {
      const context = contextOf(call);
      messaging.dispatchCommand(context, bytes, (response) => {
        call.write(response);
        call.end();
      });
      // After it: a context that is not served here throws, and is not remembered.
      directory.meters?.of(context).command.mark();
    } catch (error) {
      failCall(call, error);
    }
  });
}

function handlerSink(call: GrpcCall): MessageSink {
  return {
    get writable() {
      return call.writable;
    },
    write: (body) => call.write(new WireWriter(body.length + 16).bytes(COMMAND_FIELD, body).finish()),
    end: (failure) => endCall(call, failure),
  };
}

function serveHandler(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  serveInstructions(
    call,
    (owner) => messaging.openCommandStream(owner, handlerSink(call)),
    (stream, bytes) => receive(call, stream, bytes, directory.selfNode.name),
  );
}

function receive(call: GrpcCall, stream: CommandHandlerStream, bytes: Buffer, nodeName: string): void {
  const response = responseIn(bytes);
  if (response !== null) {
    stream.response(response.body);
    if (response.instructionId !== '') ack(call, response.instructionId, null, nodeName);
    return;
  }
  const instruction = decodeMessage(command.CommandProviderOutbound, bytes);
  const outcome = carryOut(stream, instruction);
  if (instruction.instructionId !== '') ack(call, instruction.instructionId, outcome, nodeName);
}

function carryOut(
  stream: CommandHandlerStream,
  instruction: command.CommandProviderOutbound,
): ReturnType<CommandHandlerStream['subscribe']> {
  const { subscribe, unsubscribe, flowControl } = instruction;
  if (subscribe !== null) {
    const { clientId, componentName, command: name, loadFactor } = subscribe;
    return stream.subscribe({ clientId, componentName, name, loadFactor });
  }
  if (unsubscribe !== null) stream.unsubscribe(unsubscribe.command);
  else if (flowControl !== null) stream.addPermits(flowControl.clientId, flowControl.permits);
  else if (instruction.ack === null) return UNSUPPORTED_INSTRUCTION;
  return null;
}

/** The hot path: a response is taken out without decoding it. */
function responseIn(bytes: Buffer): { readonly body: Uint8Array; readonly instructionId: string } | null {
  let body: Uint8Array | null = null;
  let instructionId = '';
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === COMMAND_RESPONSE_FIELD) body = reader.view();
    else if (reader.field === 6) instructionId = reader.text();
  }
  return body === null ? null : { body, instructionId };
}

function ack(
  call: GrpcCall,
  id: string,
  outcome: ReturnType<CommandHandlerStream['subscribe']>,
  nodeName: string,
): void {
  call.write(encodeMessage(command.CommandProviderInbound, { ack: acknowledgement(id, outcome, nodeName) }));
}
