// Persistent streams as rpc sees them, the same on every node (client-behaviour §13). Implemented in `persistent-streams.ts`.
import type { StreamPolicy } from './stream-state.ts';

/** PS-7, in place of a token. */
export const HEAD_POSITION = -99;

export interface StreamProperties {
  readonly name: string;
  readonly segments: number;
  /** First token to deliver; HEAD_POSITION: those that come from now on. */
  readonly initialPosition: number;
  readonly policy: StreamPolicy;
  readonly filter: string;
}

export interface SegmentStatus {
  /** Token of the last handled event as it is in the log, -1 for none. */
  readonly position: number;
  /** Empty: nobody has it. */
  readonly clientId: string;
  readonly error: string;
}

export interface StreamStatus {
  readonly id: string;
  readonly name: string;
  readonly policy: StreamPolicy;
  readonly filter: string;
  readonly segments: readonly SegmentStatus[];
}

export type ResetTarget =
  | { readonly to: 'head' }
  | { readonly to: 'tail' }
  | { readonly to: 'datetime'; readonly timestampMs: number }
  /** First token to deliver. */
  | { readonly to: 'position'; readonly first: number };

export interface StreamEvent {
  readonly token: number;
  /** Raw `event.Event`; valid during the call that hands it over. */
  readonly bytes: Uint8Array;
  readonly replay: boolean;
}

/** What a connected client is told. */
export interface StreamSink {
  opened(segment: number): void;
  closed(segment: number): void;
  events(segment: number, events: readonly StreamEvent[]): void;
  /** Resolves when more events may be handed over, or the client is gone. */
  ready(): Promise<unknown>;
  /** The last call: null after the stream was deleted. */
  end(error: Error | null): void;
}

/** What a connected client says. Nothing here throws; what is wrong ends the session through its sink. */
export interface StreamSession {
  requests(segment: number, count: number): void;
  acknowledge(segment: number, position: number): void;
  failed(segment: number, error: string): void;
  /** The client is gone. */
  close(): void;
}

/** Rejections are AxonError: as for appends, and AXONIQ-2800 unknown stream, 2311 invalid property, 2511 invalid filter, 1900 too many. */
export interface StreamAccess {
  /** False: there is one already. */
  create(id: string, properties: StreamProperties): Promise<boolean>;
  delete(id: string): Promise<void>;
  /** Segments 0 and an empty name stay as they are. */
  update(id: string, segments: number, name: string): Promise<void>;
  reset(id: string, target: ResetTarget): Promise<void>;
  list(): Promise<readonly StreamStatus[]>;
  /** `properties` null: only if it exists. */
  open(id: string, clientId: string, properties: StreamProperties | null, sink: StreamSink): Promise<StreamSession>;
}

export interface StreamDirectory {
  streams(context: string): StreamAccess;
}
