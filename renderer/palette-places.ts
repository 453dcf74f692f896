// Commands of the command line that the window answers with a place, and those about the cluster as a whole. Part of palette-grammar.ts.
import { checkpointNameOf, contextNameOf } from '../electron/contract/check-parts.ts';
import type { ShowingVerb } from '../electron/contract/cli-verbs.ts';
import { parseNode, UsageError } from '../electron/contract/grammar.ts';
import { LauncherError, type NodeRole } from '../electron/contract/model.ts';
import { addNode, askApp, openDialog, showDock, showLogs, startCluster, stopCluster } from './actions.ts';
import { api, attempt, clusters, type Destination, go, view } from './store.ts';

type Work = () => void;

const roleWords: Readonly<Record<string, NodeRole>> = {
  primary: 'PRIMARY',
  'active-backup': 'ACTIVE_BACKUP',
  'passive-backup': 'PASSIVE_BACKUP',
  'messaging-only': 'MESSAGING_ONLY',
};

const to =
  (place: Destination): Work =>
  () =>
    go(place);
const toPage = (page: string): Work => to({ screen: 'cluster', name: shownName(), page });

/** Fails with UsageError when no cluster is open. */
function shownName(): string {
  const name = view.peek()?.name;
  if (name === undefined) throw new UsageError('Open a cluster first');
  return name;
}

/** The named cluster, else the one that is open. */
function clusterNamed(word: string | undefined): string {
  if (word === undefined) return shownName();
  if (!(clusters.peek() ?? []).some((one) => one.name === word)) {
    throw new UsageError(`There is no cluster ${word}. New cluster… makes one.`);
  }
  return word;
}

/** A refused value becomes what the palette says is missing. */
function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof LauncherError ? new UsageError(error.data.why) : error;
  }
}

const places: Readonly<Record<ShowingVerb, (rest: readonly string[]) => Work>> = {
  ls: () => to({ screen: 'start' }),
  status: ([name]) => to({ screen: 'cluster', name: clusterNamed(name), page: 'overview' }),
  logs: ([node]) => {
    shownName();
    const wanted = node === undefined ? null : parseNode(node);
    return () => showLogs(wanted);
  },
  connect: () => inDock('connect'),
  host: () => inDock('connect'),
  doctor: () => inDock('connect'),
  timeline: () => toPage('timeline'),
  events: () => toPage('events'),
  search: () => toPage('events'),
  apps: () => toPage('apps'),
  processor: () => toPage('apps'),
  script: () => toPage('chaos'),
  config: () => toPage('configuration'),
  tasks: () => inDock('tasks'),
  settings: () => to({ screen: 'settings' }),
  'control-port': () => to({ screen: 'settings' }),
  'install-cli': () => to({ screen: 'settings' }),
  data: () => to({ screen: 'settings' }),
  diagnose: () => to({ screen: 'diagnostics' }),
  bundle: () => to({ screen: 'diagnostics' }),
  export: () => {
    shownName();
    return () => openDialog('files');
  },
  import: () => () => openDialog('import'),
  explain: () => to({ screen: 'help' }),
};

export const isPlace = (verb: string): verb is ShowingVerb => Object.hasOwn(places, verb);

function inDock(tab: Parameters<typeof showDock>[0]): Work {
  shownName();
  return () => showDock(tab);
}

/** Fails with UsageError. */
export const placeOf = (verb: ShowingVerb, rest: readonly string[]): Work => places[verb](rest);

/** Null: the verb is another file's. Fails with UsageError. */
export function clusterWork(verb: string, rest: readonly string[]): Work | null {
  switch (verb) {
    case 'up': {
      const name = clusterNamed(rest[0]);
      return () => void startCluster(name);
    }
    case 'down': {
      const name = clusterNamed(rest[0]);
      return () => void stopCluster(name);
    }
    case 'rolling-restart': {
      const name = shownName();
      return () =>
        void attempt('cluster', async () => {
          await api().rollingRestart(name);
          showDock('tasks');
        });
    }
    case 'add-node': {
      const name = shownName();
      return () => void addNode(name);
    }
    case 'reconnect':
    case 'disconnect': {
      const client = rest.join(' ');
      const known = view.peek()?.apps.map((app) => app.clientId) ?? [];
      if (!known.includes(client))
        throw new UsageError(`No app has this client id; there are: ${known.join(', ') || 'none'}.`);
      return () => void askApp(client, verb);
    }
    case 'role':
      return roleWork(rest);
    case 'context':
      return contextWork(rest);
    case 'checkpoint':
      return checkpointWork(rest);
    default:
      return null;
  }
}

function roleWork([nodeWord = '', contextWord = '', roleWord = '']: readonly string[]): Work {
  const node = parseNode(nodeWord);
  const context = checked(() => contextNameOf(contextWord, 'context'));
  if (roleWord === 'none') throw new UsageError('The page Contexts takes it out, and asks about its events first.');
  const role = roleWords[roleWord];
  if (role === undefined) throw new UsageError(`Say the role: ${Object.keys(roleWords).join(', ')}.`);
  const name = shownName();
  return () => void attempt('context', () => api().setRole(name, context, node, role, { keepEvents: true }));
}

function contextWork([word, given = '', ...more]: readonly string[]): Work {
  if (word === 'rm') throw new UsageError('The page Contexts deletes one, and asks for its name first.');
  if (word !== 'add' || more.length > 0) throw new UsageError('Write: context add orders');
  const context = checked(() => contextNameOf(given, 'context'));
  const name = shownName();
  const roles = (view.peek()?.nodes ?? []).map((node) => ({ node: node.name, role: 'PRIMARY' }));
  return () => void attempt('context', () => api().createContext(name, context, roles));
}

function checkpointWork([word = 'ls', given = '', ...more]: readonly string[]): Work {
  if (word === 'ls') return toPage('checkpoints');
  if (word === 'restore' || word === 'rm') return toPage('checkpoints');
  if (word !== 'save' || more.length > 0) throw new UsageError('Write: checkpoint save before-demo');
  const checkpoint = checked(() => checkpointNameOf(given, 'checkpoint'));
  const name = shownName();
  return () =>
    void attempt('cluster', async () => {
      await api().saveCheckpoint(name, checkpoint);
      showDock('tasks');
    });
}
