// Row E39 on three real processes with access control and TLS on: what the launcher writes is what runs here.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPlan } from '../../electron/contract/model.ts';
import { type ClusterSecurity, ensureSecurity } from '../../electron/launcher/security.ts';
import { securityProperties } from '../../electron/launcher/properties-file.ts';
import { allMethods } from '../engine/access/support.ts';
import { axoniqCode, event, NodeClient } from './client.ts';
import { TestCluster } from './harness.ts';
import { HOST, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

let cluster: TestCluster;
let security: ClusterSecurity;
const clients: NodeClient[] = [];

function planOf(nodes: readonly TestNode[], dir: string): ClusterPlan {
  const spec = { name: 'rows', nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null } as const;
  const planned = nodes.map((node) => ({
    ...{ name: node.name, dir: node.dir, propertiesFile: node.propertiesFile, logFile: '', host: HOST },
    ...{ http: node.ports.http, grpc: node.ports.grpc, internal: node.ports.internal },
  }));
  const secured = { ...spec, accessControl: true, tls: true };
  return { version: 1, spec: secured, dir, createdAt: '', nodes: planned };
}

beforeAll(async () => {
  cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
  const plan = planOf(cluster.nodes, cluster.dir);
  security = await ensureSecurity(plan, Date.now());
  for (const [index, node] of cluster.nodes.entries()) {
    const more = Object.fromEntries(securityProperties(plan.nodes[index]!, security));
    node.properties = { ...node.properties, ...more };
  }
  cluster.startAll();
  await cluster.usable(['_admin', 'default']);
}, 120_000);

afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.dispose();
});

function clientOf(node: TestNode, token: string | null): NodeClient {
  const client = new NodeClient(HOST, node.ports.grpc, 'default', { token, trust: security.authority!.pem });
  clients.push(client);
  return client;
}

const application = (node: TestNode): NodeClient => clientOf(node, security.tokens!.application);
const codeOf = (work: Promise<unknown>): Promise<string | null> => work.then(() => 'ok', axoniqCode);

function rest(node: TestNode, method: string, url: string, token: string | null): Promise<[number, string]> {
  const headers = token === null ? {} : { 'AxonIQ-Access-Token': token };
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port: node.ports.http, path: url, method, headers, ca: security.authority!.pem };
    const request = https.request({ ...options, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    request.on('error', reject);
    request.end();
  });
}

describe('E39: access control and TLS on three processes', () => {
  it('every method that a node serves wants a token', async () => {
    const trust = credentials.createSsl(Buffer.from(security.authority!.pem));
    const client = new Client(`${HOST}:${cluster.at(1).ports.grpc}`, trust);
    const same = (bytes: Buffer): Buffer => bytes;
    const refusals = allMethods().map(
      (method) =>
        new Promise<string>((resolve) => {
          const done = (error: ServiceError | null): void =>
            resolve(error === null ? 'ok' : `${error.code} ${axoniqCode(error)}`);
          client.makeUnaryRequest(method, same, same, Buffer.alloc(0), new Metadata(), done);
        }),
    );
    const outcomes = await Promise.all(refusals);
    client.close();
    // 12: not served at all.
    expect(outcomes.filter((outcome) => !/^(7 AXONIQ-1000|12 null)$/.test(outcome))).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === '7 AXONIQ-1000').length).toBeGreaterThan(60);
  });

  it('a client with the token appends, without one or with another it does not; plain text reaches nobody', async () => {
    const leader = await cluster.leader();
    await application(leader).append([event('a', 0)]);
    expect(await codeOf(clientOf(leader, null).append([event('a', 1)]))).toBe('AXONIQ-1000');
    expect(await codeOf(clientOf(leader, 'nobody-has-this-token').append([event('a', 1)]))).toBe('AXONIQ-1001');
    await expect(leader.client().append([event('a', 1)])).rejects.toMatchObject({ code: 14 });
    expect((await application(leader).readAggregate('a')).length).toBe(1);
  });

  it('REST wants the token as well, Actuator does not; a new application is known on every node, through a kill -9', async () => {
    const { admin } = security.tokens!;
    const [first] = cluster.nodes;
    expect((await rest(first!, 'GET', '/v1/public/me', null))[0]).toBe(401);
    expect(await rest(first!, 'GET', '/v1/public/me', 'nobody-has-this-token')).toEqual([403, 'Invalid token']);
    expect((await rest(first!, 'GET', '/actuator/health', null))[0]).toBe(200);
    expect((await rest(first!, 'GET', '/v1/public/me', admin))[0]).toBe(200);
    const request = { applicationName: 'shop', rolesPerContext: [{ context: 'default', roles: ['READ_EVENTS'] }] };
    const made = await clientOf(first!, admin).unary<{ token: string }>(
      'admin.ApplicationAdminService',
      'CreateOrUpdateApplication',
      request,
    );
    for (const node of cluster.nodes) {
      const shop = clientOf(node, made.token);
      await until(`${node.name} knows the token`, START_MS_MAX, async () => (await codeOf(shop.lastToken())) === 'ok');
      expect(await codeOf(shop.append([event('b', 0)]))).toBe('AXONIQ-1001');
    }
    const leader = await cluster.leader();
    await leader.kill();
    const next = await cluster.leader();
    await application(next).append([event('c', 0)]);
    expect(await codeOf(clientOf(next, made.token).lastToken())).toBe('ok');
    leader.start();
    await cluster.usable(['_admin', 'default']);
    await cluster.caughtUp();
    expect(await codeOf(clientOf(leader, made.token).lastToken())).toBe('ok');
    expect((await application(leader).readAggregate('c')).length).toBe(1);
  }, 120_000);

  it('a node with another internal token is refused, and says so; with a key of another node it does not start', async () => {
    const leader = await cluster.leader();
    const node = cluster.followers(leader)[0]!;
    const right = node.properties;
    await node.stop();
    node.properties = { ...right, 'axoniq.axonserver.accesscontrol.internal-token': 'another-internal-token' };
    node.start();
    const log = path.join(node.dir, 'console.log');
    await until('told', START_MS_MAX, () => readFileSync(log, 'utf8').includes('PEER_TOKEN_WRONG'));
    expect(node.status?.peers.some((peer) => peer.connected) ?? false).toBe(false);
    await node.kill();
    node.properties = { ...right, 'axoniq.axonserver.ssl.private-key-file': `../${leader.name}/security/key.pem` };
    node.start();
    const exit = await until('refused', START_MS_MAX, () => node.exit);
    expect([exit.code, node.fatal?.code]).toEqual([64, 'TLS_KEY_MISMATCH']);
    node.properties = right;
    node.start();
    await cluster.usable(['_admin', 'default']);
  }, 120_000);
});
