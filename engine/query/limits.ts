// Every limit of ad-hoc queries, with the behaviour at it (client-behaviour QE-6, QE-9).

/** A longer text is refused with AXONIQ-2511. */
export const QUERY_CHARACTERS_MAX = 10_000;
/** Deeper nesting is refused with AXONIQ-2511. */
export const NESTING_MAX = 50;
/** Properties. */
export interface QueryLimits {
  /** Rows of a query that neither aggregates nor limits, and events of the empty query (QE-6). */
  readonly queryLimit: number;
  /** Reading the history takes no longer, or the query ends with AXONIQ-0001 (QE-9). */
  readonly queryTimeoutMs: number;
}

/** `limit` may ask for as many; more is refused with AXONIQ-2511. */
export const LIMIT_MAX = 100_000;
/** Groups of one `groupby`; one more ends the query with AXONIQ-1900. */
export const GROUPS_MAX = 10_000;
/** Rows that the client has not taken: history waits from the first, the second ends a live query with AXONIQ-2002 (QE-9). */
export const WAITING_ROWS_PAUSE = 1000;
export const WAITING_ROWS_MAX = 10_000;
/** Events looked at before other work of the process gets its turn. */
export const EVENTS_PER_TURN = 200;
/** Longest wait for new events before the store is asked again. */
export const TAIL_WAIT_MS = 1000;
/** Longer regular expressions, and counts in `{n,m}` above, are refused with AXONIQ-2511. */
export const REGEX_CHARACTERS_MAX = 500;
export const REGEX_REPEAT_MAX = 100;
export const REGEX_STATES_MAX = 5000;
/** Only so many characters of a text are compared with a regular expression. */
export const REGEX_INPUT_MAX = 100_000;
