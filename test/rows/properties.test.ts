// Properties of Axon Server that an app notices, on a real process (properties.md §3, §6).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawH2 } from '../engine/rpc/raw-h2.ts';
import { event, type NodeClient } from './client.ts';
import { TestCluster } from './harness.ts';
import { until } from './wait.ts';

const CUT_MS_MAX = 10_000;

describe('properties that an app notices', () => {
  let cluster: TestCluster;
  let client: NodeClient;
  beforeAll(async () => {
    const properties = {
      'keep-alive-time': '200ms',
      'keep-alive-timeout': '2s',
      'check-sequence-nr-for-snapshots': 'false',
      'query.limit': '2',
    };
    cluster = await TestCluster.started({ nodes: 1, contexts: '_admin,default', properties });
    client = cluster.at(1).client();
  });
  afterAll(() => cluster?.dispose());

  it('HD-6 keep-alive-time, keep-alive-timeout: a connection without a sign of life is cut, one that answers stays', async () => {
    const answering = client.register('answering');
    let end: unknown = 'none';
    void answering.ended.then((error) => {
      end = error;
    });
    const isThere = (): boolean =>
      cluster.at(1).status?.clients.some(({ clientId }) => clientId === 'answering') ?? false;
    await until('the app that answers', CUT_MS_MAX, isThere);
    const silent = await RawH2.open(cluster.at(1).ports.grpc);
    await until('the silent connection to be cut', CUT_MS_MAX, () => silent.closed);
    expect([end, isThere()]).toEqual(['none', true]);
    answering.cancel();
  });

  it('ES-21 check-sequence-nr-for-snapshots=false: a snapshot of an aggregate without events is stored', async () => {
    await client.appendSnapshot(event('none', 3, 'ahead'));
  });

  it('QE-6 query.limit: a search without a limit ends after so many rows', async () => {
    await client.append([event('a', 0), event('a', 1), event('a', 2)]);
    const found = await (
      await fetch(`http://127.0.0.1:${cluster.at(1).ports.http}/v1/search?query=&context=default`)
    ).text();
    expect(found.match(/event:row/g)).toHaveLength(2);
  });
});
