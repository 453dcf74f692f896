// Asks a running node to change the cluster, over the REST calls that Axon Server's own CLI uses (rest-and-cli.md).
// Entry points: `createContext`, `deleteContext`, `setRole`. All fail with CONTEXT_REFUSED carrying the server's text.
import http from 'node:http';
import type { ContextName, NodeName, NodeRole } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { LOOPBACK } from './ports.ts';

export const ADMIN_CALL_TIMEOUT_MS = 15_000;
const ANSWER_CHARS_MAX = 64 * 1024;

export async function createContext(
  httpPort: number,
  context: ContextName,
  roles: readonly { readonly node: NodeName; readonly role: string }[],
): Promise<void> {
  const body = { context, replicationGroup: context, roles, nodes: [], metaData: {} };
  await change(httpPort, 'POST', '/v1/context', body, `The context ${context} was not created.`);
}

export async function deleteContext(httpPort: number, context: ContextName, keepEvents: boolean): Promise<void> {
  const path = `/v1/context/${context}?preserveEventStore=${keepEvents}`;
  await change(httpPort, 'DELETE', path, null, `The context ${context} was not deleted.`);
}

export async function setRole(
  httpPort: number,
  context: ContextName,
  node: NodeName,
  role: NodeRole | null,
  keepEvents: boolean,
): Promise<void> {
  const path = `/v1/context/${context}/${node}`;
  const refused = `${node} keeps its role in ${context}.`;
  if (role === null) {
    await change(httpPort, 'DELETE', `${path}?preserveEventStore=${keepEvents}`, null, refused);
  } else {
    await change(httpPort, 'POST', `${path}?role=${role}`, null, refused);
  }
}

/** 200 and 202 are success. */
async function change(port: number, method: string, path: string, body: unknown, refused: string): Promise<void> {
  const answer = await call(port, method, path, body);
  if (answer.status !== 200 && answer.status !== 202) {
    const why = answer.text === '' ? `The server answered ${answer.status}.` : answer.text;
    throw launcherError('CONTEXT_REFUSED', refused, why, ['See contexts, members and roles: muster status']);
  }
}

function call(
  port: number,
  method: string,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const text = body === null ? '' : JSON.stringify(body);
  const headers = body === null ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const request = http.request(
      {
        host: LOOPBACK,
        port,
        path,
        method,
        timeout: ADMIN_CALL_TIMEOUT_MS,
        headers: { ...headers, 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          answer = (answer + chunk).slice(0, ANSWER_CHARS_MAX);
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
