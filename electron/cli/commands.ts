// Commands on an existing cluster. Each opens a session, picks the cluster, does one thing, says it. Entry points: the functions.
import { clusterNameOf, targetOf } from '../contract/check-parts.ts';
import type { LauncherClient } from '../contract/api.ts';
import type { ClusterView, LogLine, NodeAction, SnippetKind } from '../contract/model.ts';
import { errorData, launcherError } from '../launcher/errors.ts';
import { parseCondition, parseDuration, parseWholeNumber, UsageError } from '../contract/grammar.ts';
import { worksFrom } from '../contract/reach.ts';
import { isNews } from '../contract/view-news.ts';
import { resolveTarget } from '../launcher/targets.ts';
import { clusterObject, clustersText, errorText, logText, statusText } from './output.ts';
import type { Output } from './output.ts';
import { contextFor, pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';
import { onInterrupt } from './signals.ts';

const DONE: Readonly<Record<NodeAction, string>> = {
  start: 'started',
  stop: 'stopped',
  kill: 'killed (SIGKILL)',
  freeze: 'frozen',
  resume: 'resumed',
  restart: 'restarted',
};
const LEVELS = ['debug', 'info', 'warn', 'error'];
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

export function list(installation: Installation, output: Output): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const clusters = await client.listClusters();
    output.object(clusters);
    output.line(clustersText(clusters));
    for (const { dir, why } of (await client.about()).broken ?? []) {
      output.note(`warning: ${dir} cannot be read: ${why}`);
    }
    return 0;
  });
}

export function status(
  installation: Installation,
  output: Output,
  name: string | undefined,
  watch: boolean,
): Promise<number> {
  return withSession(installation, 'look', async (session) => {
    const cluster = await pickCluster(session.client, name);
    let shown: ClusterView | null = null;
    const show = async (): Promise<void> => {
      const view = await session.client.getCluster(cluster.name);
      // A pipe keeps every line: numbers that only count on are none there.
      const told = shown === null || output.terminal || output.json || isNews(shown, view);
      if (!told) return;
      shown = view;
      output.object(clusterObject(view, session.control));
      output.line(`${watch && output.terminal ? CLEAR_SCREEN : ''}${statusText(view)}`);
    };
    await show();
    if (!watch || session.remote === null) {
      return 0;
    }
    const interrupted = onInterrupt();
    // One look at a time; changes that arrive meanwhile are in the next one.
    let again = false;
    let looking = false;
    const look = async (): Promise<void> => {
      again = true;
      while (again && !looking) {
        again = false;
        looking = true;
        await show().finally(() => {
          looking = false;
        });
      }
    };
    session.client.on('view', (view) => {
      if (view.name === cluster.name) {
        look().catch((error: unknown) => output.note(errorText(errorData(error))));
      }
    });
    const { ended } = await session.remote.openEvents();
    await Promise.race([interrupted.first, ended]);
    interrupted.release();
    return 0;
  });
}

export function act(
  installation: Installation,
  output: Output,
  name: string | undefined,
  action: NodeAction,
  targets: readonly string[],
): Promise<number> {
  // Only a start needs a host when there is none: everything else then has nothing to act on.
  return withSession(
    installation,
    action === 'start' || action === 'restart' ? 'background' : 'look',
    async ({ client, control }) => {
      const cluster = await pickCluster(client, name);
      if (control === null) {
        throw launcherError('CLUSTER_NOT_RUNNING', `Cluster ${cluster.name} does not run.`, 'No process hosts it.', [
          `Start it: muster up ${cluster.name} --detach`,
        ]);
      }
      if (targets.length > 1) {
        // A word that means nothing must not be found out after half of the others are dead.
        const view = await client.getCluster(cluster.name);
        for (const target of targets) resolveTarget(view, targetOf(target, 'target'));
      }
      const nodes: string[] = [];
      for (const target of targets) {
        nodes.push(...(await client.actOnNode(cluster.name, target, action)));
      }
      output.object({ cluster: cluster.name, action, nodes });
      output.line(
        nodes.length === 0
          ? `Nothing to do: ${targets.join(', ')} already ${DONE[action]}.`
          : `${nodes.join(', ')} ${DONE[action]}.`,
      );
      if (action === 'stop' && nodes.length > 0) {
        const fate =
          cluster.data === 'keep'
            ? 'is kept'
            : `is kept until the cluster stops (muster down ${cluster.name}), then thrown away`;
        output.line(`Data of ${nodes.join(', ')} ${fate}.`);
      }
      return 0;
    },
  );
}

export function wait(
  installation: Installation,
  output: Output,
  name: string | undefined,
  condition: string,
  options: { readonly timeout?: string; readonly afterTerm?: string },
): Promise<number> {
  const afterTerm = options.afterTerm === undefined ? null : parseWholeNumber(options.afterTerm, '--after-term');
  const parsed = parseCondition(condition, afterTerm);
  const timeoutMs = parseDuration(options.timeout ?? '10s');
  return withSession(installation, 'look', async ({ client, control }) => {
    const cluster = await pickCluster(client, name);
    const started = performance.now();
    const view = await client.wait(cluster.name, parsed, timeoutMs);
    output.object({ ...clusterObject(view, control), waitedMs: Math.round(performance.now() - started) });
    const context =
      parsed.kind === 'leader' ? view.contexts.find((candidate) => candidate.name === parsed.context) : undefined;
    output.line(context === undefined ? view.sentence : context.why.sentence);
    return 0;
  });
}

export function logs(
  installation: Installation,
  output: Output,
  name: string | undefined,
  nodes: readonly string[],
  options: {
    readonly follow?: boolean;
    readonly tail?: string;
    readonly level?: string;
    readonly grep?: string;
    readonly context?: string;
    readonly path?: boolean;
  },
): Promise<number> {
  const wanted = lineFilter(options.level, options.grep, options.context);
  const tail = parseWholeNumber(options.tail ?? '200', '--tail');
  return withSession(installation, 'look', async (session) => {
    const cluster = await pickCluster(session.client, name);
    const chosen = await nodesOf(session.client, cluster.name, nodes);
    if (options.path === true) {
      const all = (await session.client.getCluster(cluster.name)).nodes.filter((one) => chosen.includes(one.name));
      for (const { name: node, logFile } of all) {
        output.object({ node, logFile });
        output.line(logFile);
      }
      return 0;
    }
    const times = await session.client.settings();
    const print = (node: string, line: LogLine): void => {
      if (wanted(line)) {
        output.object({ node, ...line });
        output.line(logText(node, line, chosen.length !== 1, times));
      }
    };
    const seen = new Map<string, number>();
    const read = await session.client.readLogs(cluster.name, chosen, tail);
    const merged = read.flatMap(({ node, lines }) => lines.map((line) => ({ node, line })));
    for (const { node, line } of merged.sort((left, right) => left.line.at - right.line.at)) {
      seen.set(node, Math.max(seen.get(node) ?? 0, line.seq));
      print(node, line);
    }
    if (options.follow !== true || session.remote === null) {
      return 0;
    }
    const interrupted = onInterrupt();
    session.client.on('log', (chunk) => {
      if (chunk.cluster === cluster.name && chosen.includes(chunk.node)) {
        for (const line of chunk.lines.filter((candidate) => candidate.seq > (seen.get(chunk.node) ?? 0))) {
          print(chunk.node, line);
        }
      }
    });
    const { ended } = await session.remote.openEvents();
    await Promise.race([interrupted.first, ended]);
    interrupted.release();
    return 0;
  });
}

async function nodesOf(client: LauncherClient, cluster: string, nodes: readonly string[]): Promise<readonly string[]> {
  const known = (await client.getCluster(cluster)).nodes.map((node) => node.name);
  return nodes.length === 0 ? known : nodes;
}

/** Marks of starts and ends are of every level and context. */
function lineFilter(
  level: string | undefined,
  grep: string | undefined,
  context: string | undefined,
): (line: LogLine) => boolean {
  const least = level === undefined ? 0 : LEVELS.indexOf(level);
  if (least < 0) {
    throw new UsageError(`'${level}' is not a level: use ${LEVELS.join(', ')}.`);
  }
  let pattern: RegExp | null;
  try {
    pattern = grep === undefined ? null : new RegExp(grep, 'i');
  } catch {
    throw new UsageError(`'${grep}' is not a regular expression.`);
  }
  return (line) => {
    const rank = LEVELS.indexOf(line.level);
    const elsewhere = context !== undefined && line.level !== 'mark' && line.context !== context;
    return !elsewhere && (rank < 0 || rank >= least) && (pattern === null || pattern.test(line.text));
  };
}

const SNIPPETS: readonly SnippetKind[] = ['spring', 'quarkus', 'java', 'python', 'env', 'cli'];

export function connect(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: { readonly for?: string; readonly context?: string },
): Promise<number> {
  const kind = SNIPPETS.find((candidate) => candidate === options.for);
  if (options.for !== undefined && kind === undefined) {
    throw new UsageError(`'${options.for}' is none of ${SNIPPETS.join(', ')}.`);
  }
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const context = contextFor(cluster, options.context);
    const host = (await client.getCluster(cluster.name)).nodes[0]?.host;
    if (host !== undefined) output.note(worksFrom(host));
    if (kind !== undefined) {
      const snippet = await client.snippet(cluster.name, context, kind);
      output.object(snippet);
      output.line(snippet.text.trimEnd());
      return 0;
    }
    const snippets = await client.snippets(cluster.name, context);
    output.object(snippets);
    output.line(
      snippets
        .map((snippet) => `# ${snippet.title}\n${snippet.text}`)
        .join('\n')
        .trimEnd(),
    );
    return 0;
  });
}

export function remove(installation: Installation, output: Output, name: string, yes: boolean): Promise<number> {
  return withSession(installation, yes ? 'change' : 'look', async ({ client }) => {
    if (!yes) {
      const cluster = await pickCluster(client, name);
      throw new UsageError(`This deletes ${cluster.dir} with all events of ${cluster.name}. Say --yes to do it.`);
    }
    const { deleted } = await client.removeCluster(clusterNameOf(name, 'cluster'));
    output.object({ cluster: name, deleted });
    output.line(`${name} removed. Deleted: ${deleted.join(', ')}`);
    return 0;
  });
}
