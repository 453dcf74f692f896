// Events as the event browser shows them, and the comparison of replicas (ux.md §9, row B8). Types only.
import type { ContextName, NodeName } from './model.ts';

/** Which events; every given part must match. Texts are compared without case; `*` in `type` stands for anything. */
export interface EventFilter {
  readonly text?: string;
  readonly type?: string;
  readonly aggregate?: string;
  /** Epoch ms, inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** `key=value` of the metadata, or a tag of a DCB event. */
  readonly meta?: string;
}

export interface EventQuery {
  readonly filter: EventFilter;
  /** Token to begin at; null: the first there is. */
  readonly fromToken: number | null;
  /** Events wanted, at most EVENTS_MAX. */
  readonly max: number;
  /** Whose copy is read; absent: the launcher chooses. */
  readonly node?: NodeName;
}

/** `durable`: committed and on that node's disk. `appended`: in its log, not known there as committed. */
export type ReplicaMark = 'durable' | 'appended' | 'absent' | 'unknown';

export interface EventRow {
  readonly token: number;
  readonly id: string;
  readonly timestamp: number;
  readonly type: string;
  readonly revision: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly sequence: number | null;
  readonly tags: readonly string[];
  readonly metaData: Readonly<Record<string, unknown>>;
  readonly size: number;
  readonly replicas: Readonly<Record<NodeName, ReplicaMark>>;
}

export interface EventPage {
  readonly context: ContextName;
  /** Node whose copy was read. */
  readonly node: NodeName;
  readonly events: readonly EventRow[];
  readonly firstToken: number;
  readonly lastToken: number;
  /** Events looked at for this answer. */
  readonly scanned: number;
  /** Token to go on with; null when everything was looked at. */
  readonly next: number | null;
  /** Events that are in a log but not committed, per node. */
  readonly uncommitted: Readonly<Record<NodeName, number>>;
}

export interface EventDetail extends EventRow {
  /** Base64; cut after the first half megabyte, `size` tells. */
  readonly payload: string;
}

export interface EventGroup {
  readonly type: string;
  readonly events: number;
  readonly aggregates: readonly { readonly id: string; readonly events: number }[];
  /** Aggregates beyond those listed. */
  readonly more: number;
}

export interface EventTree {
  readonly groups: readonly EventGroup[];
  readonly scanned: number;
  readonly complete: boolean;
}

export interface NewEventInput {
  readonly type: string;
  readonly revision: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly sequence: number | null;
  readonly payload: string;
  readonly metaData: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

/** One node's copy of a context, checked against its checksums. */
export interface ScrubResult {
  readonly context: ContextName;
  readonly segments: number;
  readonly bytes: number;
  /** File, place and what is wrong; null when all closed segments are as they were written. */
  readonly damage: string | null;
  readonly sentence: string;
}

/** One context compared on all its members (row B8). */
export interface ReplicaCheck {
  readonly context: ContextName;
  /** Log entries compared: 1 to this one. */
  readonly toIndex: number;
  readonly equal: boolean;
  readonly sentence: string;
  readonly members: readonly {
    readonly node: NodeName;
    readonly lastToken: number | null;
    readonly events: number | null;
    readonly checksum: string | null;
    /** Why it could not be compared, or what differs. */
    readonly problem: string | null;
  }[];
  /** First log entry in which members differ or that one cannot read. */
  readonly firstDifference: number | null;
}
