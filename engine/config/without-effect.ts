// Properties that are documented for Axon Server, are checked here, and change nothing: each with the reason that is told when it is set.
// A test compares this table with what the engine reads. May not: hold logic beyond the look-up.
import { PREFIX } from './definitions.ts';

interface Reason {
  /** As the end of "has no effect here: …". */
  readonly why: string;
  readonly names: readonly string[];
}

const REASONS: readonly Reason[] = [
  {
    why: 'what is synced to disk is decided by muster.durability',
    names: [
      ...['force-interval', 'sync-interval'].flatMap((name) => [`event.${name}`, `snapshot.${name}`]),
      'replication.force-interval',
      'replication.sync-interval',
    ],
  },
  {
    why: 'the log is the event store: it is never compacted, and its segments have the size of event.segment-size',
    names: [
      'event.retention-time',
      'snapshot.retention-time',
      'snapshot.segment-size',
      'replication.segment-size',
      'replication.log-compaction-enabled',
      'replication.log-retention-hours',
      'replication.max-indexes-in-memory',
    ],
  },
  {
    why: 'every segment is checked when it is opened, and again in the background (muster.scrub)',
    names: ['event.validation-segments', 'snapshot.validation-segments', 'read-sequence-validation-strategy'],
  },
  {
    why: 'replication finds its batches and windows by itself, and copies closed segments to members that are far behind',
    names: [
      'replication.force-snapshot-on-join',
      'replication.initial-election-timeout',
      'replication.max-replication-round',
      'replication.max-entries-per-batch',
      'replication.flow-buffer',
      'replication.max-snapshot-chunks-per-batch',
      'replication.snapshot-flow-buffer',
    ],
  },
  { why: 'apps may ask for signs of life as often as they like', names: ['min-keep-alive-time'] },
  {
    why: 'heartbeats of clients are checked as client-heartbeat-timeout and client-heartbeat-frequency say',
    names: ['client-heartbeat-initial-delay', 'client-heartbeat-check-rate', 'client-heartbeat-check-initial-delay'],
  },
  {
    why: 'permits and queues between nodes and clients have fixed limits',
    names: [
      'initial-nr-of-permits',
      'nr-of-new-permits',
      'new-permits-threshold',
      'messages.context-buffer-limit',
      'query-handler-selector',
    ],
  },
  {
    why: 'connections between nodes are watched all the time',
    names: [
      'cluster.connection-check-delay',
      'cluster.connection-check-interval',
      'cluster.connection-wait-time',
      'cluster.metrics-distribute-delay',
      'cluster.metrics-distribute-interval',
      'cluster.balancing-rate',
      'enterprise.context-configuration-sync-rate',
      'context-validation.rate',
      'context-validation.initial-delay',
    ],
  },
  {
    why: 'the dashboard of Axon Server is not part of this engine, and its push channel tells changes at once, to pages of its own origin',
    names: [
      'set-web-socket-allowed-origins',
      'web-socket-allowed-origins',
      'websocket-update.rate',
      'websocket-update.initial-delay',
      'accesscontrol.same-origin',
    ],
  },
  {
    why: 'metrics have one set of names, and rates over 1, 5 and 15 minutes',
    names: ['legacy-metrics-enabled', 'metrics-interval'],
  },
  { why: 'an empty domain is always allowed', names: ['experimental.allow-empty-domain'] },
];

const OTHER: readonly (readonly [key: string, why: string])[] = [
  ['management.health.diskspace.threshold', 'a full disk is told when a write needs the space'],
  ['spring.servlet.multipart.max-file-size', 'nothing can be uploaded'],
  ['spring.servlet.multipart.max-request-size', 'nothing can be uploaded'],
];

/** Full key to the reason. */
export const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ...REASONS.flatMap(({ why, names }) => names.map((name) => [PREFIX + name, why] as const)),
  ...OTHER,
]);

/** Written for every node by the launcher, which keeps process ids, logs and backups itself, and has no plugins: nothing to tell. */
export const LAUNCHER_KEEPS: readonly string[] = [
  `${PREFIX}pid-file-location`,
  `${PREFIX}controldb-backup-location`,
  `${PREFIX}plugins-enabled`,
  'logging.file.name',
];
