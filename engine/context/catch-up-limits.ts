// Every limit of catching up by segments, with the behaviour at it (raft-design §8).

/** The leader looks at its members this often: offers, renews, measures. */
export const LOOK_MS = 250;
export const LOOK_AT_OFFERS_MS = 20;
/** While a member is away. */
export const LOOK_FOR_RETURN_MS = 50;
/** A member that lacks this many closed segments, or this many bytes, is offered them; one that lacks less gets its appends from the log. */
export const OFFER_SEGMENTS_MIN = 2;
export const OFFER_BYTES_MIN = 8 * 1024 * 1024;
/** An offer whose member comes no further for this long is over. */
export const OFFER_STALLED_MS = 1_000;
/** After an offer that was declined or ended early, the member gets appends from the log for this long, whatever it lacks. */
export const OFFER_REST_MS = 5_000;
export const OFFER_TIMEOUT_MS = 2_000;
/** Appends to a member that takes segments rest this long (ticks); renewed at every look while it gets further. */
export const SUSPEND_TICKS = 100;
/** Bytes of one answer, which the receiver checks, indexes and flushes in one go: small while appends share its cores and disk, else large. */
export const BUSY_CHUNK_BYTES = 64 * 1024;
export const IDLE_CHUNK_BYTES = 1024 * 1024;
/** A source that took an entry within this time shares its cores and disk with appends. */
export const BUSY_MS = 1_000;
export const FETCH_TIMEOUT_MS = 5_000;
/** Chunks whose flush is awaited before the next one is taken in. */
export const FLUSHES_MAX = 4;
/** Groups that fetch at once on one node; more offers are declined. */
export const FETCHES_MAX = 2;
/** Bytes per second that one node gives away while it confirms appends: voters keep their latency. Without appends there is no limit. */
export const BUSY_BYTES_PER_SECOND = 8 * 1024 * 1024;
/** Less than this to go counts as live. */
export const LIVE_BYTES = 256 * 1024;
