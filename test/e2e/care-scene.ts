// What a launcher tells of itself and of its disk, for window tests.
import type { DataPart, DataUse } from '../../electron/contract/data-use.ts';
import type { Diagnostics, SelfTest } from '../../electron/contract/diagnostics.ts';
import type { FakeLauncher } from './fake-launcher.ts';

const home = '/home/ada/.local/share/muster';

const part = (kind: DataPart['kind'], change: Partial<DataPart> = {}): DataPart => ({
  cluster: 'dev',
  kind,
  what: `the ${kind}`,
  bytes: 5_000_000,
  freedBytes: 5_000_000,
  paths: [`${home}/clusters/dev/${kind}`],
  needsName: false,
  ...change,
});

const use: DataUse = {
  dir: home,
  freeBytes: 80_000_000_000,
  parts: [
    part('events', { needsName: true }),
    part('logs'),
    part('timeline', { kept: 'The cluster runs and uses them: stop it first.' }),
    part('bundles', { cluster: null }),
  ],
};

const facts: Diagnostics = {
  versions: [{ what: 'Muster', version: '0.1.0' }],
  paths: [{ what: 'Data', path: home }],
  ports: [
    { port: 8124, what: 'gRPC of node-1 of dev', holder: 'node (pid 4711)', ok: true },
    { port: 8125, what: 'gRPC of node-2 of dev', holder: 'java (pid 99)', ok: false },
  ],
  processes: [
    { pid: 4710, what: 'launcher', rssBytes: 80_000_000, cpuPercent: null },
    { pid: 4711, what: 'node-1 of dev', rssBytes: 63_000_000, cpuPercent: 1 },
  ],
  clusters: ['dev'],
};

const test: SelfTest = {
  ok: false,
  checks: [
    { code: 'OK', ok: true, what: 'opened port 4000', why: '', next: '', tookMs: 3 },
    { code: 'DISK_LOW', ok: false, what: '1 KB are free', why: 'Too little.', next: 'See: muster data', tookMs: 1 },
  ],
};

export function installCare(fake: FakeLauncher): void {
  fake.on('dataUse', () => use);
  fake.on('cleanData', () => ({ deleted: ['a', 'b'], freedBytes: 2_000_000 }));
  fake.on('diagnostics', () => facts);
  fake.on('selfTest', () => test);
  fake.on('appLog', () => ['2026-11-26T12:00:00.000Z hosts the workspace', 'it goes on']);
  fake.on('bundleContents', () => [{ name: 'muster/about.json', what: 'versions', bytes: 1 }]);
  fake.on('saveBundle', () => ({ file: `${home}/bundles/a.tar.gz`, bytes: 10, entries: [] }));
}
