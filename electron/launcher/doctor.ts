// The connection doctor (ux.md §6): goes the way of an app step by step and says where it ends, why, and what to do.
// Entry point: `examine`. Never rejects; every step has a time limit.
import dns from 'node:dns/promises';
import net from 'node:net';
import type { DoctorReport, DoctorStep } from '../contract/doctor.ts';
import type { ClusterView, ContextName, NodeView } from '../contract/model.ts';
import { messageOf } from './errors.ts';
import { type Redirect, readPlatformInfo } from './platform-info.ts';
import { LOOPBACK } from './ports.ts';
import { type ProbeResult, probeGrpc } from './probe.ts';
import type { ClusterSecurity } from './security.ts';

export const STEP_TIMEOUT_MS = 2000;
const GRPC_PERMISSION_DENIED = 7;
const GRPC_UNAUTHENTICATED = 16;

type DoctorView = Pick<ClusterView, 'name'> & {
  readonly nodes: readonly Pick<NodeView, 'name' | 'grpc' | 'state'>[];
};
type DoctorNode = DoctorView['nodes'][number];
type Lookup = (host: string) => Promise<string>;

const systemLookup: Lookup = async (host) => (await dns.lookup(host)).address;

export async function examine(
  view: DoctorView,
  context: ContextName,
  security: ClusterSecurity,
  lookup: Lookup = systemLookup,
): Promise<DoctorReport> {
  const app = asApplication(security);
  const perNode = await Promise.all(view.nodes.map((node) => examineNode(view.name, node, app)));
  const steps = [...perNode.map(({ tcp }) => tcp), ...perNode.flatMap(({ grpc }) => (grpc === null ? [] : [grpc]))];
  const door = view.nodes.find((_node, i) => perNode[i]?.grpc?.ok === true);
  let redirect: Redirect | null = null;
  if (door !== undefined) {
    const asked = await askForContext(view.name, door, context, app);
    steps.push(asked.step);
    redirect = asked.redirect;
  }
  if (redirect !== null) steps.push(...(await follow(redirect, lookup)));
  return { cluster: view.name, context, ok: steps.every((step) => step.ok), redirect, steps };
}

/** An app shows the token of apps, not the one that may do everything. */
function asApplication({ tokens, authority }: ClusterSecurity): ClusterSecurity {
  return { authority, tokens: tokens === null ? null : { ...tokens, admin: tokens.application } };
}

async function examineNode(
  cluster: string,
  node: DoctorNode,
  security: ClusterSecurity,
): Promise<{ readonly tcp: DoctorStep; readonly grpc: DoctorStep | null }> {
  const address = `${LOOPBACK}:${node.grpc}`;
  const refused = await connectTcp(LOOPBACK, node.grpc);
  const restart = startAdvice(cluster, node);
  const tcp = stepOf('tcp', node.name, `TCP to ${node.name} at ${address}`, refused, restart);
  if (refused !== null) return { tcp, grpc: null };
  const answer = await probeGrpc(node.grpc, null, security, STEP_TIMEOUT_MS);
  const denied = answer.status === GRPC_PERMISSION_DENIED || answer.status === GRPC_UNAUTHENTICATED;
  const why = answer.status === null || denied ? whyOf(answer) : null;
  const next = denied
    ? `Use the token that this shows: muster connect -c ${cluster}`
    : `See what the node says: muster logs ${node.name} -c ${cluster}`;
  return { tcp, grpc: stepOf('grpc', node.name, `gRPC handshake with ${node.name}`, why, next) };
}

function startAdvice(cluster: string, { name, state }: DoctorNode): string {
  if (state === 'frozen') return `The node is frozen: muster resume ${name} -c ${cluster}`;
  if (state === 'stopped' || state === 'crashed') return `The node is ${state}: muster start ${name} -c ${cluster}`;
  return `Look at the node, which is ${state}: muster status ${cluster}`;
}

async function askForContext(
  cluster: string,
  door: DoctorNode,
  context: ContextName,
  security: ClusterSecurity,
): Promise<{ readonly step: DoctorStep; readonly redirect: Redirect | null }> {
  const answer = await probeGrpc(door.grpc, context, security, STEP_TIMEOUT_MS);
  const next = `See whether the context is there and has a leader: muster status ${cluster}`;
  const asked = `asks ${door.name} for ${context}`;
  const failed = (why: string) => ({ step: stepOf('context', door.name, asked, why, next), redirect: null });
  if (answer.status !== 0) return failed(whyOf(answer));
  try {
    const redirect = readPlatformInfo(answer.body);
    const where = redirect === null ? 'stay on this connection' : `go to ${nameOf(redirect)}`;
    return { step: stepOf('context', door.name, `${asked}: ${where}`, null, ''), redirect };
  } catch (error) {
    return failed(messageOf(error));
  }
}

async function follow(redirect: Redirect, lookup: Lookup): Promise<readonly DoctorStep[]> {
  const { host, port } = redirect;
  const node = redirect.node === '' ? null : redirect.node;
  const hostAdvice = `Apps on this computer need a host name that resolves here: set axoniq.axonserver.hostname (muster config set)`;
  let address: string;
  try {
    address = await within(lookup(host));
  } catch (error) {
    const why = `${host} does not resolve: ${messageOf(error)}`;
    return [stepOf('resolve', node, `resolves ${host}`, why, hostAdvice)];
  }
  const refused = await connectTcp(address, port);
  return [
    stepOf('resolve', node, `resolves ${host}: ${address}`, null, ''),
    stepOf('redirect', node, `TCP to ${nameOf(redirect)}`, refused, hostAdvice),
  ];
}

function nameOf({ node, host, port }: Redirect): string {
  return node === '' ? `${host}:${port}` : `${node} at ${host}:${port}`;
}

function whyOf({ status, why }: ProbeResult): string {
  return status === null ? why : `gRPC status ${status}: ${why}`;
}

/** `why` null: it worked. */
function stepOf(
  kind: DoctorStep['kind'],
  node: string | null,
  what: string,
  why: string | null,
  next: string,
): DoctorStep {
  return { kind, node, ok: why === null, what, why: why ?? '', next: why === null ? '' : next };
}

/** Null when the connection stands, else why not. */
function connectTcp(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const settle = (why: string | null): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(STEP_TIMEOUT_MS, () => settle(`no connection within ${STEP_TIMEOUT_MS} ms`));
    socket.once('connect', () => settle(null));
    socket.once('error', (error) => settle(error.message));
  });
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STEP_TIMEOUT_MS} ms`)), STEP_TIMEOUT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
