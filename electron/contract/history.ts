// The recorded past of one cluster (ux.md §10). Types, and an event as a line of text.
import type { ClusterName, ClusterView, ContextName, Headline, NodeAction, NodeName, NodeState } from './model.ts';

/** What a timeline draws with a sign of its own. */
export type TimelineMark =
  | NodeAction
  | ('fault' | 'heal' | 'crash' | 'election' | 'pace' | 'note')
  | ('connect' | 'disconnect' | 'lost');

export interface TimelineEvent {
  readonly at: number;
  readonly cluster: ClusterName;
  readonly kind: 'user' | 'node' | 'context' | 'fault' | 'app' | 'note';
  readonly subject: string;
  readonly text: string;
  readonly mark?: TimelineMark;
  /** Of a note: what it is edited and removed by. */
  readonly id?: string;
  /** Only in pushes and on disk: the note of this `id` is gone. */
  readonly removed?: true;
  /** Lines of a chaos script that do it again. Absent: nobody did it, or scripts have no words for it. */
  readonly script?: readonly string[];
}

/** From `at` on, until the next span of its lane. */
export interface NodeSpan {
  readonly at: number;
  readonly state: NodeState;
}

export interface ContextSpan {
  readonly at: number;
  readonly leader: NodeName | null;
  readonly term: number | null;
  readonly headline: Headline;
}

export interface FaultSpan {
  readonly at: number;
  /** Faults of links, disks and clocks that were on. */
  readonly active: number;
}

export interface ClientSpan {
  readonly at: number;
  /** Where it is connected; empty: nowhere. */
  readonly nodes: readonly NodeName[];
  /** Handlers and processors that it had before the last fault and has not now. */
  readonly missing: number;
}

export interface AppendBar {
  readonly at: number;
  /** The time that it stands for. */
  readonly ms: number;
  readonly entries: number;
}

export interface HistoryView {
  /** First and last recorded moment, epoch ms; null: nothing is recorded. */
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly nodes: readonly { readonly name: NodeName; readonly spans: readonly NodeSpan[] }[];
  readonly contexts: readonly { readonly name: ContextName; readonly spans: readonly ContextSpan[] }[];
  /** By first connection. */
  readonly clients: readonly {
    readonly clientId: string;
    readonly componentName: string;
    readonly spans: readonly ClientSpan[];
  }[];
  readonly faults: readonly FaultSpan[];
  /** Entries committed in all contexts but `_admin`, oldest first; times without any are left out. */
  readonly appends: readonly AppendBar[];
}

/** The cluster as it was: the last state recorded at or before the moment asked for, else the first one there is. */
export interface PastView {
  readonly recordedAt: number;
  readonly view: ClusterView;
}

/** As `muster timeline` prints it and *Copy as text* copies it. */
export const eventLine = ({ at, kind, text }: TimelineEvent): string =>
  `${new Date(at).toISOString()} ${kind.padEnd(7)} ${text}`;
