// What Muster tells of itself (ux.md §13): facts, and checks that were really made. Types only.
import type { ClusterName } from './model.ts';

export interface ProcessFact {
  readonly pid: number;
  /** "launcher", "node-2 of dev". */
  readonly what: string;
  readonly rssBytes: number | null;
  readonly cpuPercent: number | null;
}

export interface PortFact {
  readonly port: number;
  /** "gRPC of node-1 of dev". */
  readonly what: string;
  /** Who listens there, with its process id; null: nobody. */
  readonly holder: string | null;
  /** Held by what should hold it, or free while nothing should. */
  readonly ok: boolean;
}

export interface Diagnostics {
  readonly versions: readonly { readonly what: string; readonly version: string }[];
  readonly paths: readonly { readonly what: string; readonly path: string }[];
  readonly ports: readonly PortFact[];
  readonly processes: readonly ProcessFact[];
  readonly clusters: readonly ClusterName[];
}

export interface CheckResult {
  /** Documented in docs/errors.md; `OK` when all is well. */
  readonly code: string;
  readonly ok: boolean;
  /** What was tried and what came of it. */
  readonly what: string;
  /** Empty when it worked. */
  readonly why: string;
  readonly next: string;
  readonly tookMs: number;
}

export interface SelfTest {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
}
