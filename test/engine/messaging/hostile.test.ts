import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../rpc/grpc-test-client.ts';
import { Application, resultOf } from './applications.ts';
import { MessagingCluster, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

const api = '/io.axoniq.axonserver.grpc';
const garbage = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff]);

/** Sends garbage on a stream and gives the status it ends with. */
async function endOf(raw: RawClient, path: string): Promise<number> {
  const same = (value: Buffer): Buffer => value;
  const call = raw.client.makeBidiStreamRequest(path, same, same);
  let code: number | null = null;
  call.on('data', () => undefined);
  call.on('error', () => undefined);
  call.on('status', (status) => {
    code = status.code;
  });
  call.write(garbage);
  await until(() => code !== null, `end of ${path}`);
  return code ?? -1;
}

describe('hostile input', () => {
  it('malformed messages end their call with INVALID_ARGUMENT and nothing else', async () => {
    cluster = await MessagingCluster.start();
    const handler = new Application(cluster, 'node-1', 'handler');
    const stream = await handler.handleCommands(['Create']);
    const raw = new RawClient(cluster.node('node-1').port);
    cluster.onStop(() => raw.client.close());
    for (const service of ['control.PlatformService', 'command.CommandService', 'query.QueryService']) {
      expect(await endOf(raw, `${api}.${service}/OpenStream`)).toBe(3);
    }
    expect(await endOf(raw, `${api}.query.QueryService/Subscription`)).toBe(3);
    await expect(raw.unary(`${api}.command.CommandService/Dispatch`, garbage)).rejects.toMatchObject({ code: 3 });
    await expect(raw.unary(`${api}.control.PlatformService/GetPlatformServer`, garbage)).rejects.toMatchObject({
      code: 3,
    });
    expect(stream.end).toBeNull();
    expect(resultOf(await new Application(cluster, 'node-1', 'asker').dispatch('Create'))).toBe('handler');
    expect(cluster.node('node-1').messaging.clients()).toHaveLength(1);
  });

  it('closing a node ends every stream and answers what is in progress', async () => {
    cluster = await MessagingCluster.start();
    const handler = new Application(cluster, 'node-1', 'handler');
    const stream = await handler.handleCommands(['Create'], { silent: true });
    const queries = await handler.handleQueries(['find'], { silent: true });
    const platform = await handler.register();
    const asker = new Application(cluster, 'node-1', 'asker');
    const command = asker.dispatch('Create');
    const query = asker.ask('find');
    const subscription = asker.subscription();
    subscription.send({
      subscribe: { subscription_identifier: 's', query_request: { message_identifier: 's', query: 'find' } },
    });
    await until(() => stream.of('command').length === 1 && queries.of('subscription_query_request').length === 1);
    await until(() => queries.of('query').length === 1);
    cluster.node('node-1').messaging.close();
    expect(resultOf(await command)).toBe('AXONIQ-4001');
    for (const open of [stream, queries, platform, subscription]) {
      expect(await open.ended()).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    }
    expect(await query.results()).toEqual(['AXONIQ-4001']);
  });
});
