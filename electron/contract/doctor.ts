// What the connection doctor finds (ux.md §6). Types only.
import type { ClusterName, ContextName, NodeName } from './model.ts';

export interface DoctorStep {
  readonly kind: 'tcp' | 'grpc' | 'context' | 'resolve' | 'redirect';
  /** Null: the step concerns no node in particular. */
  readonly node: NodeName | null;
  readonly ok: boolean;
  /** What was tried and what came of it. */
  readonly what: string;
  /** Empty when it worked. */
  readonly why: string;
  readonly next: string;
}

export interface DoctorReport {
  readonly cluster: ClusterName;
  readonly context: ContextName;
  /** Every step worked. */
  readonly ok: boolean;
  /** Where an app that asks for the context is sent; null when nobody told. */
  readonly redirect: { readonly node: NodeName; readonly host: string; readonly port: number } | null;
  readonly steps: readonly DoctorStep[];
}
