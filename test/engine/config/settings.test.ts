import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../engine/config/settings.ts';

const P = 'axoniq.axonserver.';
const parse = (text: string, env: Record<string, string | undefined> = {}, machineHostName = 'pc') =>
  parseSettings(text, env, { machineHostName });
const lines = (...entries: string[]): string => entries.join('\n');

describe('identity (cluster-semantics §1)', () => {
  it('ID-1 takes the host name of the machine as node name when none is given', () => {
    expect(parse('', {}, 'pc.corp.example').settings.name).toBe('pc');
    expect(parse(`${P}name=node-1`).settings.name).toBe('node-1');
  });

  it('ID-2 uses ports 8024, 8124 and 8224 and loopback unless told otherwise', () => {
    const { settings, problems } = parse('');
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ httpPort: 8024, grpcPort: 8124, internalPort: 8224, bindHost: '127.0.0.1' });
    const other = parse(lines('server.port=1', `${P}port=2`, `${P}internal-port=3`, 'server.address=0.0.0.0')).settings;
    expect(other).toMatchObject({ httpPort: 1, grpcPort: 2, internalPort: 3, bindHost: '0.0.0.0' });
  });

  it('ID-3 lets the internal pair follow the client pair and the domain follow the machine', () => {
    expect(parse('', {}, 'pc.corp.example').settings).toMatchObject({
      hostName: 'pc.corp.example',
      internalHostName: 'pc.corp.example',
    });
    expect(parse(lines(`${P}hostname=a`, `${P}domain=x.org`)).settings.internalHostName).toBe('a.x.org');
    const internal = parse(lines(`${P}hostname=a`, `${P}internal-hostname=b`, `${P}domain=x.org`)).settings;
    expect(internal.internalHostName).toBe('b.x.org');
  });

  it('ID-4 splits a dotted host name at the first dot; a configured domain wins with a warning', () => {
    expect(parse(`${P}hostname=a.b.c`).settings).toMatchObject({ hostName: 'a.b.c', internalHostName: 'a.b.c' });
    const both = parse(lines(`${P}hostname=a.b.c`, `${P}domain=x.org`));
    expect(both.settings.hostName).toBe('a.x.org');
    expect(both.notes).toContainEqual(expect.objectContaining({ code: 'SETTING_HOST_NAME' }));
  });

  it('ID-4 keeps an address that starts with a digit whole and adds no domain', () => {
    const { settings, notes } = parse(`${P}hostname=127.0.0.1`, {}, 'pc.corp.example');
    expect(settings).toMatchObject({ hostName: '127.0.0.1', internalHostName: '127.0.0.1' });
    expect(notes).toContainEqual(expect.objectContaining({ code: 'SETTING_HOST_NAME' }));
  });

  it('ID-5 advertises localhost with the domain of the machine unless domain is explicitly empty', () => {
    expect(parse(`${P}hostname=localhost`, {}, 'pc.corp.example').settings.hostName).toBe('localhost.corp.example');
    const explicit = parse(lines(`${P}hostname=localhost`, `${P}domain=`), {}, 'pc.corp.example').settings;
    expect(explicit).toMatchObject({ hostName: 'localhost', internalHostName: 'localhost' });
  });

  it('ID-6 honours an explicitly empty internal domain', () => {
    const text = lines(`${P}hostname=a`, `${P}domain=x.org`, `${P}internal-domain=`);
    expect(parse(text).settings).toMatchObject({ hostName: 'a.x.org', internalHostName: 'a' });
  });
});

describe('parseSettings', () => {
  it('reads relaxed spellings and readable units', () => {
    const { settings, problems } = parse(
      lines(
        `${P}internalHostname=peer`,
        `${P}replication.minElectionTimeout=2s`,
        `${P}replication.max-election-timeout=4000ms`,
        `${P}event.segment-size=16MB`,
        `${P}event.retention-time=7d`,
        `${P}max-message-size=1048576`,
      ),
    );
    expect(problems).toEqual([]);
    expect(settings.internalHostName).toBe('peer');
    expect(settings.replication).toMatchObject({ minElectionTimeoutMs: 2000, maxElectionTimeoutMs: 4000 });
    expect(settings.storage).toMatchObject({ eventSegmentBytes: 16 * 1024 * 1024, eventRetentionMs: 604_800_000 });
    expect(settings.messaging.maxMessageBytes).toBe(1_048_576);
  });

  it('names key, value and what was expected for every bad value, all in one go', () => {
    const { problems } = parse(
      lines('server.port=80x', `${P}cluster.auto-balancing=maybe`, `${P}event.segment-size=lots`, `${P}name=a b`),
    );
    expect(problems.map((problem) => [problem.key, problem.value])).toEqual([
      [`${P}name`, 'a b'],
      ['server.port', '80x'],
      [`${P}event.segment-size`, 'lots'],
      [`${P}cluster.auto-balancing`, 'maybe'],
    ]);
    expect(problems[1]?.message).toBe('server.port=80x (line 1): expected a port number from 0 to 65535.');
  });

  it('AC-17 lets AXONIQ_AXONSERVER_ environment variables in any case win over the text', () => {
    const { settings, problems } = parse(`${P}internal-hostname=file`, {
      AXONIQ_AXONSERVER_INTERNAL_HOSTNAME: 'fromenv',
      axoniq_axonserver_autocluster_first: 'other:9000',
      AXONIQ_AXONSERVER_AUTOCLUSTER_CONTEXTS: '_admin,default',
      AXONIQ_AXONSERVER_TAGS_REGION: 'eu',
      PATH: '/bin',
      SERVER_PORT: '1',
    });
    expect(problems).toEqual([]);
    expect(settings.internalHostName).toBe('fromenv');
    expect(settings.formation.first).toEqual({ host: 'other', port: 9000 });
    expect(settings.formation.contexts).toEqual(['_admin', 'default']);
    expect(settings.tags).toEqual({ region: 'eu' });
    expect(settings.httpPort).toBe(8024);
  });

  it('names the environment variable when its value is bad', () => {
    const { problems } = parse('', { AXONIQ_AXONSERVER_PORT: 'x' });
    expect(problems[0]?.message).toContain('environment variable AXONIQ_AXONSERVER_PORT');
  });

  it('reports unknown keys and unknown environment variables as spelled, without refusing them', () => {
    const { unknownKeys, problems } = parse(`my.Own-key=1\n${P}nonsense=2`, { AXONIQ_AXONSERVER_WHAT: '1' });
    expect(unknownKeys).toEqual(['my.Own-key', `${P}nonsense`, 'AXONIQ_AXONSERVER_WHAT']);
    expect(problems).toEqual([]);
  });

  it('accepts keys without effect here with a note', () => {
    const { notes, unknownKeys } = parse(
      lines(`${P}data-writer-threads=8`, 'logging.level.root=WARN', `${P}event.use-mmap-index=true`),
    );
    expect(unknownKeys).toEqual([]);
    expect(notes.map((note) => note.code)).toEqual(['SETTING_IGNORED', 'SETTING_IGNORED', 'SETTING_IGNORED']);
  });

  it('notes duplicate keys and lets the last one count', () => {
    const { settings, notes } = parse('server.port=1\nserver.port=2');
    expect(settings.httpPort).toBe(2);
    expect(notes).toEqual([expect.objectContaining({ code: 'SETTING_DUPLICATE', key: 'server.port' })]);
  });

  it('keeps all data under controldb-path and says so when another storage folder is given', () => {
    const { settings, notes } = parse(
      lines(`${P}controldb-path=/d`, `${P}event.storage=/e`, `${P}snapshot.storage=/d`),
    );
    expect(settings.dataDir).toBe('/d');
    expect(notes).toEqual([expect.objectContaining({ code: 'SETTING_DATA_FOLDER', key: `${P}event.storage` })]);
  });

  it('keeps tags with the spelling of the file', () => {
    expect(parse(`${P}tags.Data-Center=A1`).settings.tags).toEqual({ 'Data-Center': 'A1' });
  });

  it('refuses two servers on one port', () => {
    expect(parse(`${P}port=8024`).problems).toEqual([
      expect.objectContaining({ code: 'SETTING_CONFLICT', key: `${P}port` }),
    ]);
  });

  it('refuses protection that is only half set up', () => {
    const codes = (...given: string[]) => parse(lines(...given)).problems.map(({ code, key }) => `${code} ${key}`);
    expect(codes(`${P}ssl.enabled=true`)).toEqual([`SETTING_CONFLICT ${P}ssl.enabled`]);
    expect(codes(`${P}ssl.enabled=true`, `${P}ssl.cert-chain-file=a`)).toHaveLength(1);
    expect(codes('server.ssl.enabled=true')).toEqual(['SETTING_CONFLICT server.ssl.enabled']);
    expect(codes('security.require-ssl=true')).toEqual(['SETTING_CONFLICT security.require-ssl']);
    expect(codes('server.ssl.enabled=true', 'server.ssl.key-store=a', 'security.require-ssl=true')).toEqual([]);
    expect(codes('server.ssl.key-store-type=JKS')).toEqual(['SETTING_INVALID server.ssl.key-store-type']);
  });

  it('refuses a binary file without giving up the defaults', () => {
    const { problems, settings } = parse('\u0000\u0001');
    expect(problems[0]?.code).toBe('PROPERTIES_UNREADABLE');
    expect(settings.httpPort).toBe(8024);
  });
});

describe('raft timing (decision 13)', () => {
  it('uses the documented defaults without a profile', () => {
    expect(parse('').settings.replication).toMatchObject({
      timingProfile: 'axon',
      heartbeatTimeoutMs: 300,
      minElectionTimeoutMs: 1000,
      maxElectionTimeoutMs: 2500,
      waitForLeaderTimeoutMs: 2500,
      minActiveBackups: 1,
      fastPath: false,
    });
  });

  it('uses 100 and 500-1000 ms and the fast path with the dev profile; explicit keys win', () => {
    expect(parse(`${P}muster.timing-profile=dev`).settings.replication).toMatchObject({
      heartbeatTimeoutMs: 100,
      minElectionTimeoutMs: 500,
      maxElectionTimeoutMs: 1000,
      fastPath: true,
    });
    const explicit = parse(lines(`${P}muster.timing-profile=dev`, `${P}replication.max-election-timeout=1500`));
    expect(explicit.settings.replication).toMatchObject({ minElectionTimeoutMs: 500, maxElectionTimeoutMs: 1500 });
  });

  it('refuses timings under which no leader could live', () => {
    const { problems } = parse(
      lines(`${P}replication.min-election-timeout=3000`, `${P}replication.heartbeat-timeout=2s`),
    );
    expect(problems.map((problem) => [problem.code, problem.key])).toEqual([
      ['SETTING_CONFLICT', `${P}replication.min-election-timeout`],
      ['SETTING_CONFLICT', `${P}replication.heartbeat-timeout`],
    ]);
  });
});
