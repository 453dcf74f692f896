// Run-time checks of the calls of manage.ts. Entry point: `manageChecks`.
import {
  clusterNameOf,
  configTextOf,
  count,
  hostNameOf,
  FIRST_PORT_MAX,
  FIRST_PORT_MIN,
  integerOf,
  listOf,
  momentOf,
  nodeNameOf,
  oneOf,
  recordOf,
  refuse,
  textUpTo,
} from './check-parts.ts';
import { commandLinkWishes } from './command-link.ts';
import { dataKinds } from './data-use.ts';
import { settingRules, settingsChangeOf } from './check-settings.ts';
import { exportKinds, type ManageApi } from './manage.ts';

const FILE_CHARS_MAX = 200_000;
const NAME_CHARS_MAX = 100;
export const APP_LOG_LINES_MAX = 2000;

type ManageChecks = { readonly [K in keyof ManageApi]: (args: readonly unknown[]) => Parameters<ManageApi[K]> };

const nothing = (args: readonly unknown[]): [] => {
  count(args, 0, 0);
  return [];
};

const clusterOrNone = (value: unknown): string | null => (value === null ? null : clusterNameOf(value, 'cluster'));

const oneCluster = (args: readonly unknown[]): [string] => {
  count(args, 1, 1);
  return [clusterNameOf(args[0], 'cluster')];
};
const oneNode = (args: readonly unknown[]): [string, string] => {
  count(args, 2, 2);
  return [clusterNameOf(args[0], 'cluster'), nodeNameOf(args[1], 'node')];
};

export const manageChecks: ManageChecks = {
  getClusterConfig: oneCluster,
  setClusterConfig(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), configTextOf(args[1], 'yours')];
  },
  settings: nothing,
  configDocs: nothing,
  changeSettings(args) {
    count(args, 1, 1);
    return [settingsChangeOf(args[0], 'change')];
  },
  controlPort: nothing,
  changeControlPort(args) {
    count(args, 1, 1);
    return [settingRules.controlPort(args[0], 'wish')];
  },
  newToken: nothing,
  commandLink: nothing,
  changeCommandLink(args) {
    count(args, 1, 1);
    return [oneOf(commandLinkWishes)(args[0], 'wish')];
  },
  exportCluster(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), oneOf(exportKinds)(args[1], 'kind')];
  },
  readClusterFile(args) {
    count(args, 2, 2);
    return [textUpTo(FILE_CHARS_MAX)(args[0], 'text'), clusterNameOf(args[1], 'name')];
  },
  duplicateCluster(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), clusterNameOf(args[1], 'name')];
  },
  addNode: oneCluster,
  removeNode: oneNode,
  changePorts(args) {
    count(args, 2, 2);
    const firstPort = args[1] === null ? null : integerOf(FIRST_PORT_MIN, FIRST_PORT_MAX)(args[1], 'firstPort');
    return [clusterNameOf(args[0], 'cluster'), firstPort];
  },
  changeHost(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), args[1] === null ? null : hostNameOf(args[1], 'host')];
  },
  nodeReport: oneNode,
  dataUse: nothing,
  cleanData(args) {
    count(args, 3, 3);
    const kinds = listOf(oneOf(dataKinds), dataKinds.length)(args[1], 'kinds');
    if (kinds.length === 0) refuse('kinds', 'The list is empty.');
    const typed = args[2] === null ? null : textUpTo(NAME_CHARS_MAX)(args[2], 'typed');
    return [clusterOrNone(args[0]), kinds, typed];
  },
  diagnostics: nothing,
  selfTest: nothing,
  appLog(args) {
    count(args, 1, 1);
    return [integerOf(1, APP_LOG_LINES_MAX)(args[0], 'lines')];
  },
  bundleContents(args) {
    count(args, 1, 1);
    return [clusterOrNone(args[0])];
  },
  saveBundle(args) {
    count(args, 1, 2);
    const cluster = clusterOrNone(args[0]);
    if (args[1] === undefined || args[1] === null) return [cluster];
    const range = recordOf(args[1], 'range', ['from', 'to']);
    return [cluster, { from: momentOf(range['from'], 'range.from'), to: momentOf(range['to'], 'range.to') }];
  },
};
