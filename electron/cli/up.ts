// `muster up`, `plan`, `serve`, `down`: the commands that make and end clusters. Entry points: the four functions.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { LauncherError } from '../contract/model.ts';
import type { ClusterSpec, ClusterView } from '../contract/model.ts';
import { presetOf } from '../contract/timings.ts';
import { clockText } from '../contract/times.ts';
import { errorData, launcherError } from '../launcher/errors.ts';
import { connectHost, openHost, untilHostGone } from '../launcher/host.ts';
import { parseDuration, parseWholeNumber, UsageError } from '../contract/grammar.ts';
import { clusterObject, errorText, statusText, table } from './output.ts';
import type { Output } from './output.ts';
import { openSession, pickCluster } from './session.ts';
import type { Installation, Session } from './session.ts';
import { specOf, type UpOptions } from './up-spec.ts';
import { onInterrupt } from './signals.ts';
import type { Interrupts } from './signals.ts';

const HOST_LEAVE_MS = 5000;
/** Interrupted before the cluster was usable, as shells say it. */
const EXIT_INTERRUPTED = 130;
const PORT_MAX = 65_535;
/** Answers the exit code. Foreground: returns after Ctrl-C, with everything stopped. */
export async function up(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: UpOptions,
): Promise<number> {
  const spec = specOf(name, options);
  const timeoutMs = parseDuration(options.wait ?? '30s');
  const session = await openSession(installation, options.detach === true ? 'background' : 'host');
  const interrupted = onInterrupt();
  try {
    const known = (await session.client.listClusters()).find((cluster) => cluster.name === spec.name);
    if (known?.state === 'usable' || known?.state === 'degraded') {
      await refuseOtherSpec(session, spec, options);
      const view = await session.client.getCluster(spec.name);
      output.line(`${spec.name} is already running.`);
      show(output, view, session, true);
      return 0;
    }
    const view = await Promise.race([
      startAndWait(session, output, spec, options, known !== undefined, timeoutMs, interrupted),
      interrupted.first,
    ]);
    if (view === null) {
      await stopAfterInterrupt(session, output, spec.name, interrupted.second);
      return EXIT_INTERRUPTED;
    }
    show(output, view, session, false);
    if (options.detach === true) {
      output.line(`Runs in the background. Stop it: muster down ${spec.name}`);
      return 0;
    }
    output.line('Press Ctrl-C to stop.');
    return await stayInForeground(session, output, spec.name, interrupted);
  } finally {
    interrupted.release();
    await session.close();
  }
}

async function startAndWait(
  session: Session,
  output: Output,
  spec: ClusterSpec,
  options: UpOptions,
  exists: boolean,
  timeoutMs: number,
  interrupted: Interrupts,
): Promise<ClusterView> {
  if (exists) {
    await refuseOtherSpec(session, spec, options);
  } else {
    const plan = await session.client.createCluster(spec);
    for (const note of plan.notes ?? []) {
      output.note(note);
    }
  }
  const made = await session.client.getCluster(spec.name);
  const contexts = made.contexts.map((context) => context.name).filter((context) => context !== ADMIN_CONTEXT);
  output.line(
    `Starting ${spec.name}: ${made.nodes.length} ${made.nodes.length === 1 ? 'node' : 'nodes'}, contexts ${contexts.join(', ') || 'none'}, data ${made.data === 'keep' ? 'kept' : 'thrown away when the cluster stops'} …`,
  );
  try {
    await session.client.startCluster(spec.name);
  } catch (error) {
    if (exists) {
      throw error;
    }
    // Nothing ran: a cluster that this very command created must not block the next attempt with its ports.
    await session.client.removeCluster(spec.name).catch(() => undefined);
    throw withoutCluster(error, spec.name);
  }
  try {
    return await session.client.wait(spec.name, { kind: 'ready' }, timeoutMs);
  } catch (error) {
    if (!interrupted.happened) {
      output.note(statusText(await session.client.getCluster(spec.name)));
    }
    throw error;
  }
}

/** What a refused start says to do, when the cluster was not there before either. */
function withoutCluster(error: unknown, name: string): unknown {
  if (!(error instanceof LauncherError) || error.data.code !== 'PORT_IN_USE') {
    return error;
  }
  return new LauncherError({
    ...error.data,
    why: `Cluster ${name} was not created.`,
    next: [...error.data.next.slice(0, 1), `Or use other ports: muster up ${name} --first-port <port>`],
  });
}

/** An existing cluster keeps its plan; options that say otherwise are not silently ignored. */
async function refuseOtherSpec(session: Session, spec: ClusterSpec, options: UpOptions): Promise<void> {
  const view = await session.client.getCluster(spec.name);
  const planned = view.contexts.map((context) => context.name).filter((context) => context !== ADMIN_CONTEXT);
  const conflicts = [
    options.nodes !== undefined && spec.nodes !== view.nodes.length ? `it has ${view.nodes.length} nodes` : '',
    options.throwAway === true && view.data === 'keep' ? 'its data is kept' : '',
    options.dcb === true && view.dcb !== true ? 'its contexts are classic' : '',
    options.accessControl === true && view.accessControl !== true ? 'it needs no tokens' : '',
    options.tls === true && view.tls !== true ? 'it does not speak TLS' : '',
    options.timing !== undefined && presetOf(spec) !== presetOf(view) ? `its timing is ${presetOf(view).id}` : '',
    options.host !== undefined && spec.host !== view.nodes[0]?.host ? `apps are told ${view.nodes[0]?.host}` : '',
    options.firstPort !== undefined && spec.firstPort !== view.nodes[0]?.http
      ? `its first port is ${view.nodes[0]?.http}`
      : '',
    options.template !== undefined && spec.nodes !== view.nodes.length ? `it has ${view.nodes.length} nodes` : '',
    (options.contexts ?? options.template) !== undefined && !spec.contexts.every((context) => planned.includes(context))
      ? `its contexts are ${planned.join(', ')}`
      : '',
  ].filter((conflict) => conflict !== '');
  if (conflicts.length > 0) {
    throw launcherError(
      'CLUSTER_EXISTS',
      `Cluster ${spec.name} already exists with other options.`,
      `${conflicts.join(', ')}.`,
      [`Start it as it is: muster up ${spec.name}`, `Or delete it first: muster rm ${spec.name} --yes`],
    );
  }
}

function show(output: Output, view: ClusterView, session: Session, alreadyRunning: boolean): void {
  output.object({ ...clusterObject(view, session.control), ...(alreadyRunning ? { alreadyRunning } : {}) });
  output.line(statusText(view));
  if (view.usableAfterMs !== null && !alreadyRunning) {
    output.line(`Usable after ${(view.usableAfterMs / 1000).toFixed(2)} s.`);
  }
}

async function stayInForeground(
  session: Session,
  output: Output,
  name: string,
  interrupted: Interrupts,
): Promise<number> {
  const times = await session.client.settings();
  const off = session.client.on('timeline', (event) => {
    if (event.cluster === name && event.kind !== 'user') {
      output.line(`${clockText(event.at, times, 3)} ${event.text}`);
    }
  });
  const offClusters = new Promise<'ended'>((resolve) => {
    session.client.on('clusters', (clusters) => {
      const cluster = clusters.find((candidate) => candidate.name === name);
      if (cluster === undefined || cluster.state === 'stopped') {
        resolve('ended');
      }
    });
  });
  const hostEnded =
    (await session.remote?.openEvents())?.ended.then(() => 'ended' as const) ?? new Promise<never>(() => undefined);
  const why = await Promise.race([interrupted.first, offClusters, hostEnded]);
  off();
  if (why === 'ended') {
    output.line(`${name} was stopped by another command.`);
    return 0;
  }
  await stopAfterInterrupt(session, output, name, interrupted.second);
  return 0;
}

async function stopAfterInterrupt(
  session: Session,
  output: Output,
  name: string,
  second: Promise<null>,
): Promise<void> {
  output.note(`Stopping ${name} … (Ctrl-C again kills)`);
  const stopped = session.client.stopCluster(name).then(
    (answer) => answer.deleted,
    (error: unknown) => {
      output.note(errorText(errorData(error)));
      return 'failed' as const;
    },
  );
  let deleted = await Promise.race([stopped, second]);
  if (deleted === null) {
    output.note('Killing.');
    await (session.host === null ? session.client.actOnNode(name, 'all', 'kill') : session.host.killAll());
    // Killed nodes end the stop that waits for them; throw-away data goes then, too.
    deleted = await Promise.race([stopped, delay(HOST_LEAVE_MS, 'failed' as const, { ref: false })]);
  }
  if (deleted !== 'failed') {
    sayFate(output, name, deleted);
  }
}

function sayFate(output: Output, name: string, deleted: readonly string[]): void {
  output.line(
    deleted.length > 0 ? `${name} stopped. Data thrown away: ${deleted.join(', ')}` : `${name} stopped. Data kept.`,
  );
}

export async function plan(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: UpOptions,
): Promise<number> {
  const session = await openSession(installation, 'look');
  try {
    const planned = await session.client.planCluster(specOf(name, options));
    output.object(planned);
    output.line(`${planned.spec.name}: ${planned.dir}`);
    const rows = planned.nodes.map((node) => [
      node.name,
      String(node.grpc),
      String(node.http),
      String(node.internal),
      node.dir,
    ]);
    for (const line of table(['NODE', 'GRPC', 'HTTP', 'INTERNAL', 'FOLDER'], rows)) {
      output.line(line);
    }
    const timing = presetOf(planned.spec);
    output.line(`timing ${timing.id}: ${timing.what}`);
    for (const note of planned.notes ?? []) {
      output.line(note);
    }
    return 0;
  } finally {
    await session.close();
  }
}

export async function down(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: { readonly throwAway?: boolean },
): Promise<number> {
  const session = await openSession(installation, 'look');
  try {
    const cluster = await pickCluster(session.client, name);
    if (cluster.state === 'stopped' && options.throwAway !== true && cluster.data === 'keep') {
      output.line(`${cluster.name} is not running. Data kept in ${cluster.dir}`);
      output.object({ cluster: cluster.name, state: 'stopped', data: 'kept', deleted: [] });
      return 0;
    }
    const owner = session.control === null ? await openSession(installation, 'change') : session;
    try {
      const { deleted } = await owner.client.stopCluster(cluster.name, { throwAway: options.throwAway === true });
      sayFate(output, cluster.name, deleted);
      output.object({
        cluster: cluster.name,
        state: 'stopped',
        data: deleted.length > 0 ? 'thrown-away' : 'kept',
        deleted,
      });
    } finally {
      if (owner !== session) {
        await owner.close();
      }
    }
    await letHostLeave(session);
    return 0;
  } finally {
    await session.close();
  }
}

/** A background host leaves after its last cluster: the command waits for it, so that nothing is left when it answers. */
async function letHostLeave(session: Session): Promise<void> {
  if (session.control?.background !== true) {
    return;
  }
  const others = await session.client.listClusters().catch(() => []);
  if (others.every((cluster) => cluster.state === 'stopped')) {
    await untilHostGone(session.control.pid, HOST_LEAVE_MS);
  }
}

export async function serve(
  installation: Installation,
  output: Output,
  options: { readonly port?: string; readonly background?: boolean },
): Promise<number> {
  const background = options.background === true;
  const existing = await connectHost(installation.workspaceDir);
  if (existing !== null) {
    const { url, tokenFile, pid } = existing.control;
    output.object({ url, tokenFile, pid, alreadyServing: true });
    output.line(`Process ${pid} already serves this workspace at ${url} (token in ${tokenFile}).`);
    existing.client.close();
    return 0;
  }
  const { workspaceDir, version, enginePath, uiDir } = installation;
  // Commands that start a host in the background must find it, whatever was set for people.
  const asked = options.port ?? (background ? '0' : null);
  const port = asked === null ? null : parseWholeNumber(asked, '--port');
  if (port !== null && port > PORT_MAX) {
    throw new UsageError(`--port ${port} is no port: use 0 (any) to ${PORT_MAX}.`);
  }
  const host = await openHost({ workspaceDir, version, enginePath, uiDir, port, background });
  const interrupted = onInterrupt();
  const { url = '', tokenFile, pid } = host.control ?? {};
  output.object({ url, tokenFile, pid, page: `${url}/#token=${host.token}` });
  if (!background) {
    output.line(`Open ${url}/#token=${host.token}`);
    output.line(`Clusters live in ${workspaceDir}. Press Ctrl-C to stop all of them.`);
  }
  const { problem } = await host.service.settings();
  if (problem !== undefined) output.note(errorText(problem));
  for (const broken of host.service.broken) {
    output.note(
      errorText(errorData(launcherError('CLUSTER_FILE_BROKEN', `${broken.dir} is skipped.`, broken.why, []))),
    );
  }
  await Promise.race([interrupted.first, background ? host.untilIdle() : new Promise<never>(() => undefined)]);
  output.note('Stopping …');
  const stopped = host.close().then(() => 'stopped' as const);
  if ((await Promise.race([stopped, interrupted.second])) === null) {
    await host.killAll();
    await Promise.race([stopped, delay(HOST_LEAVE_MS, undefined, { ref: false })]);
  }
  interrupted.release();
  return 0;
}
