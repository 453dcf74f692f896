// Every supported `axonserver.properties` key with default and check (properties.md §1-§8). Data only.
import { RECOVERY_FILE } from './recovery-file.ts';
import type { Definition, HostAndPort, ParsedValue } from './values.ts';
import {
  parseBoolean,
  parseContextNames,
  parseDuration,
  parseHost,
  parseHostAndPort,
  parseInteger,
  parseNodeName,
  parseOneOf,
  parsePort,
  parseSize,
  parseText,
} from './values.ts';

export const PREFIX = 'axoniq.axonserver.';
export const DEFAULT_HTTP_PORT = 8024;
export const DEFAULT_GRPC_PORT = 8124;
export const DEFAULT_INTERNAL_PORT = 8224;

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

function define<T>(key: string, fallback: T, parse: (text: string) => ParsedValue<T>): Definition<T> {
  return { key, fallback, parse };
}
const prefixed = (name: string): string => PREFIX + name;
const text = (name: string, fallback: string): Definition<string> => define(prefixed(name), fallback, parseText);
/** Null when absent, so that an explicitly empty value can be told apart (ID-5, ID-6). */
const optional = (name: string): Definition<string | null> => define<string | null>(prefixed(name), null, parseText);
const optionalHost = (name: string): Definition<string | null> =>
  define<string | null>(prefixed(name), null, parseHost);
const flag = (name: string, fallback: boolean): Definition<boolean> => define(prefixed(name), fallback, parseBoolean);
const port = (name: string, fallback: number): Definition<number> => define(prefixed(name), fallback, parsePort);
const duration = (name: string, fallback: number, min = 0): Definition<number> =>
  define(prefixed(name), fallback, (value) => parseDuration(value, min));
const optionalDuration = (name: string, min: number): Definition<number | null> =>
  define<number | null>(prefixed(name), null, (value) => parseDuration(value, min));
const whole = (name: string, fallback: number, min: number, max = 1_000_000_000): Definition<number> =>
  define(prefixed(name), fallback, (value) => parseInteger(value, min, max));
const size = (name: string, fallback: number, min: number, max: number): Definition<number> =>
  define(prefixed(name), fallback, (value) => parseSize(value, min, max));

export const identityKeys = {
  name: define<string | null>(prefixed('name'), null, parseNodeName),
  hostname: optionalHost('hostname'),
  domain: optionalHost('domain'),
  internalHostname: optionalHost('internal-hostname'),
  internalDomain: optionalHost('internal-domain'),
  httpPort: define('server.port', DEFAULT_HTTP_PORT, parsePort),
  grpcPort: port('port', DEFAULT_GRPC_PORT),
  internalPort: port('internal-port', DEFAULT_INTERNAL_PORT),
  /** Loopback unless set: a development server should not be reachable from the network by accident. */
  bindHost: define('server.address', '127.0.0.1', parseHost),
  managementPort: define<number | null>('management.server.port', null, parsePort),
  pidFileLocation: text('pid-file-location', '.'),
  webSocketAllowedOriginsEnabled: flag('set-web-socket-allowed-origins', false),
  webSocketAllowedOrigins: text('web-socket-allowed-origins', '*'),
  allowEmptyDomain: flag('experimental.allow-empty-domain', true),
};

export const formationKeys = {
  first: define<HostAndPort | null>(prefixed('autocluster.first'), null, (value) =>
    parseHostAndPort(value, DEFAULT_INTERNAL_PORT),
  ),
  contexts: define<readonly string[]>(prefixed('autocluster.contexts'), [], parseContextNames),
  dcb: flag('autocluster.dcb', false),
  standalone: flag('standalone', false),
  standaloneDcb: flag('standalone-dcb', false),
  /** Null unless written: the default `./cluster-template.yml` counts only when that file exists. */
  clusterTemplatePath: optional('clustertemplate.path'),
  /** BK-9: looked at on every start of a node that belongs to a cluster. */
  recoveryFile: text('recoveryfile', RECOVERY_FILE),
  consoleAuthentication: optional('console.authentication'),
  platformAuthentication: optional('platform.authentication'),
  contextConfigurationSyncRateMs: duration('enterprise.context-configuration-sync-rate', 3_600_000, 1),
  contextValidationRateMs: duration('context-validation.rate', 5000, 1),
  contextValidationInitialDelayMs: duration('context-validation.initial-delay', 5000),
  /** RO-7, decision 5: clients never connect to backups unless this is set to false. */
  forceConnectionToPrimary: flag('force-connection-to-primary-or-messaging-node', true),
};

export const storageKeys = {
  eventStorage: optional('event.storage'),
  snapshotStorage: optional('snapshot.storage'),
  controlDbPath: text('controldb-path', './data'),
  controlDbBackupLocation: text('controldb-backup-location', '.'),
  logStorageFolder: optional('replication.log-storage-folder'),
  /** The log is the event store: this is the segment size of both. 64 MiB where the documented server has 256 MB. */
  eventSegmentBytes: size('event.segment-size', 64 * MIB, 64 * 1024, 2 * GIB),
  snapshotSegmentBytes: size('snapshot.segment-size', 64 * MIB, 64 * 1024, 2 * GIB),
  /** Newest closed segments that are compared with their checksums when a node starts; older ones wait for the scrubber. */
  eventValidationSegments: whole('event.validation-segments', 10, 0),
  snapshotValidationSegments: whole('snapshot.validation-segments', 10, 0),
  eventForceIntervalMs: duration('event.force-interval', 1000, 1),
  eventSyncIntervalMs: duration('event.sync-interval', 1000, 1),
  snapshotForceIntervalMs: duration('snapshot.force-interval', 1000, 1),
  snapshotSyncIntervalMs: duration('snapshot.sync-interval', 1000, 1),
  eventRetentionMs: duration('event.retention-time', 7 * 86_400_000),
  snapshotRetentionMs: duration('snapshot.retention-time', 7 * 86_400_000),
  checkSequenceOfSnapshots: flag('check-sequence-nr-for-snapshots', true),
  readSequenceValidation: define<'LOG' | 'FAIL'>(prefixed('read-sequence-validation-strategy'), 'LOG', (value) =>
    parseOneOf(value, ['LOG', 'FAIL']),
  ),
  /** Own key. `fsync`: a confirmed event is on the disk of a quorum; `interval`: synced in the background (decision 6). */
  durability: define<'fsync' | 'interval'>(prefixed('muster.durability'), 'fsync', (value) =>
    parseOneOf(value, ['fsync', 'interval']),
  ),
};

/** Own keys: how closed segments are read again in the background (raft-design §9 "Bit rot"). */
export const scrubKeys = {
  enabled: flag('muster.scrub.enabled', true),
  intervalMs: duration('muster.scrub.interval', 86_400_000, 1000),
  /** Per second, of one context at a time. */
  bytesPerSecond: size('muster.scrub.rate', 8 * MIB, 256 * 1024, 2 * GIB),
};

export const replicationKeys = {
  /** Own key. `dev` is what the launcher writes; `axon` = the documented defaults (decision 13). */
  timingProfile: define<'dev' | 'axon'>(prefixed('muster.timing-profile'), 'axon', (value) =>
    parseOneOf(value, ['dev', 'axon']),
  ),
  minElectionTimeoutMs: optionalDuration('replication.min-election-timeout', 10),
  maxElectionTimeoutMs: optionalDuration('replication.max-election-timeout', 10),
  heartbeatTimeoutMs: optionalDuration('replication.heartbeat-timeout', 5),
  initialElectionTimeoutMs: duration('replication.initial-election-timeout', 0),
  /** -1 = the maximum election time-out (DP-7). */
  waitForLeaderTimeoutMs: define(prefixed('replication.wait-for-leader-timeout'), -1, (value) =>
    value === '-1' ? { ok: true as const, value: -1 } : parseDuration(value, 0),
  ),
  minActiveBackups: whole('replication.min-active-backups', 1, 0, 100),
  forceSnapshotOnJoin: flag('replication.force-snapshot-on-join', true),
  maxReplicationRound: whole('replication.max-replication-round', 10, 1),
  maxEntriesPerBatch: whole('replication.max-entries-per-batch', 10, 1),
  flowBuffer: whole('replication.flow-buffer', 1000, 1),
  maxSnapshotChunksPerBatch: whole('replication.max-snapshot-chunks-per-batch', 1000, 1),
  snapshotFlowBuffer: whole('replication.snapshot-flow-buffer', 50, 1),
  segmentBytes: size('replication.segment-size', 16 * MIB, 64 * 1024, 2 * GIB),
  logCompactionEnabled: flag('replication.log-compaction-enabled', true),
  logRetentionHours: whole('replication.log-retention-hours', 1, 0),
  syncIntervalMs: duration('replication.sync-interval', 1000, 1),
  forceIntervalMs: duration('replication.force-interval', 1000, 1),
  maxIndexesInMemory: whole('replication.max-indexes-in-memory', 10, 0),
};

export const securityKeys = {
  accessControlEnabled: flag('accesscontrol.enabled', false),
  internalToken: optional('accesscontrol.internal-token'),
  systemTokenFile: optional('accesscontrol.systemtokenfile'),
  tokenDir: text('accesscontrol.token-dir', './security'),
  token: optional('accesscontrol.token'),
  adminToken: optional('accesscontrol.admin-token'),
  sameOrigin: flag('accesscontrol.same-origin', false),
  sslEnabled: flag('ssl.enabled', false),
  sslCertChainFile: optional('ssl.cert-chain-file'),
  sslPrivateKeyFile: optional('ssl.private-key-file'),
  sslInternalCertChainFile: optional('ssl.internal-cert-chain-file'),
  sslInternalPrivateKeyFile: optional('ssl.internal-private-key-file'),
  sslInternalTrustManagerFile: optional('ssl.internal-trust-manager-file'),
  httpsEnabled: define('server.ssl.enabled', false, parseBoolean),
  httpsCertificate: define<string | null>('server.ssl.certificate', null, parseText),
  httpsPrivateKey: define<string | null>('server.ssl.certificate-private-key', null, parseText),
  httpsKeyStore: define<string | null>('server.ssl.key-store', null, parseText),
  httpsKeyStorePassword: define<string | null>('server.ssl.key-store-password', null, parseText),
  httpsKeyStoreType: define<'PKCS12'>('server.ssl.key-store-type', 'PKCS12', (value) =>
    parseOneOf(value.toUpperCase(), ['PKCS12']),
  ),
  requireSsl: define('security.require-ssl', false, parseBoolean),
};

export const messagingKeys = {
  maxMessageBytes: size('max-message-size', 4 * MIB, 1024, 512 * MIB),
  keepAliveTimeMs: duration('keep-alive-time', 2500),
  keepAliveTimeoutMs: duration('keep-alive-timeout', 5000),
  minKeepAliveTimeMs: duration('min-keep-alive-time', 1000),
  heartbeatEnabled: flag('heartbeat.enabled', false),
  clientHeartbeatTimeoutMs: duration('client-heartbeat-timeout', 5000, 1),
  clientHeartbeatFrequencyMs: duration('client-heartbeat-frequency', 500, 1),
  clientHeartbeatInitialDelayMs: duration('client-heartbeat-initial-delay', 5000),
  clientHeartbeatCheckRateMs: duration('client-heartbeat-check-rate', 1000, 1),
  clientHeartbeatCheckInitialDelayMs: duration('client-heartbeat-check-initial-delay', 10_000),
  initialPermits: whole('initial-nr-of-permits', 1000, 1),
  newPermits: whole('nr-of-new-permits', 500, 1),
  newPermitsThreshold: whole('new-permits-threshold', 500, 1),
  defaultCommandTimeoutMs: duration('default-command-timeout', 300_000, 1),
  defaultQueryTimeoutMs: duration('default-query-timeout', 300_000, 1),
  queryTimeoutMs: duration('query.timeout', 300_000, 1),
  commandQueueCapacityPerClient: whole('command-queue-capacity-per-client', 10_000, 1),
  queryQueueCapacityPerClient: whole('query-queue-capacity-per-client', 10_000, 1),
  contextBufferLimit: whole('messages.context-buffer-limit', -1, -1),
  queryHandlerSelector: define<'metrics' | 'round-robin'>(prefixed('query-handler-selector'), 'metrics', (value) =>
    parseOneOf(value, ['metrics', 'round-robin']),
  ),
  queryLimit: whole('query.limit', 200, 1),
  newPermitsTimeoutMs: duration('new-permits-timeout', 120_000, 1),
  processorInfoTimeoutMs: duration('processor-info-timeout', 30_000, 1),
  instructionResultTimeoutMs: duration('instruction.result.timeout', 10_000, 1),
  /** A number of events, not a time (ES-55). */
  blacklistedSendAfter: whole('blacklisted-send-after', 1000, 1),
};

export const housekeepingKeys = {
  connectionCheckDelayMs: duration('cluster.connection-check-delay', 1000),
  connectionCheckIntervalMs: duration('cluster.connection-check-interval', 1000, 1),
  connectionWaitTimeMs: duration('cluster.connection-wait-time', 3000, 1),
  metricsDistributeDelayMs: duration('cluster.metrics-distribute-delay', 1000),
  metricsDistributeIntervalMs: duration('cluster.metrics-distribute-interval', 1000, 1),
  autoBalancing: flag('cluster.auto-balancing', true),
  rebalanceDelayMs: duration('cluster.rebalance-delay', 7000),
  rebalanceIntervalMs: duration('cluster.rebalance-interval', 15_000, 1),
  balancingRateMs: duration('cluster.balancing-rate', 15_000, 1),
};

export const operationsKeys = {
  devModeEnabled: flag('devmode.enabled', false),
  pluginsEnabled: flag('plugins-enabled', true),
  legacyMetricsEnabled: flag('legacy-metrics-enabled', true),
  metricsIntervalMs: define(prefixed('metrics-interval'), 15 * 60_000, (value) =>
    // The documented default is written as bare minutes.
    /^\d+$/.test(value) ? parseDuration(`${value}m`, 1) : parseDuration(value, 1),
  ),
  webSocketUpdateRateMs: duration('websocket-update.rate', 1000, 1),
  webSocketUpdateInitialDelayMs: duration('websocket-update.initial-delay', 10_000),
  healthShowDetails: define<'always' | 'never' | 'when-authorized'>(
    'management.endpoint.health.show-details',
    'always',
    (value) => parseOneOf(value, ['always', 'never', 'when-authorized']),
  ),
  diskSpaceThresholdBytes: define('management.health.diskspace.threshold', 256 * MIB, (value) =>
    parseSize(value, 0, Number.MAX_SAFE_INTEGER),
  ),
  logFile: define<string | null>('logging.file.name', null, parseText),
  multipartMaxFileBytes: define('spring.servlet.multipart.max-file-size', 25 * MIB, (value) =>
    parseSize(value, 0, 2 * GIB),
  ),
  multipartMaxRequestBytes: define('spring.servlet.multipart.max-request-size', 25 * MIB, (value) =>
    parseSize(value, 0, 2 * GIB),
  ),
};

/** Accepted and without effect here; told once in the log. A name ending in `.` stands for the whole family. */
export const IGNORED_KEYS: readonly string[] = [
  ...[
    'enterprise.license-directory',
    'enterprise.default-index-type',
    'event.storages.',
    'snapshot.storages.',
    'plugin-package-directory',
    'plugin-cache-directory',
    'transformation.storage',
    'event.memory-mapped-segments',
    'snapshot.memory-mapped-segments',
    ...['events', 'index', 'nindex', 'xref', 'bloom'].map((suffix) => `event.${suffix}-suffix`),
    ...['events', 'index', 'nindex', 'xref', 'bloom'].map((suffix) => `snapshot.${suffix}-suffix`),
    ...['event', 'snapshot', 'replication'].flatMap((kind) =>
      [
        'max-indexes-in-memory',
        'max-bloom-filters-in-memory',
        'bloom-index-fpp',
        'use-mmap-index',
        'force-clean-mmap-index',
        'read-buffer-size',
        'primary-cleanup-delay',
        'secondary-cleanup-delay',
        'events-per-segment-prefetch',
        'segments-for-sequence-number-check',
        'log-suffix',
        'index-suffix',
      ].map((name) => `${kind}.${name}`),
    ),
    'accesscontrol.cache-ttl',
    'max-events-per-transaction',
    'command-flow-control.',
    'query-flow-control.',
    'command-cache-capacity',
    'query-cache-capacity',
    'cluster.command-threads',
    'cluster.query-threads',
    'executor-thread-count',
    'cluster-executor-thread-count',
    'data-fetcher-threads',
    'data-writer-threads',
    'command-threads',
    'query-threads',
    'command-thread',
    'query-thread',
    'grpc-buffered-messages',
    'event-transformation.enabled',
    'preview.persistent-streams',
    'metrics.grpc.',
    'console.',
    'platform.',
  ].map(prefixed),
  'server.ssl.',
  'logging.level.',
  'logging.file',
  'logging.path',
  'logging.pattern.',
  'management.',
  'spring.',
];

export const allDefinitions: readonly Definition<unknown>[] = [
  identityKeys,
  formationKeys,
  storageKeys,
  scrubKeys,
  replicationKeys,
  securityKeys,
  messagingKeys,
  housekeepingKeys,
  operationsKeys,
].flatMap((group) => Object.values(group) as Definition<unknown>[]);
