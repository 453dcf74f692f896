// Commands on an existing cluster. Each opens a session, picks the cluster, does one thing, says it. Entry points: the functions.
import type { LauncherClient } from '../contract/api.ts';
import type { LogLine, NodeAction, SnippetKind } from '../contract/model.ts';
import { errorData, launcherError } from '../launcher/errors.ts';
import {
  UsageError,
  parseCondition,
  parseDelay,
  parseDuration,
  parseLinks,
  parsePartition,
  parseWholeNumber,
} from './grammar.ts';
import type { DirectedLink } from './grammar.ts';
import { clusterObject, clustersText, errorText, logText, statusText } from './output.ts';
import type { Output } from './output.ts';
import { openSession, pickCluster } from './session.ts';
import type { Installation, Session, SessionKind } from './session.ts';
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

async function withSession<T>(
  installation: Installation,
  kind: SessionKind,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(installation, kind);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export function list(installation: Installation, output: Output): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const clusters = await client.listClusters();
    output.object(clusters);
    output.line(clustersText(clusters));
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
    const show = async (): Promise<void> => {
      const view = await session.client.getCluster(cluster.name);
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
  const afterTerm = options.afterTerm === undefined ? null : parseWholeNumber(options.afterTerm);
  const parsed = parseCondition(condition, afterTerm);
  const timeoutMs = parseDuration(options.timeout ?? '10s');
  return withSession(installation, 'look', async ({ client, control }) => {
    const cluster = await pickCluster(client, name);
    const started = Date.now();
    const view = await client.wait(cluster.name, parsed, timeoutMs);
    output.object({ ...clusterObject(view, control), waitedMs: Date.now() - started });
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
  options: { readonly follow?: boolean; readonly tail?: string; readonly level?: string; readonly grep?: string },
): Promise<number> {
  const wanted = lineFilter(options.level, options.grep);
  const tail = parseWholeNumber(options.tail ?? '200');
  return withSession(installation, 'look', async (session) => {
    const cluster = await pickCluster(session.client, name);
    const chosen = await nodesOf(session.client, cluster.name, nodes);
    const print = (node: string, line: LogLine): void => {
      if (wanted(line)) {
        output.object({ node, ...line });
        output.line(logText(node, line, chosen.length !== 1));
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

function lineFilter(level: string | undefined, grep: string | undefined): (line: LogLine) => boolean {
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
    return (rank < 0 || rank >= least) && (pattern === null || pattern.test(line.text));
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
    const context = options.context ?? cluster.contexts.find((candidate) => candidate !== '_admin') ?? 'default';
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
    const cluster = await pickCluster(client, name);
    if (!yes) {
      throw new UsageError(`This deletes ${cluster.dir} with all events of ${cluster.name}. Say --yes to do it.`);
    }
    const { deleted } = await client.removeCluster(cluster.name);
    output.object({ cluster: cluster.name, deleted });
    output.line(`${cluster.name} removed. Deleted: ${deleted.join(', ')}`);
    return 0;
  });
}

function setLinks(
  installation: Installation,
  output: Output,
  name: string | undefined,
  links: readonly DirectedLink[],
  fault: { readonly cut: boolean; readonly delayMs: number; readonly jitterMs: number; readonly lossPercent: number },
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    await client.setLinks(
      cluster.name,
      links.map((link) => ({ ...link, ...fault })),
    );
    const view = await client.getCluster(cluster.name);
    output.object({ cluster: cluster.name, faults: view.faults });
    output.line(
      links.map((link) => `${link.from} to ${link.to}: ${fault.cut ? 'cut' : `${fault.delayMs} ms slower`}`).join('\n'),
    );
    output.line('Undo: muster heal');
    return 0;
  });
}

const NO_FAULT = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };

export function cut(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: readonly string[],
): Promise<number> {
  return setLinks(installation, output, name, parseLinks(words), { ...NO_FAULT, cut: true });
}

export function partition(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: readonly string[],
): Promise<number> {
  return setLinks(installation, output, name, parsePartition(words), { ...NO_FAULT, cut: true });
}

export function delayLinks(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: readonly string[],
  options: { readonly jitter?: string; readonly loss?: string },
): Promise<number> {
  const { links, delayMs } = parseDelay(words);
  const jitterMs = options.jitter === undefined ? 0 : parseDuration(options.jitter);
  const lossPercent = options.loss === undefined ? 0 : parseWholeNumber(options.loss.replace(/%$/, ''));
  return setLinks(installation, output, name, links, { cut: false, delayMs, jitterMs, lossPercent });
}

export function heal(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    await client.heal(cluster.name);
    output.object({ cluster: cluster.name, faults: [] });
    output.line(`All links of ${cluster.name} are healed.`);
    return 0;
  });
}

export function timeline(
  installation: Installation,
  output: Output,
  name: string | undefined,
  since: string | undefined,
): Promise<number> {
  const from = since === undefined ? 0 : Math.max(0, Date.now() - parseDuration(since));
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    for (const event of await client.timeline(cluster.name, from)) {
      output.object(event);
      output.line(`${new Date(event.at).toISOString()} ${event.kind.padEnd(7)} ${event.text}`);
    }
    return 0;
  });
}
