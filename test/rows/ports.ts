// Blocks of free ports on loopback for clusters of tests.
import { createServer } from 'node:net';

const BLOCK_FIRST = 21_000;
const BLOCK_STEP = 300;
const BLOCKS = 35;
/** http, grpc and internal ports of the first node, as the launcher lays them out. */
const OFFSETS = [0, 100, 200] as const;
export const NODES_PER_BLOCK = 9;

export interface NodePorts {
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
}

export function portsOf(firstPort: number, position: number): NodePorts {
  return {
    http: firstPort + OFFSETS[0] + position,
    grpc: firstPort + OFFSETS[1] + position,
    internal: firstPort + OFFSETS[2] + position,
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function blockIsFree(firstPort: number, nodes: number): Promise<boolean> {
  for (let position = 0; position < nodes; position += 1) {
    for (const port of Object.values(portsOf(firstPort, position))) if (!(await isFree(port))) return false;
  }
  return true;
}

/** First port of a block in which all ports of `nodes` nodes are free; two test processes start looking at different blocks. */
export async function freeBlock(nodes = NODES_PER_BLOCK): Promise<number> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let i = 0; i < BLOCKS; i += 1) {
    const firstPort = BLOCK_FIRST + ((start + i) % BLOCKS) * BLOCK_STEP;
    if (await blockIsFree(firstPort, nodes)) return firstPort;
  }
  throw new Error('no free block of ports on loopback');
}
