// query.QueryService of the client API (client-behaviour §5, §6). Requests, responses and updates pass as bytes.
import type { QueryHandlerStream } from '../messaging/query-handlers.ts';
import type { MessageSink, QueryHandlerSink, SubscribeOutcome } from '../messaging/streams.ts';
import type { SubscriptionCall } from '../messaging/subscriptions.ts';
import { WireReader, WireWriter } from '../util/wire.ts';
import { acknowledgement, endCall, isFailure, UNSUPPORTED_INSTRUCTION } from './acks.ts';
import { contextOf, failCall, onSingleRequest } from './call-context.ts';
import type { MessagingServiceDeps } from './command-service.ts';
import { serveInstructions } from './instruction-stream.ts';
import { decodeMessage, encodeMessage, query } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

const SERVICE = '/io.axoniq.axonserver.grpc.query.QueryService';
/** Fields of QueryProviderOutbound that pass as bytes. */
const Outbound = { QUERY_RESPONSE: 4, SUBSCRIPTION_QUERY_RESPONSE: 6, INSTRUCTION_ID: 8 } as const;
/** Fields of QueryProviderInbound. */
const Inbound = { QUERY: 2, SUBSCRIPTION_QUERY_REQUEST: 3 } as const;
/** Arms of SubscriptionQueryRequest. */
const SUBSCRIPTION_UPDATE_FIELD = 4;
const Subscription = { SUBSCRIBE: 1, UNSUBSCRIBE: 2, GET_INITIAL_RESULT: 3, FLOW_CONTROL: 4 } as const;

export function registerQueryService(server: GrpcServer, deps: MessagingServiceDeps): void {
  server.handle(`${SERVICE}/OpenStream`, (call) => serveHandler(call, deps));
  server.handle(`${SERVICE}/Query`, (call) => serveQuery(call, deps));
  server.handle(`${SERVICE}/Subscription`, (call) => serveSubscription(call, deps));
}

function passingSink(call: GrpcCall): MessageSink {
  return {
    get writable() {
      return call.writable;
    },
    write: (body) => call.write(body),
    end: (failure) => endCall(call, failure),
  };
}

// -- askers ------------------------------------------------------------------------------------------------------------

function serveQuery(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  onSingleRequest(call, (bytes) => {
    try {
      const context = contextOf(call);
      const asked = messaging.query(context, bytes, passingSink(call));
      directory.meters?.of(context).query.mark();
      call.onDrain(() => asked.drained());
      call.onCancel(() => asked.cancelled());
    } catch (error) {
      failCall(call, error);
    }
  });
}

function serveSubscription(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  const counted = countedSubscription(call, directory);
  let subscription: SubscriptionCall;
  try {
    const opened = messaging.openSubscription(contextOf(call), counted.sink);
    if (isFailure(opened)) {
      endCall(call, opened);
      return;
    }
    subscription = opened;
  } catch (error) {
    failCall(call, error);
    return;
  }
  call.onMessage((bytes) => {
    try {
      const reader = new WireReader(bytes);
      while (reader.next()) {
        if (reader.field === Subscription.SUBSCRIBE) counted.begin();
        takeSubscriptionRequest(subscription, reader.field, reader.view());
      }
    } catch (error) {
      failCall(call, error); // first: what ends the call later is ignored
      subscription.cancelled();
    }
  });
  call.onDrain(() => subscription.drained());
  call.onCancel(() => {
    counted.end();
    subscription.cancelled();
  });
  call.onHalfClose(() => subscription.halfClosed());
}

/** The sink of a subscription query, and its share of the context's meters: once begun it is active until it ends. */
function countedSubscription(call: GrpcCall, directory: MessagingServiceDeps['directory']) {
  const meters = () => directory.meters?.of(contextOf(call));
  const sink = passingSink(call);
  let active = false;
  const count = (change: 1 | -1): void => {
    const mine = meters();
    active = change === 1;
    if (mine === undefined) return;
    mine.activeSubscriptionQueries += change;
    if (change === 1) mine.subscriptionQueries += 1;
  };
  const end = (): void => {
    if (active) count(-1);
  };
  return {
    begin: (): void => {
      if (!active) count(1);
    },
    end,
    sink: {
      get writable() {
        return sink.writable;
      },
      write: (body: Uint8Array) => {
        const mine = meters();
        if (mine !== undefined && isUpdate(body)) mine.subscriptionQueryUpdates += 1;
        sink.write(body);
      },
      end: (failure: Parameters<MessageSink['end']>[0]) => {
        end();
        sink.end(failure);
      },
    },
  };
}

/** A SubscriptionQueryResponse with an update in it. */
function isUpdate(response: Uint8Array): boolean {
  const reader = new WireReader(response);
  while (reader.next()) if (reader.field === SUBSCRIPTION_UPDATE_FIELD) return true;
  return false;
}

function takeSubscriptionRequest(subscription: SubscriptionCall, field: number, body: Uint8Array): void {
  if (field === Subscription.SUBSCRIBE) subscription.subscribe(body);
  else if (field === Subscription.UNSUBSCRIBE) subscription.unsubscribe();
  else if (field === Subscription.GET_INITIAL_RESULT) subscription.initialResult(body);
  else if (field === Subscription.FLOW_CONTROL) subscription.flowControl(body);
}

// -- handlers ----------------------------------------------------------------------------------------------------------

function wrapped(field: number, body: Uint8Array): Buffer {
  return new WireWriter(body.length + 16).bytes(field, body).finish();
}

function handlerSink(call: GrpcCall): QueryHandlerSink {
  const subscriptionRequest = (arm: number, body: Uint8Array) => {
    call.write(wrapped(Inbound.SUBSCRIPTION_QUERY_REQUEST, wrapped(arm, body)));
  };
  return {
    get writable() {
      return call.writable;
    },
    query: (request) => call.write(wrapped(Inbound.QUERY, request)),
    cancel: (requestId) => call.write(encodeMessage(query.QueryProviderInbound, { queryCancel: { requestId } })),
    permits: (requestId, permits) => {
      const queryFlowControl = { queryReference: { requestId }, permits };
      call.write(encodeMessage(query.QueryProviderInbound, { queryFlowControl }));
    },
    subscribe: (body) => subscriptionRequest(Subscription.SUBSCRIBE, body),
    initialResult: (body) => subscriptionRequest(Subscription.GET_INITIAL_RESULT, body),
    unsubscribe: (subscriptionIdentifier) => {
      const body = encodeMessage(query.SubscriptionQuery, { subscriptionIdentifier });
      subscriptionRequest(Subscription.UNSUBSCRIBE, body);
    },
    end: (failure) => endCall(call, failure),
  };
}

function serveHandler(call: GrpcCall, { messaging, directory }: MessagingServiceDeps): void {
  serveInstructions(
    call,
    (owner) => messaging.openQueryStream(owner, handlerSink(call)),
    (stream, bytes) => receive(call, stream, bytes, directory.selfNode.name),
  );
}

function receive(call: GrpcCall, stream: QueryHandlerStream, bytes: Buffer, nodeName: string): void {
  const passed = passingResponseIn(bytes);
  let instructionId: string;
  let outcome: SubscribeOutcome = null;
  if (passed !== null) {
    ({ instructionId } = passed);
    if (passed.field === Outbound.QUERY_RESPONSE) stream.response(passed.body);
    else stream.subscriptionResponse(passed.body);
  } else {
    const instruction = decodeMessage(query.QueryProviderOutbound, bytes);
    ({ instructionId } = instruction);
    outcome = carryOut(stream, instruction);
  }
  if (instructionId === '') return;
  call.write(encodeMessage(query.QueryProviderInbound, { ack: acknowledgement(instructionId, outcome, nodeName) }));
}

function carryOut(stream: QueryHandlerStream, instruction: query.QueryProviderOutbound): SubscribeOutcome {
  const { subscribe, unsubscribe, flowControl, queryComplete } = instruction;
  if (subscribe !== null) {
    const { clientId, componentName, query: name, resultName } = subscribe;
    return stream.subscribe({ clientId, componentName, name, loadFactor: 0 }, resultName);
  }
  if (unsubscribe !== null) stream.unsubscribe(unsubscribe.query, unsubscribe.resultName);
  else if (flowControl !== null) stream.addPermits(flowControl.clientId, flowControl.permits);
  else if (queryComplete !== null) stream.complete(queryComplete.requestId);
  else if (instruction.ack === null) return UNSUPPORTED_INSTRUCTION;
  return null;
}

/** The hot path: responses are taken out without decoding them. */
function passingResponseIn(
  bytes: Buffer,
): { readonly field: number; readonly body: Uint8Array; readonly instructionId: string } | null {
  let body: Uint8Array | null = null;
  let field = 0;
  let instructionId = '';
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === Outbound.QUERY_RESPONSE || reader.field === Outbound.SUBSCRIPTION_QUERY_RESPONSE) {
      body = reader.view();
      field = reader.field;
    } else if (reader.field === Outbound.INSTRUCTION_ID) instructionId = reader.text();
  }
  return body === null ? null : { field, body, instructionId };
}
