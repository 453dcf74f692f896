// Commands of the command line that the window answers with a place, and those about the cluster as a whole. Part of palette-grammar.ts.
import { checkpointNameOf, contextNameOf } from '../electron/contract/check-parts.ts';
import type { ShowingVerb } from '../electron/contract/cli-verbs.ts';
import { parseNode, UsageError } from '../electron/contract/grammar.ts';
import { LauncherError, type NodeRole } from '../electron/contract/model.ts';
import { askDialog } from './asked-dialog.ts';
import { record, runSaved } from './chaos.ts';
import { addNode, askApp, copyReport, openDialog, showDock, showLogs, startCluster, stopCluster } from './actions.ts';
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
  faults: () => toPage('overview'),
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
  query: () => toPage('events'),
  search: () => toPage('events'),
  append: () => toPage('events'),
  apps: () => toPage('apps'),
  processor: () => toPage('apps'),
  access: () => toPage('contexts'),
  script: () => toPage('chaos'),
  config: () => toPage('configuration'),
  tasks: () => inDock('tasks'),
  settings: () => to({ screen: 'settings' }),
  'control-port': () => to({ screen: 'settings' }),
  'install-cli': () => to({ screen: 'settings' }),
  data: () => to({ screen: 'settings' }),
  clean: () => to({ screen: 'settings' }),
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
    case 'verify':
    case 'purge':
      return contentsWork(verb, rest);
    case 'rm':
      return removeWork(rest);
    case 'remove-node':
      return removeNodeWork(rest);
    case 'report': {
      const node = parseNode(rest[0] ?? '');
      const name = shownName();
      return () => void copyReport(name, node);
    }
    case 'record':
      return recordWork(rest);
    case 'run':
      return runWork(rest);
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

/** One that is there and may lose its events. Fails with UsageError. */
function contextNamed(word: string): string {
  const own = (view.peek()?.contexts ?? []).map((one) => one.name).filter((one) => !one.startsWith('_'));
  if (!own.includes(word)) throw new UsageError(`Say the context: ${own.join(', ') || 'there is none'}.`);
  return word;
}

/** Without options. The dialogs ask what the command line asks with --yes. */
const wordsIn = (words: readonly string[], option = '--yes'): readonly string[] =>
  words.filter((word) => word !== '--yes' && word !== option);

function contextWork([word, ...more]: readonly string[]): Work {
  if (word === 'rm') {
    const [name = '', ...rest] = wordsIn(more, '--keep-events').map(contextNamed);
    if (name === '' || rest.length > 0) throw new UsageError('Write: context rm orders --keep-events');
    const keepEvents = more.includes('--keep-events');
    return () => askDialog({ kind: 'delete', page: 'contexts', name, keepEvents });
  }
  const [given = '', ...rest] = more;
  if (word !== 'add' || rest.length > 0) throw new UsageError('Write: context add orders, or context rm orders');
  const context = checked(() => contextNameOf(given, 'context'));
  const name = shownName();
  const roles = (view.peek()?.nodes ?? []).map((node) => ({ node: node.name, role: 'PRIMARY' }));
  return () => void attempt('context', () => api().createContext(name, context, roles));
}

function contentsWork(kind: 'verify' | 'purge', words: readonly string[]): Work {
  const [given = '', ...rest] = wordsIn(words);
  if (rest.length > 0) throw new UsageError(`One context at a time here: ${kind} ${given}`);
  const name = kind === 'verify' && given === '_admin' ? given : contextNamed(given);
  return () => askDialog({ kind, page: 'contexts', name });
}

function checkpointWork([word = 'ls', ...more]: readonly string[]): Work {
  if (word === 'ls') return toPage('checkpoints');
  const [given = '', ...rest] = wordsIn(more);
  if (!['save', 'restore', 'rm'].includes(word) || rest.length > 0) {
    throw new UsageError('Write: checkpoint save before-demo; or restore, rm, ls.');
  }
  const checkpoint = checked(() => checkpointNameOf(given, 'checkpoint'));
  if (word === 'restore' || word === 'rm') {
    const kind = word === 'rm' ? 'delete' : word;
    return () => askDialog({ kind, page: 'checkpoints', name: checkpoint });
  }
  const name = shownName();
  return () =>
    void attempt('cluster', async () => {
      await api().saveCheckpoint(name, checkpoint);
      showDock('tasks');
    });
}

function removeNodeWork(words: readonly string[]): Work {
  const [given = '', ...rest] = wordsIn(words);
  const node = parseNode(given);
  const [first, ...others] = (view.peek()?.nodes ?? []).map((one) => one.name);
  if (rest.length > 0 || !others.includes(node)) {
    throw new UsageError(
      node === first ? `${node} stays: those that join find the cluster by it.` : `Say the node: ${others.join(', ')}.`,
    );
  }
  return () => {
    go({ screen: 'cluster', name: shownName(), page: 'overview' });
    openDialog('remove-node', node);
  };
}

function removeWork(words: readonly string[]): Work {
  const [given] = wordsIn(words);
  const name = clusterNamed(given);
  const stopped = clusters.peek()?.find((one) => one.name === name)?.state === 'stopped';
  if (!stopped) throw new UsageError(`${name} runs. Stop it first: down ${name}`);
  return () => {
    go({ screen: 'cluster', name });
    openDialog('remove');
  };
}

function recordWork([word = '']: readonly string[]): Work {
  if (!['start', 'stop', 'show'].includes(word))
    throw new UsageError('Write: record start, record stop or record show');
  const name = shownName();
  const show = toPage('chaos');
  return () => {
    show();
    if (word !== 'show') void record(name, word === 'start');
  };
}

function runWork([given = '', ...rest]: readonly string[]): Work {
  if (given === '' || rest.length > 0) throw new UsageError('Write: run failover, the name of a saved script.');
  const name = shownName();
  const show = toPage('chaos');
  return () => {
    show();
    void runSaved(name, given);
  };
}
