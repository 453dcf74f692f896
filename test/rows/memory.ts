import { readFileSync } from 'node:fs';
import type { TestNode } from './test-node.ts';

/** Resident memory of the process of a node; 0 where the system does not tell (only Linux does). */
export function residentBytes(node: TestNode): number {
  if (process.platform !== 'linux') return 0;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'))?.[1]) * 1024;
}
