// Asks a running node to change the cluster, over the REST calls that Axon Server's own CLI uses (rest-and-cli.md).
// Entry point: `createContext`.
import http from 'node:http';
import type { ContextName, NodeName } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { LOOPBACK } from './ports.ts';

export const ADMIN_CALL_TIMEOUT_MS = 15_000;
const ANSWER_CHARS_MAX = 64 * 1024;

/** `POST /v1/context`; 200 and 202 are success. Fails with CONTEXT_REFUSED carrying the server's text. */
export async function createContext(
  httpPort: number,
  context: ContextName,
  roles: readonly { readonly node: NodeName; readonly role: string }[],
): Promise<void> {
  const answer = await post(httpPort, '/v1/context', {
    context,
    replicationGroup: context,
    roles,
    nodes: [],
    metaData: {},
  });
  if (answer.status !== 200 && answer.status !== 202) {
    throw launcherError(
      'CONTEXT_REFUSED',
      `The context ${context} was not created.`,
      answer.text === '' ? `The server answered ${answer.status}.` : answer.text,
      ['See the contexts that exist: muster status'],
    );
  }
}

function post(port: number, path: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const text = JSON.stringify(body);
  return new Promise((resolve) => {
    const request = http.request(
      {
        host: LOOPBACK,
        port,
        path,
        method: 'POST',
        timeout: ADMIN_CALL_TIMEOUT_MS,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
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
