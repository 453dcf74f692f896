// The diagnostics bundle of one cluster (ux.md §13): what helps to understand it, without secrets, as one .tar.gz in the workspace.
// Entry points: `bundleEntries`, `saveBundle`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Diagnostics } from '../contract/diagnostics.ts';
import type { SavedBundle } from '../contract/manage.ts';
import type { ClusterPlan, ClusterView } from '../contract/model.ts';
import type { SettingsView } from '../contract/settings.ts';
import { launcherError, messageOf } from './errors.ts';
import { readTail } from './logs.ts';
import { redacted } from './redaction.ts';
import type { ClusterSecurity } from './security.ts';
import { type TarEntry, tarOf } from './tar.ts';
import type { Workspace } from './workspace.ts';

/** The newest part of each log and of the timeline. */
const LOG_BYTES_MAX = 1024 * 1024;
const FOLDER = 'bundles';

export interface BundleOptions {
  /** Null: of the app alone. */
  readonly cluster: {
    readonly plan: ClusterPlan;
    readonly view: ClusterView;
    readonly security: () => Promise<ClusterSecurity>;
  } | null;
  readonly workspace: Workspace;
  readonly version: string;
  readonly now: number;
  readonly diagnostics: Diagnostics;
  readonly settings: SettingsView;
  /** What happened in a part of the timeline, as text and as a chaos script. Absent: no part was chosen. */
  readonly range?: { readonly text: string; readonly script: string };
}

export interface BundleEntry extends TarEntry {
  /** What it is, for people. */
  readonly what: string;
}

/** Every text goes through `redacted`; keys, certificates and token files are never read. */
export async function bundleEntries(options: BundleOptions): Promise<readonly BundleEntry[]> {
  const { cluster, workspace, version, now } = options;
  const secrets = cluster === null ? [] : Object.values((await cluster.security()).tokens ?? {});
  const entry: EntryMaker = (name, what, text) => ({
    name: `${folderOf(options)}/${name}`,
    what,
    body: Buffer.from(redacted(text, secrets)),
  });
  const about = {
    muster: version,
    savedAt: new Date(now).toISOString(),
    platform: `${process.platform} ${process.arch}`,
    versions: process.versions,
    pid: process.pid,
  };
  return [
    entry('about.json', 'versions and platform', json(about)),
    entry('diagnostics.json', 'folders, ports and processes of Muster', json(options.diagnostics)),
    entry('settings.json', 'settings of the app', json(options.settings)),
    ...(cluster === null ? [] : await clusterEntries(cluster, options.range, entry)),
    entry('host.log', 'log of the hosting process', await readTail(workspace.hostLogFile, LOG_BYTES_MAX)),
  ];
}

type EntryMaker = (name: string, what: string, text: string) => BundleEntry;

const folderOf = ({ cluster }: BundleOptions): string => cluster?.plan.spec.name ?? 'muster';

async function clusterEntries(
  { plan, view }: NonNullable<BundleOptions['cluster']>,
  range: BundleOptions['range'],
  entry: EntryMaker,
): Promise<readonly BundleEntry[]> {
  const nodes = plan.nodes.map(async (node) => [
    entry(
      `${node.name}/axonserver.properties`,
      `properties of ${node.name}`,
      await readFile(node.propertiesFile, 'utf8').catch(() => '# There is no such file yet.\n'),
    ),
    entry(
      `${node.name}/${node.name}.log`,
      `end of the log of ${node.name}`,
      await readTail(node.logFile, LOG_BYTES_MAX),
    ),
  ]);
  return [
    entry('plan.json', 'what was planned: nodes, ports, folders', json(plan)),
    entry('view.json', 'nodes, contexts, apps and faults as they are now', json(view)),
    entry('timeline.jsonl', 'what happened', await readTail(path.join(plan.dir, 'timeline.jsonl'), LOG_BYTES_MAX)),
    ...(range === undefined
      ? []
      : [
          entry('range.txt', 'what happened in the chosen part of the timeline', range.text),
          entry('range.chaos', 'what was done in it, as a chaos script', range.script),
        ]),
    ...(await Promise.all(nodes)).flat(),
  ];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Fails with WORKSPACE_UNUSABLE. */
export async function saveBundle(options: BundleOptions): Promise<SavedBundle> {
  const entries = await bundleEntries(options);
  const stamp = new Date(options.now).toISOString().replace(/[:.]/g, '-');
  const dir = path.join(options.workspace.dir, FOLDER);
  const file = path.join(dir, `${folderOf(options)}-${stamp}.tar.gz`);
  try {
    await mkdir(dir, { recursive: true });
    const packed = await promisify(gzip)(tarOf(entries, options.now));
    await writeFile(file, packed, { mode: 0o600, flag: 'wx' });
    return {
      file,
      bytes: packed.length,
      entries: entries.map(({ name, what, body }) => ({ name, what, bytes: body.length })),
    };
  } catch (error) {
    throw launcherError('WORKSPACE_UNUSABLE', 'The bundle was not saved.', messageOf(error), [
      'Make room, or make the folder writable, then try again.',
    ]);
  }
}
