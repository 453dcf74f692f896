// Asks a running node to change the cluster, over the REST calls that Axon Server's own CLI uses (rest-and-cli.md).
// Entry points: `createContext`, `deleteContext`, `setRole`, `moveLeader`, `steerProcessor`, `toldPorts`, `askAccess`, `callNode`. Changes of contexts fail with
// CONTEXT_REFUSED carrying the server's text.
import http from 'node:http';
import https from 'node:https';
import type { ContextName, NodeName, NodeRole } from '../contract/model.ts';
import type { ProcessorAct, ProcessorName } from '../contract/processors.ts';
import { launcherError } from './errors.ts';
import { LOOPBACK } from './ports.ts';
import type { ClusterSecurity } from './security.ts';

export const ADMIN_CALL_TIMEOUT_MS = 15_000;
/** What is beyond is left out. */
export const ANSWER_CHARS_MAX = 4 * 1024 * 1024;

/** The node to ask, and what it wants to see. */
export interface AdminDoor {
  readonly httpPort: number;
  readonly security: ClusterSecurity;
}

export async function createContext(
  door: AdminDoor,
  context: ContextName,
  roles: readonly { readonly node: NodeName; readonly role: string }[],
  dcb = false,
): Promise<void> {
  const body = { context, replicationGroup: context, roles, nodes: [], metaData: {}, ...(dcb ? { dcb } : {}) };
  await change(door, 'POST', '/v1/context', body, `The context ${context} was not created.`);
}

export async function deleteContext(door: AdminDoor, context: ContextName, keepEvents: boolean): Promise<void> {
  const path = `/v1/context/${context}?preserveEventStore=${keepEvents}`;
  await change(door, 'DELETE', path, null, `The context ${context} was not deleted.`);
}

export async function setRole(
  door: AdminDoor,
  context: ContextName,
  node: NodeName,
  role: NodeRole | null,
  keepEvents: boolean,
): Promise<void> {
  // A change that waits for a node that is down must not keep others from being asked for, least of all the one that undoes it.
  const path = `/v1/context/${context}/${node}?afterPending=true`;
  const refused = `${node} keeps its role in ${context}.`;
  if (role === null) {
    await change(door, 'DELETE', `${path}&preserveEventStore=${keepEvents}`, null, refused);
  } else {
    await change(door, 'POST', `${path}&role=${role}`, null, refused);
  }
}

/** The node must be in no context any more. */
export async function removeNode(door: AdminDoor, node: NodeName): Promise<void> {
  await change(door, 'DELETE', `/v1/cluster/${node}`, null, `${node} stays in the cluster.`);
}

/** `node` null: the most up-to-date PRIMARY. The call must go to the leader. Resolves when the hand-over began. */
export async function moveLeader(door: AdminDoor, context: ContextName, node: NodeName | null): Promise<void> {
  const path = `/internal/context/${context}/stepdown${node === null ? '' : `?to=${node}`}`;
  await change(door, 'GET', path, null, `The leader of ${context} stays.`);
}

/** The ports of every node as the cluster knows them; none when the node does not tell. */
export async function toldPorts(
  door: AdminDoor,
): Promise<readonly { readonly name: string; readonly http: number; readonly internal: number }[]> {
  const { status, text } = await callNode(door, 'GET', '/v1/public', null);
  if (status !== 200) return [];
  const rows = JSON.parse(text) as readonly { name: string; httpPort: number; grpcInternalPort: number }[];
  return rows.map(({ name, httpPort, grpcInternalPort }) => ({ name, http: httpPort, internal: grpcInternalPort }));
}

/** Answers whether the apps did it (200) or only got the request (202). Fails with PROCESSOR_REFUSED. */
export async function steerProcessor(
  door: AdminDoor,
  { component, context, name }: ProcessorName & { readonly component: string },
  act: ProcessorAct,
): Promise<'done' | 'accepted'> {
  const one = `/v1/components/${encodeURIComponent(component)}/processors/${encodeURIComponent(name)}`;
  const path =
    act.kind === 'move'
      ? `${one}/segments/${act.segment}/move?target=${encodeURIComponent(act.clientId)}&`
      : act.kind === 'pause' || act.kind === 'start'
        ? `${one}/${act.kind}?`
        : `${one}/segments/${act.kind}?`;
  const answer = await callNode(door, 'PATCH', `${path}context=${encodeURIComponent(context)}`, null);
  if (answer.status === 200) return 'done';
  if (answer.status === 202) return 'accepted';
  const why = answer.text === '' ? `The server answered ${answer.status}.` : answer.text;
  throw launcherError('PROCESSOR_REFUSED', `${name} did not ${act.kind}.`, why, [
    'See processors, their segments and apps: muster processor ls',
  ]);
}

/** One call about users and applications; answers its text. Fails with ACCESS_REFUSED carrying the server's. */
export async function askAccess(
  door: AdminDoor,
  method: string,
  path: string,
  body: unknown,
  refused: string,
): Promise<string> {
  const { status, text } = await callNode(door, method, path, body);
  if (status === 200) return text;
  const why = text === '' ? `The server answered ${status}.` : text;
  throw launcherError('ACCESS_REFUSED', refused, why, ['See who may do what: muster access ls']);
}

/** 200 and 202 are success. */
async function change(door: AdminDoor, method: string, path: string, body: unknown, refused: string): Promise<void> {
  const answer = await callNode(door, method, path, body);
  if (answer.status !== 200 && answer.status !== 202) {
    const why = answer.text === '' ? `The server answered ${answer.status}.` : answer.text;
    throw launcherError('CONTEXT_REFUSED', refused, why, ['See contexts, members and roles: muster status']);
  }
}

export function callNode(
  { httpPort: port, security: { tokens, authority } }: AdminDoor,
  method: string,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const text = body === null ? '' : JSON.stringify(body);
  const headers = {
    ...(body === null ? {} : { 'content-type': 'application/json' }),
    ...(tokens === null ? {} : { 'axoniq-access-token': tokens.admin }),
  };
  const open = authority === null ? http.request : https.request;
  return new Promise((resolve) => {
    const request = open(
      {
        host: LOOPBACK,
        port,
        path,
        method,
        ...(authority === null ? {} : { ca: authority.pem }),
        timeout: ADMIN_CALL_TIMEOUT_MS,
        headers: { ...headers, 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          if (answer.length < ANSWER_CHARS_MAX) answer = (answer + chunk).slice(0, ANSWER_CHARS_MAX);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: answer.trim() }));
        response.on('error', (error) => resolve({ status: 0, text: error.message }));
      },
    );
    request.on('timeout', () => request.destroy(new Error(`No answer within ${ADMIN_CALL_TIMEOUT_MS} ms.`)));
    request.on('error', (error) => resolve({ status: 0, text: error.message }));
    request.end(text);
  });
}
