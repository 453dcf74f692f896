// Port blocks of ten (decision 11): chosen once, stored in the plan, never moved silently; checked before each start.
// Entry points: `choosePortBlock`, `checkPorts`.
import net from 'node:net';
import type { ClusterName, ClusterPlan, ClusterSpec, NodePlan } from '../contract/model.ts';
import { FIRST_PORT_MAX } from '../contract/check-parts.ts';
import { standardSettings } from '../contract/settings.ts';
import { launcherError } from './errors.ts';
import { holderText, portHolder } from './port-holder.ts';

export const LOOPBACK = '127.0.0.1';
export const BLOCK_SIZE = 10;
/** HTTP, gRPC and internal ports of a block start 100 apart, as 8024/8124/8224 do. */
export const PORT_KIND_STEP = 100;
/** Ten blocks fit below the next kind's range; then the same pattern higher, below the ports that systems give to outgoing connections. */
const BLOCK_BASES: readonly number[] = [8024, 18_024, 28_024, 23_024].flatMap((base) =>
  Array.from({ length: 10 }, (_unused, block) => base + block * BLOCK_SIZE),
);

/** From the wanted port on ten blocks, then the usual ones; blocks that overlap are tried twice at worst. */
function blocksFrom(preferred: number): readonly number[] {
  const wanted = Array.from({ length: 10 }, (_unused, block) => preferred + block * BLOCK_SIZE);
  return [...new Set([...wanted.filter((base) => base <= FIRST_PORT_MAX), ...BLOCK_BASES])];
}

export interface PortUse {
  readonly port: number;
  /** "HTTP", "gRPC", "internal" */
  readonly purpose: string;
}

export interface PortChoice {
  readonly firstPort: number;
  readonly notes: readonly string[];
}

export type PortProbe = (port: number) => Promise<boolean>;

/** The HTTP port of node-1 decides every other port: node i adds i-1, gRPC 100, internal 200. */
export function nodePorts(firstPort: number, position: number): Pick<NodePlan, 'http' | 'grpc' | 'internal'> {
  const http = firstPort + position;
  return { http, grpc: http + PORT_KIND_STEP, internal: http + 2 * PORT_KIND_STEP };
}

/** True when nobody listens there and we could. */
export const isPortFree: PortProbe = (port) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * The block of the spec, or else the first one from `preferred` on that no other cluster owns and whose ports are free now. Fails
 * with NO_FREE_PORTS.
 */
export async function choosePortBlock(
  spec: ClusterSpec,
  others: readonly ClusterPlan[],
  probe: PortProbe = isPortFree,
  preferred: number = standardSettings.firstPort,
): Promise<PortChoice> {
  if (spec.firstPort !== null) {
    return { firstPort: spec.firstPort, notes: ownershipNotes(spec.firstPort, spec.nodes, others) };
  }
  const notes: string[] = [];
  for (const base of blocksFrom(preferred)) {
    const owner = others.find((plan) => overlaps(plan, base));
    if (owner !== undefined) {
      continue;
    }
    const taken = await firstTaken(base, spec.nodes, probe);
    if (taken === null) {
      return { firstPort: base, notes: base === preferred ? [] : notes };
    }
    if (base === preferred) {
      const holder = holderText(await portHolder(taken));
      notes.push(
        `Port ${taken} was in use by ${holder}, so this cluster got another block: ${preferred === standardSettings.firstPort ? 'an app with default settings will not find it by itself' : `not the one from ${preferred} on, as set`}.`,
      );
    }
  }
  throw launcherError(
    'NO_FREE_PORTS',
    'There is no free block of ports.',
    `All ${blocksFrom(preferred).length} blocks are taken.`,
    [
      'Remove clusters you no longer need: muster rm <name> --yes',
      'Or choose yourself: muster up <name> --first-port <port>',
    ],
  );
}

/** What a workspace knows of ports, for PORT_IN_USE. */
export interface PortUses {
  /** Name of the running cluster that owns a process. */
  readonly ownerOf: (pid: number) => ClusterName | null;
  /** First port of a block that this cluster could have instead. Fails with NO_FREE_PORTS. */
  readonly freeBlock: (plan: ClusterPlan) => Promise<number>;
}

/** Every port of the plan must be free. Fails with PORT_IN_USE naming port, holder and next steps. */
export async function checkPorts(plan: ClusterPlan, nodes: readonly NodePlan[], uses: PortUses): Promise<void> {
  for (const node of nodes) {
    for (const { port, purpose } of portsOf(node)) {
      if (!(await isPortFree(port))) {
        throw await portInUse(plan, node, port, purpose, uses);
      }
    }
  }
}

export function portsOf(node: NodePlan): readonly PortUse[] {
  return [
    { port: node.http, purpose: 'HTTP' },
    { port: node.grpc, purpose: 'gRPC' },
    { port: node.internal, purpose: 'internal' },
  ];
}

async function portInUse(
  plan: ClusterPlan,
  node: NodePlan,
  port: number,
  purpose: string,
  { ownerOf, freeBlock }: PortUses,
): Promise<Error> {
  const [found, firstPort] = await Promise.all([portHolder(port), freeBlock(plan).catch(() => null)]);
  const ownCluster = found === null ? null : ownerOf(found.pid);
  const holder = ownCluster === null ? holderText(found) : `your cluster ${ownCluster}`;
  const otherPorts = `Or use other ports: muster ports ${firstPort ?? '<first port>'} -c ${plan.spec.name}`;
  const next =
    ownCluster === null
      ? [
          found === null ? `Find and end the process that uses port ${port}.` : `End ${holder}, then start again.`,
          otherPorts,
        ]
      : [`Stop it: muster down ${ownCluster}`, otherPorts];
  return launcherError(
    'PORT_IN_USE',
    `Port ${port} (${purpose} of ${node.name}) is used by ${holder}.`,
    `Cluster ${plan.spec.name} keeps the ports it was given, so that apps find it again.`,
    next,
    {
      ...{ node: node.name, port, holder },
      ...(ownCluster === null ? {} : { holderCluster: ownCluster }),
      ...(firstPort === null
        ? {}
        : { free: { firstPort, port: port - (plan.nodes[0]?.http ?? firstPort) + firstPort } }),
    },
  );
}

function overlaps(plan: ClusterPlan, base: number): boolean {
  const taken = new Set(plan.nodes.flatMap((node) => portsOf(node).map((use) => use.port)));
  return Array.from({ length: BLOCK_SIZE }, (_unused, position) => nodePorts(base, position)).some(
    (ports) => taken.has(ports.http) || taken.has(ports.grpc) || taken.has(ports.internal),
  );
}

function ownershipNotes(firstPort: number, nodes: number, others: readonly ClusterPlan[]): readonly string[] {
  const wanted = new Set(
    Array.from({ length: nodes }, (_unused, position) => Object.values(nodePorts(firstPort, position))).flat(),
  );
  return others
    .filter((plan) => plan.nodes.some((node) => portsOf(node).some((use) => wanted.has(use.port))))
    .map((plan) => `Cluster ${plan.spec.name} uses some of these ports too: only one of the two can run at a time.`);
}

async function firstTaken(base: number, nodes: number, probe: PortProbe): Promise<number | null> {
  for (let position = 0; position < nodes; position += 1) {
    for (const port of Object.values(nodePorts(base, position))) {
      if (!(await probe(port))) {
        return port;
      }
    }
  }
  return null;
}
