// event.EventScheduler and event.dcb.DcbEventScheduler of the client API (client-behaviour §9). Events pass as bytes; all other
// messages of the two have the same fields.
import type { ContextDirectory } from '../context/api.ts';
import { requireKind } from '../context/dcb-api.ts';
import type { EventSchedulerAccess, SchedulerDirectory } from '../context/schedulers.ts';
import { WireError, WireReader } from '../util/wire.ts';
import { contextOf, unary } from './call-context.ts';
import { common, decodeMessage, encodeMessage, event } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface SchedulerServiceDeps {
  readonly directory: ContextDirectory;
  readonly schedulers: SchedulerDirectory;
}

const CLASSIC = '/io.axoniq.axonserver.grpc.event.EventScheduler';
const DCB = '/io.axoniq.axonserver.grpc.event.dcb.DcbEventScheduler';

interface ScheduleRequest {
  readonly token: string;
  readonly instant: number;
  readonly event: Uint8Array;
}

export function registerSchedulerService(server: GrpcServer, deps: SchedulerServiceDeps): void {
  register(server, deps, CLASSIC, false);
  register(server, deps, DCB, true);
}

function register(
  server: GrpcServer,
  { directory, schedulers }: SchedulerServiceDeps,
  service: string,
  dcb: boolean,
): void {
  const schedulerOf = (call: GrpcCall): EventSchedulerAccess => {
    const context = contextOf(call);
    requireKind(directory.requireServable(context), dcb);
    return schedulers.scheduler(context, dcb);
  };
  const encodeToken = (token: string): Buffer => encodeMessage(event.ScheduleToken, { token });
  unary(
    server,
    `${service}/ScheduleEvent`,
    (bytes) => readRequest(bytes, 1, 2),
    ({ instant, event: scheduled }, call) => schedulerOf(call).schedule(instant, scheduled),
    encodeToken,
  );
  unary(
    server,
    `${service}/RescheduleEvent`,
    (bytes) => readRequest(bytes, 2, 3),
    ({ token, instant, event: scheduled }, call) => schedulerOf(call).reschedule(token, instant, scheduled),
    encodeToken,
  );
  unary(
    server,
    `${service}/CancelScheduledEvent`,
    (bytes) => decodeMessage(event.CancelScheduledEventRequest, bytes),
    ({ token }, call) => schedulerOf(call).cancel(token),
    () => encodeMessage(common.InstructionAck, { success: true }),
  );
}

/** Field 1 is the token when the instant is not. */
function readRequest(bytes: Buffer, instantField: number, eventField: number): ScheduleRequest {
  let token = '';
  let instant = 0;
  let found: Uint8Array | null = null;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === instantField) instant = reader.signed();
    else if (reader.field === eventField) found = reader.view();
    else if (reader.field === 1) token = reader.text();
  }
  if (found === null) throw new WireError('The request has no event');
  return { token, instant, event: found };
}
