import type * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guarded } from '../../../engine/rpc/access.ts';
import { onSingleRequest } from '../../../engine/rpc/call-context.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import { metadataOf } from '../rpc/axon-test-client.ts';
import { RawClient, recordingEnv } from '../rpc/grpc-test-client.ts';
import { allMethods, APPLICATION_TOKEN, type MemoryAccess, memoryAccess, SYSTEM_TOKEN } from './support.ts';

const PACKAGE = '/io.axoniq.axonserver.grpc.';
const READ = ['READ_EVENTS', 'DISPATCH_QUERY'] as const;
const PUBLISH = ['PUBLISH_EVENTS', 'READ_EVENTS'] as const;
const ADMIN = ['ADMIN', 'USE_CONTEXT'] as const;
const VIEW = ['VIEW_CONFIGURATION', 'USE_CONTEXT'] as const;

/** The first pattern that matches: a role that is enough, and one that is not. Admin roles are in `_admin`, others in `default`. */
const EXPECTED: readonly (readonly [RegExp, readonly [enough: string, tooLittle: string | null]])[] = [
  [/^control\./, ['MONITOR', null]],
  [/EventStore\/Append(Event|Snapshot)?$/, PUBLISH],
  [/DcbEventStore\/(Add|Remove)Tags$/, PUBLISH],
  [/DcbSnapshotStore\/(Add|Delete)$/, PUBLISH],
  [/EventScheduler\//, PUBLISH],
  [/EventTransformationService\/(Transformations|StartTransformation|TransformEvents)$/, ['TRANSFORM', 'USE_CONTEXT']],
  [/EventTransformationService\//, ['TRANSFORM_ADMIN', 'TRANSFORM']],
  [/^(event|streams)\./, READ],
  [/CommandService\/OpenStream$/, ['SUBSCRIBE_COMMAND_HANDLER', 'DISPATCH_COMMANDS']],
  [/CommandService\/Dispatch$/, ['DISPATCH_COMMANDS', 'SUBSCRIBE_COMMAND_HANDLER']],
  [/QueryService\/OpenStream$/, ['SUBSCRIBE_QUERY_HANDLER', 'DISPATCH_QUERY']],
  [/QueryService\//, ['DISPATCH_QUERY', 'SUBSCRIBE_QUERY_HANDLER']],
  [/^license\./, ['MONITOR', null]],
  // These look at the context that the request names, so any role passes the door.
  [/EventProcessorAdminService\/|GetConnectedApplicationsByContext$/, ['MONITOR', null]],
  [/^admin\.\w+\/(Get|Subscribe)/, VIEW],
  [/^admin\./, ADMIN],
];

function expectedFor(path: string): readonly [enough: string, tooLittle: string | null] {
  const found = EXPECTED.find(([pattern]) => pattern.test(path.slice(PACKAGE.length)));
  if (found === undefined) throw new Error(`no expectation for ${path}`);
  return found[1];
}

let access: MemoryAccess;
let server: GrpcServer;
let client: RawClient;
const reached: string[] = [];

beforeAll(async () => {
  access = memoryAccess();
  server = guarded(createGrpcServer({ env: recordingEnv() }), access.control);
  for (const path of allMethods()) {
    server.handle(path, (call) =>
      onSingleRequest(call, () => {
        reached.push(path);
        call.write(Buffer.alloc(0));
        call.end();
      }),
    );
  }
  client = new RawClient(await server.listen('127.0.0.1', 0));
});

afterAll(async () => {
  client.client.close();
  await server.close(0);
});

async function tokenOf(role: string, context: string): Promise<string> {
  const name = `${role}@${context}`;
  const known = access.admin.applications().some((application) => application.name === name);
  const roles = [{ role, context }];
  const token = `token-of-${name}`;
  if (!known) await access.admin.putApplication({ name, description: '', token, roles, metaData: {} });
  return token;
}

/** `ok`, or status and code. */
async function outcome(path: string, token: string | null, context: string | null = 'default'): Promise<string> {
  const headers = {
    ...(token === null ? {} : { 'axoniq-access-token': token }),
    ...(context === null ? {} : { 'axoniq-context': context }),
  };
  try {
    await client.unary(path, Buffer.alloc(0), metadataOf(headers));
    return 'ok';
  } catch (error) {
    const { code, metadata, details } = error as grpc.ServiceError;
    return `${code} ${String(metadata.get('axoniq-errorcode')[0])} ${details}`;
  }
}

describe('HD-5, AD-1: who may call what', () => {
  it.each(allMethods())('%s: no token, a wrong one, one without the role, and the right ones', async (path) => {
    const [enough, tooLittle] = expectedFor(path);
    const scope = /^\/io\.axoniq\.axonserver\.grpc\.admin\./.test(path) && tooLittle !== null ? '_admin' : 'default';
    const method = path.slice(1);
    reached.length = 0;
    expect(await outcome(path, null)).toBe(`7 AXONIQ-1000 [AXONIQ-1000] No token for ${method}`);
    const refused = `7 AXONIQ-1001 [AXONIQ-1001] Invalid token for ${method}`;
    expect(await outcome(path, 'nobody-has-this-token')).toBe(refused);
    if (tooLittle !== null) expect(await outcome(path, await tokenOf(tooLittle, scope))).toBe(refused);
    if (enough !== 'MONITOR' || path.includes('Platform'))
      expect(await outcome(path, await tokenOf(enough, 'elsewhere'))).toBe(refused);
    expect(reached).toEqual([]);
    expect(await outcome(path, await tokenOf(enough, scope))).toBe('ok');
    expect(await outcome(path, SYSTEM_TOKEN)).toBe('ok');
    expect(reached).toEqual([path, path]);
  });

  it('takes the old header, the default context, roles in all contexts and the shared token of the properties', async () => {
    const path = `${PACKAGE}event.EventStore/AppendEvent`;
    expect(await outcome(path, APPLICATION_TOKEN, null)).toBe('ok');
    expect(await outcome(path, await tokenOf('USE_CONTEXT', '*'), 'other')).toBe('ok');
    expect(await outcome(path, await tokenOf('WRITE', 'default'), null)).toBe('ok');
    await client.unary(path, Buffer.alloc(0), metadataOf({ 'access-token': APPLICATION_TOKEN }));
    expect(await outcome(`${PACKAGE}admin.UserAdminService/GetUsers`, APPLICATION_TOKEN)).toMatch(/^7 AXONIQ-1001/);
  });

  it('HD-10: a method that is not served is unknown, with or without a token', async () => {
    expect(await outcome(`${PACKAGE}event.EventStore/Nothing`, null)).toMatch(/^12 undefined/);
  });

  it('a token that was replaced or deleted is refused at once', async () => {
    const path = `${PACKAGE}event.EventStore/GetLastToken`;
    const roles = [{ role: 'READ', context: 'default' }];
    const first = await access.admin.putApplication({ name: 'app', description: '', token: '', roles, metaData: {} });
    expect(await outcome(path, first)).toBe('ok');
    const second = await access.admin.refreshToken('app');
    expect(await outcome(path, first)).toMatch(/^7 AXONIQ-1001/);
    expect(await outcome(path, second)).toBe('ok');
    await access.admin.deleteApplication('app');
    expect(await outcome(path, second)).toMatch(/^7 AXONIQ-1001/);
  });

  it('costs nothing where access control is off: the server is the very same', () => {
    const plain = createGrpcServer({ env: recordingEnv() });
    expect(guarded(plain, null)).toBe(plain);
  });
});
