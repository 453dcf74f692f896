import { onTestFinished, describe, expect, it } from 'vitest';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import { registerSchedulerService } from '../../../engine/rpc/scheduler-service.ts';
import { AxonError, type ContextDirectory } from '../../../engine/context/api.ts';
import { event as proto } from '../../../engine/rpc/proto.ts';
import { errorOf } from '../messaging/applications.ts';
import { connect, type LooseClient, metadataOf } from '../rpc/axon-test-client.ts';
import { FakeDirectory } from '../rpc/fake-directory.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

type Reply = Readonly<Record<string, unknown>>;

async function start() {
  const calls: unknown[][] = [];
  const fake = new FakeDirectory();
  const directory = {
    isDcb: false,
    ...fake,
    requireServable: (context: string) => ({ ...fake.requireServable(context), dcb: directory.isDcb }),
  } as unknown as ContextDirectory & { isDcb: boolean };
  const server = createGrpcServer({ env: recordingEnv() });
  let failure: Error | null = null;
  const record = async (...call: unknown[]): Promise<string> => {
    if (failure !== null) throw failure;
    calls.push(call);
    return 'token-1';
  };
  const idOf = (bytes: Uint8Array): string => proto.Event.decode(bytes).messageIdentifier;
  registerSchedulerService(server, {
    directory,
    schedulers: {
      scheduler: (context, isDcb) => ({
        schedule: (instant, bytes) => record(isDcb ? 'dcb' : 'schedule', context, instant, idOf(bytes)),
        reschedule: (token, instant, bytes) => record('reschedule', context, token, instant, idOf(bytes)),
        cancel: async (token) => void (await record('cancel', context, token)),
      }),
    },
  });
  const port = await server.listen('127.0.0.1', 0);
  const client = connect(port, 'event.proto', 'event.EventScheduler');
  const dcbClient = connect(port, 'dcb.proto', 'event.dcb.DcbEventScheduler');
  onTestFinished(async () => {
    client.close();
    dcbClient.close();
    await server.close(0);
  });
  const calling =
    (on: LooseClient) =>
    (method: string, request: object, context = 'default'): Promise<Reply> =>
      new Promise((resolve, reject) => {
        const metadata = metadataOf({ 'axoniq-context': context });
        on[method]?.(request, metadata, (error: unknown, reply: Reply) => (error ? reject(error) : resolve(reply)));
      });
  const call = calling(client);
  const callDcb = calling(dcbClient);
  return { call, callDcb, directory, calls, fail: (error: Error) => (failure = error) };
}

describe('EventScheduler', () => {
  it('SC-1, SC-4, SC-5: the three calls carry instant, token and event, and answer a token or an ack', async () => {
    const { call, calls } = await start();
    const event = { message_identifier: 'm', payload: { type: 'T' } };
    expect(await call('ScheduleEvent', { instant: 1234567890123, event })).toEqual({ token: 'token-1' });
    expect(await call('RescheduleEvent', { token: 'old', instant: -1, event })).toEqual({ token: 'token-1' });
    expect(await call('RescheduleEvent', { instant: 5, event })).toEqual({ token: 'token-1' });
    expect(await call('CancelScheduledEvent', { token: 'old' })).toMatchObject({ success: true, error: null });
    expect(calls).toEqual([
      ['schedule', 'default', 1234567890123, 'm'],
      ['reschedule', 'default', 'old', -1, 'm'],
      ['reschedule', 'default', '', 5, 'm'],
      ['cancel', 'default', 'old'],
    ]);
  });

  it('SC-1, ER-1: no event, an unknown context and a missing leader fail with their codes', async () => {
    const { call, fail } = await start();
    const event = { message_identifier: 'm' };
    const errorOfCall = (work: Promise<unknown>) => work.then(() => null, errorOf);
    expect(await errorOfCall(call('ScheduleEvent', { instant: 5 }))).toMatchObject({ code: 3 });
    expect(await errorOfCall(call('ScheduleEvent', { event }, 'nowhere'))).toMatchObject({
      code: 5,
      errorCode: 'AXONIQ-1302',
    });
    fail(new AxonError('AXONIQ-2100', 'No leader for context: default'));
    expect(await errorOfCall(call('ScheduleEvent', { event }))).toMatchObject({ code: 5, errorCode: 'AXONIQ-2100' });
  });

  it('SC-8: DcbEventScheduler serves DCB contexts, each scheduler only its kind (AXONIQ-6000)', async () => {
    const { call, calls, callDcb, directory } = await start();
    const event = { identifier: 'm', name: 'T' };
    const failed = await callDcb('ScheduleEvent', { event }).then(() => null, errorOf);
    expect(failed).toMatchObject({ code: 5, errorCode: 'AXONIQ-6000' });
    directory.isDcb = true;
    expect(await callDcb('ScheduleEvent', { instant: 9, event })).toEqual({ token: 'token-1' });
    expect(await callDcb('CancelScheduledEvent', { token: 'old' })).toMatchObject({ success: true });
    expect(calls).toEqual([
      ['dcb', 'default', 9, 'm'],
      ['cancel', 'default', 'old'],
    ]);
    const classic = await call('ScheduleEvent', { event: { message_identifier: 'm' } }).then(() => null, errorOf);
    expect(classic).toMatchObject({ errorCode: 'AXONIQ-6000' });
  });
});
