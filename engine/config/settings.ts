// From property text and environment to typed settings with every problem told at once. Pure (no IO).
// May not: import anything outside this folder. Entry points: `parseSettings` here, `decideAutocluster` in `autocluster.ts`.
import {
  allDefinitions,
  formationKeys,
  housekeepingKeys,
  identityKeys,
  IGNORED_KEYS,
  messagingKeys,
  operationsKeys,
  PREFIX,
  replicationKeys,
  scrubKeys,
  securityKeys,
  storageKeys,
} from './definitions.ts';
import { resolveHostNames } from './host-names.ts';
import { parseProperties, uniformKey } from './properties.ts';
import type { Definition, ValuesOf } from './values.ts';
import { WITHOUT_EFFECT } from './without-effect.ts';

/** Facts of the machine that stand in for absent properties. */
export interface SettingsDefaults {
  /** As the system tells it (`os.hostname()`). */
  readonly machineHostName: string;
}

/** Raft timing with the profile resolved; explicit `replication.*` keys win over the profile (decision 13). */
export interface ReplicationSettings
  extends Omit<
    ValuesOf<typeof replicationKeys>,
    'minElectionTimeoutMs' | 'maxElectionTimeoutMs' | 'heartbeatTimeoutMs' | 'waitForLeaderTimeoutMs'
  > {
  readonly heartbeatTimeoutMs: number;
  readonly minElectionTimeoutMs: number;
  readonly maxElectionTimeoutMs: number;
  /** The documented -1 is already replaced by the maximum election time-out (DP-7). */
  readonly waitForLeaderTimeoutMs: number;
  /** Campaign at once when the leader's socket closes and refuses a reconnect (raft-design §10); `dev` profile only. */
  readonly fastPath: boolean;
}

export interface Settings {
  /** Unique node name (ID-1). */
  readonly name: string;
  /** Advertised to clients, domain included. */
  readonly hostName: string;
  /** Advertised to peers, domain included. */
  readonly internalHostName: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly internalPort: number;
  /** Bind address of all three servers (`server.address`). */
  readonly bindHost: string;
  /** Null: actuator on the HTTP port. */
  readonly managementPort: number | null;
  readonly pidFileLocation: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The one data directory (`controldb-path`): identity, view and the logs that are the event stores. */
  readonly dataDir: string;
  readonly formation: ValuesOf<typeof formationKeys>;
  readonly storage: ValuesOf<typeof storageKeys>;
  readonly scrub: ValuesOf<typeof scrubKeys>;
  readonly replication: ReplicationSettings;
  readonly accesscontrol: ValuesOf<typeof securityKeys>;
  readonly messaging: ValuesOf<typeof messagingKeys>;
  readonly housekeeping: ValuesOf<typeof housekeepingKeys>;
  readonly operations: ValuesOf<typeof operationsKeys>;
}

/** The process must not start with one of these. `key` is empty when the text as a whole is at fault. */
export interface SettingsProblem {
  readonly code: 'SETTING_INVALID' | 'SETTING_CONFLICT' | 'PROPERTIES_UNREADABLE';
  readonly key: string;
  readonly value: string;
  /** What would have been right, as a phrase. */
  readonly expected: string;
  /** Complete sentence for the user. */
  readonly message: string;
}

/** Worth one log line each. */
export interface SettingsNote {
  readonly code: 'SETTING_DUPLICATE' | 'SETTING_IGNORED' | 'SETTING_HOST_NAME' | 'SETTING_DATA_FOLDER';
  readonly key: string;
  readonly message: string;
}

export interface ParsedSettings {
  /** Complete even with problems (defaults stand in), so that a refusal can still log under the node's name. */
  readonly settings: Settings;
  readonly problems: readonly SettingsProblem[];
  /** Kept in the file, without meaning here; as spelled there. */
  readonly unknownKeys: readonly string[];
  readonly notes: readonly SettingsNote[];
  /** Every known key that is set, with the value that counts, as spelled where it is set. */
  readonly given: readonly Readonly<GivenValue>[];
}

const ENV_PREFIX = 'AXONIQ_AXONSERVER_';
const TAG_FAMILY = `${PREFIX}tags.`;
export const TAGS_MAX = 64;

const TIMING_PROFILES = {
  dev: { heartbeatTimeoutMs: 100, minElectionTimeoutMs: 500, maxElectionTimeoutMs: 1000, fastPath: true },
  axon: { heartbeatTimeoutMs: 300, minElectionTimeoutMs: 1000, maxElectionTimeoutMs: 2500, fastPath: false },
} as const;

interface GivenValue {
  readonly key: string;
  readonly value: string;
  readonly source: string;
}

/** Reads values, remembering every name used and every problem. */
class SettingsReader {
  readonly problems: SettingsProblem[] = [];
  readonly given: ReadonlyMap<string, GivenValue>;

  constructor(given: ReadonlyMap<string, GivenValue>) {
    this.given = given;
  }

  read<T>(definition: Definition<T>): T {
    const given = this.given.get(uniformKey(definition.key));
    if (given === undefined) {
      return definition.fallback;
    }
    const parsed = definition.parse(given.value.trim());
    if (!parsed.ok) {
      this.refuse('SETTING_INVALID', given, parsed.expected);
      return definition.fallback;
    }
    return parsed.value;
  }

  readGroup<G extends Record<string, Definition<unknown>>>(group: G): ValuesOf<G> {
    const values: Record<string, unknown> = {};
    for (const [name, definition] of Object.entries(group)) {
      values[name] = this.read(definition);
    }
    return values as ValuesOf<G>;
  }

  refuse(code: SettingsProblem['code'], given: GivenValue, expected: string): void {
    const message = `${given.key}=${given.value} (${given.source}): expected ${expected}.`;
    this.problems.push({ code, key: given.key, value: given.value, expected, message });
  }

  givenFor(definition: Definition<unknown>): GivenValue {
    const fallback = { key: definition.key, value: String(definition.fallback), source: 'default' };
    return this.given.get(uniformKey(definition.key)) ?? fallback;
  }
}

/**
 * Settings of one node. `env` may be the whole process environment: only `AXONIQ_AXONSERVER_*` (any case) is looked at and
 * wins over the text (properties.md; AC-17). Never throws.
 */
export function parseSettings(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  defaults: SettingsDefaults,
): ParsedSettings {
  const document = parseProperties(text);
  const { given, unknownKeys, notes } = collect(document, env);
  const reader = new SettingsReader(given);
  for (const problem of document.problems) {
    const message = `${problem.line > 0 ? `line ${problem.line}: ` : ''}${problem.message}.`;
    reader.problems.push({
      code: 'PROPERTIES_UNREADABLE',
      key: '',
      value: '',
      expected: 'a Java properties file',
      message,
    });
  }
  const identity = reader.readGroup(identityKeys);
  const names = resolveHostNames({ ...identity, machineHostName: defaults.machineHostName });
  notes.push(...names.warnings.map((message) => ({ code: 'SETTING_HOST_NAME' as const, key: 'hostname', message })));
  const storage = reader.readGroup(storageKeys);
  noteDataFolder(storage, notes);
  notes.push(...notesWithoutEffect(reader));
  const settings: Settings = {
    name: identity.name ?? names.shortName,
    hostName: names.hostName,
    internalHostName: names.internalHostName,
    httpPort: identity.httpPort,
    grpcPort: identity.grpcPort,
    internalPort: identity.internalPort,
    bindHost: identity.bindHost === '' ? '127.0.0.1' : identity.bindHost,
    managementPort: identity.managementPort,
    pidFileLocation: identity.pidFileLocation,
    tags: readTags(reader),
    dataDir: storage.controlDbPath,
    formation: reader.readGroup(formationKeys),
    storage,
    scrub: reader.readGroup(scrubKeys),
    replication: readReplication(reader),
    accesscontrol: reader.readGroup(securityKeys),
    messaging: reader.readGroup(messagingKeys),
    housekeeping: reader.readGroup(housekeepingKeys),
    operations: reader.readGroup(operationsKeys),
  };
  refuseHalfTls(reader, settings);
  refuseEqualPorts(reader, settings);
  return { settings, problems: reader.problems, unknownKeys, notes, given: [...given.values()] };
}

function collect(
  document: ReturnType<typeof parseProperties>,
  env: Readonly<Record<string, string | undefined>>,
): { given: Map<string, GivenValue>; unknownKeys: string[]; notes: SettingsNote[] } {
  const given = new Map<string, GivenValue>();
  const unknownKeys: string[] = [];
  const notes: SettingsNote[] = document.duplicates.map((duplicate) => ({
    code: 'SETTING_DUPLICATE',
    key: duplicate.key,
    message: `${duplicate.key} is given in line ${duplicate.firstLine} and again in line ${duplicate.line}; the last one counts`,
  }));
  const accept = (key: string, entry: GivenValue): void => {
    const uniform = uniformKey(key);
    if (knownKeys.has(uniform) || uniform.startsWith(uniformKey(TAG_FAMILY))) {
      given.set(uniform, entry);
    } else if (isIgnored(uniform)) {
      notes.push({ code: 'SETTING_IGNORED', key, message: `${key} is accepted and has no effect here` });
    } else {
      unknownKeys.push(key);
    }
  };
  for (const line of document.lines) {
    if (line.kind === 'entry') {
      accept(line.key, { key: line.key, value: line.value, source: `line ${line.line}` });
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name.toUpperCase().startsWith(ENV_PREFIX)) {
      const key = keyOfEnvironmentName(name);
      if (key === null) {
        unknownKeys.push(name);
      } else {
        accept(key, { key, value, source: `environment variable ${name}` });
      }
    }
  }
  return { given, unknownKeys, notes };
}

const knownKeys: ReadonlySet<string> = new Set(allDefinitions.map((definition) => uniformKey(definition.key)));
const ignoredKeys: readonly string[] = IGNORED_KEYS.map(uniformKey);

function isIgnored(uniform: string): boolean {
  return ignoredKeys.some((ignored) => (ignored.endsWith('.') ? uniform.startsWith(ignored) : uniform === ignored));
}

/** Every `.`, `-` and camel boundary became `_`, so the way back goes over the known names. Null when there is none. */
function keyOfEnvironmentName(name: string): string | null {
  const flat = (text: string): string => text.toLowerCase().replace(/[._-]/g, '');
  const wanted = flat(name);
  for (const key of [...allDefinitions.map((definition) => definition.key), ...IGNORED_KEYS]) {
    if (flat(key) === wanted || (key.endsWith('.') && wanted.startsWith(flat(key)))) {
      return key.endsWith('.') ? `${key}${wanted.slice(flat(key).length)}` : key;
    }
  }
  const tag = /^AXONIQ_AXONSERVER_TAGS_(.+)$/i.exec(name)?.[1];
  return tag === undefined ? null : `${TAG_FAMILY}${tag.toLowerCase()}`;
}

function readTags(reader: SettingsReader): Record<string, string> {
  const tags: Record<string, string> = {};
  let count = 0;
  for (const entry of reader.given.values()) {
    if (!uniformKey(entry.key).startsWith(uniformKey(TAG_FAMILY))) {
      continue;
    }
    count += 1;
    const name = entry.key.slice(TAG_FAMILY.length);
    if (name === '' || entry.value.length > 256 || count > TAGS_MAX) {
      reader.refuse('SETTING_INVALID', entry, `at most ${TAGS_MAX} tags, each with a name and at most 256 characters`);
      continue;
    }
    tags[name] = entry.value.trim();
  }
  return tags;
}

function readReplication(reader: SettingsReader): ReplicationSettings {
  const values = reader.readGroup(replicationKeys);
  const profile = TIMING_PROFILES[values.timingProfile];
  const heartbeatTimeoutMs = values.heartbeatTimeoutMs ?? profile.heartbeatTimeoutMs;
  const minElectionTimeoutMs = values.minElectionTimeoutMs ?? profile.minElectionTimeoutMs;
  const maxElectionTimeoutMs = values.maxElectionTimeoutMs ?? profile.maxElectionTimeoutMs;
  if (minElectionTimeoutMs >= maxElectionTimeoutMs) {
    const given = reader.givenFor(replicationKeys.minElectionTimeoutMs);
    reader.refuse('SETTING_CONFLICT', given, `less than the maximum election time-out of ${maxElectionTimeoutMs}ms`);
  }
  if (heartbeatTimeoutMs * 2 > minElectionTimeoutMs) {
    const given = reader.givenFor(replicationKeys.heartbeatTimeoutMs);
    reader.refuse(
      'SETTING_CONFLICT',
      given,
      `at most half of the minimum election time-out of ${minElectionTimeoutMs}ms`,
    );
  }
  const waitForLeaderTimeoutMs =
    values.waitForLeaderTimeoutMs < 0 ? maxElectionTimeoutMs : values.waitForLeaderTimeoutMs;
  return {
    ...values,
    heartbeatTimeoutMs,
    minElectionTimeoutMs,
    maxElectionTimeoutMs,
    waitForLeaderTimeoutMs,
    fastPath: profile.fastPath,
  };
}

/** Only for values that ask for something else than what happens anyway. */
function notesWithoutEffect(reader: SettingsReader): readonly SettingsNote[] {
  return allDefinitions.flatMap((definition): readonly SettingsNote[] => {
    const given = reader.given.get(uniformKey(definition.key));
    const why = WITHOUT_EFFECT.get(definition.key);
    if (given === undefined || why === undefined) return [];
    const parsed = definition.parse(given.value.trim());
    if (!parsed.ok || parsed.value === definition.fallback) return [];
    const message = `${given.key}=${given.value} has no effect here: ${why}`;
    return [{ code: 'SETTING_IGNORED', key: given.key, message }];
  });
}

/** The log is the event store, so there is one directory; other storage keys are told to have no effect. */
function noteDataFolder(storage: ValuesOf<typeof storageKeys>, notes: SettingsNote[]): void {
  const others = [
    ['event.storage', storage.eventStorage],
    ['snapshot.storage', storage.snapshotStorage],
    ['replication.log-storage-folder', storage.logStorageFolder],
  ] as const;
  for (const [name, value] of others) {
    if (value !== null && value.trim() !== storage.controlDbPath) {
      const message = `${name}=${value} has no effect: log and events are one store, kept under controldb-path=${storage.controlDbPath}`;
      notes.push({ code: 'SETTING_DATA_FOLDER', key: PREFIX + name, message });
    }
  }
}

/** Serving plain text where the file asks for protection would be a silent hole. */
function refuseHalfTls(reader: SettingsReader, { accesscontrol }: Settings): void {
  const refuse = (definition: Definition<unknown>, expected: string): void =>
    reader.refuse('SETTING_CONFLICT', reader.givenFor(definition), expected);
  const { sslEnabled, sslCertChainFile, sslPrivateKeyFile, httpsEnabled } = accesscontrol;
  if (sslEnabled && (!sslCertChainFile || !sslPrivateKeyFile))
    refuse(securityKeys.sslEnabled, 'ssl.cert-chain-file and ssl.private-key-file as well');
  const pair = accesscontrol.httpsCertificate !== null && accesscontrol.httpsPrivateKey !== null;
  if (httpsEnabled && !pair && accesscontrol.httpsKeyStore === null)
    refuse(securityKeys.httpsEnabled, 'server.ssl.key-store, or certificate and certificate-private-key, as well');
  if (accesscontrol.requireSsl && !httpsEnabled) refuse(securityKeys.requireSsl, 'server.ssl.enabled=true as well');
}

function refuseEqualPorts(reader: SettingsReader, settings: Settings): void {
  const ports = [
    [identityKeys.httpPort, settings.httpPort],
    [identityKeys.grpcPort, settings.grpcPort],
    [identityKeys.internalPort, settings.internalPort],
    // The same as server.port is allowed: one server then does both.
    ...(settings.managementPort === null || settings.managementPort === settings.httpPort
      ? []
      : [[identityKeys.managementPort, settings.managementPort] as const]),
  ] as const;
  for (const [index, [definition, port]] of ports.entries()) {
    const other = ports.slice(0, index).find((earlier) => earlier[1] === port && port !== 0);
    if (other !== undefined) {
      reader.refuse('SETTING_CONFLICT', reader.givenFor(definition), `a port other than that of ${other[0].key}`);
    }
  }
}
