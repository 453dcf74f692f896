// What the loads beside appends record: DCB appends, snapshots, scheduled events, commands and queries. Types only.
// Times as in ../history.ts; those of schedules are epoch ms of the one clock that all processes here share.
import type { Outcome } from '../history.ts';

interface Call {
  readonly node: string;
  readonly call: number;
  readonly return: number;
  readonly outcome: Outcome;
  readonly error: string | null;
}

/** One transaction: each event has all of `tags`. Allowed while no event at or after `marker` has one of `guarded`. */
export interface DcbAppend extends Call {
  readonly type: 'dcb-append';
  readonly ids: readonly string[];
  readonly tags: readonly string[];
  readonly marker: number;
  readonly guarded: readonly string[];
  /** Confirmed: the position of the first event. */
  readonly at: number | null;
}

/** All events with a tag, and the head up to which they were looked for. */
export interface DcbSource extends Call {
  readonly type: 'dcb-source';
  readonly tag: string;
  readonly ids: readonly string[];
  readonly marker: number;
}

/** All events of the DCB context over one node after healing, by position from 0. */
export interface DcbFinal {
  readonly type: 'dcb-final';
  readonly node: string;
  readonly ids: readonly string[];
}

export interface SnapshotAdd extends Call {
  readonly type: 'snapshot-add';
  readonly key: string;
  readonly sequence: number;
  readonly id: string;
}

/** The newest snapshot of an aggregate; sequence -1: none. `final`: after healing. */
export interface SnapshotRead extends Call {
  readonly type: 'snapshot-read';
  readonly key: string;
  readonly sequence: number;
  readonly id: string;
  readonly final: boolean;
}

/** `replaces`: a reschedule, which cancels that event in the same step. */
export interface Schedule extends Call {
  readonly type: 'schedule';
  readonly id: string;
  readonly instant: number;
  readonly replaces: string | null;
  readonly answeredAt: number;
}

export interface ScheduleCancel extends Call {
  readonly type: 'schedule-cancel';
  readonly id: string;
  readonly answeredAt: number;
}

/** All events of the context of schedules over one node after healing, and after the last instant. */
export interface ScheduleFinal {
  readonly type: 'schedule-final';
  readonly node: string;
  readonly events: readonly { readonly id: string; readonly timestamp: number }[];
}

/** `silent`: no answer until long after everything should have ended. `lost`: the connection to the own node ended. */
export interface Message {
  readonly type: 'command' | 'query';
  readonly node: string;
  readonly id: string;
  readonly outcome: 'ok' | 'error' | 'lost' | 'silent';
  /** Payloads of the results; the code of the error. */
  readonly answers: readonly string[];
  readonly error: string | null;
}

export interface Handled {
  readonly type: 'handled';
  readonly message: 'command' | 'query';
  readonly handler: string;
  readonly id: string;
}

export type LoadRecord =
  | DcbAppend
  | DcbSource
  | DcbFinal
  | SnapshotAdd
  | SnapshotRead
  | Schedule
  | ScheduleCancel
  | ScheduleFinal
  | Message
  | Handled;

/** What a handler answers. */
export const answerTo = (id: string): string => `done ${id}`;
