// Metrics of this node as the actuator tells them: `axon.*` by context, as JSON and in the text format of Prometheus (row E38). Pure.
import type { StatusReport } from '../control/protocol.ts';
import type { Meters } from '../util/meters.ts';

export interface Metric {
  /** With dots; Prometheus gets `_` for them. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly values: readonly { readonly context: string | null; readonly value: number }[];
}

/** `contexts`: those that this node knows by its roles. Counters are of this node's clients since it started. */
export function metricsOf(
  report: StatusReport,
  meters: Meters | undefined,
  contexts: readonly string[],
): readonly Metric[] {
  const counted = (name: string, help: string, read: (of: ReturnType<Meters['of']>) => number): Metric => ({
    name,
    help,
    kind: 'counter',
    values: meters === undefined ? [] : contexts.map((context) => ({ context, value: read(meters.of(context)) })),
  });
  const group = (name: string, help: string, read: (of: StatusReport['groups'][number]) => number): Metric => ({
    name,
    help,
    kind: 'gauge',
    values: report.groups.map((one) => ({ context: one.context, value: read(one) })),
  });
  const node = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    kind: 'gauge',
    values: [{ context: null, value }],
  });
  return [
    counted('axon.commands', 'Commands dispatched by clients of this node', (of) => of.command.rates.count),
    counted('axon.queries', 'Queries asked by clients of this node', (of) => of.query.rates.count),
    counted('axon.events', 'Events appended through this node and confirmed', (of) => of.event.rates.count),
    counted('axon.snapshots', 'Snapshots appended through this node and confirmed', (of) => of.snapshot.rates.count),
    counted('axon.subscription-queries', 'Subscription queries begun on this node', (of) => of.subscriptionQueries),
    counted('axon.subscription-query-updates', 'Updates sent to them', (of) => of.subscriptionQueryUpdates),
    group('axon.last-token', 'Token of the last committed event, -1 when empty', (one) => one.lastToken),
    group('axon.raft.term', 'Raft term', (one) => one.term),
    group('axon.raft.commit-index', 'Last committed log entry', (one) => one.commitIndex),
    group('axon.raft.leader', '1 when this node leads', (one) => (one.raftRole === 'leader' ? 1 : 0)),
    group('axon.disk.bytes', 'Bytes of the log on disk', (one) => one.diskBytes),
    node('axon.clients', 'Connected clients', report.clients.length),
    node('process.resident.memory.bytes', 'Resident memory of this process', report.rssBytes),
  ];
}

export function prometheusText(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap(({ name, help, kind, values }) => {
    const flat = `${name.replace(/[.-]/g, '_')}${kind === 'counter' ? '_total' : ''}`;
    return [
      `# HELP ${flat} ${help}`,
      `# TYPE ${flat} ${kind}`,
      ...values.map(({ context, value }) => `${flat}${context === null ? '' : `{context="${context}"}`} ${value}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** As `GET /actuator/metrics/{name}`, over one context or all; null when there is no such metric. */
export function metricBody(metrics: readonly Metric[], name: string, context: string | null): object | null {
  const metric = metrics.find((candidate) => candidate.name === name);
  if (metric === undefined) return null;
  const chosen = metric.values.filter((value) => context === null || value.context === context);
  const contexts = metric.values.flatMap((value) => value.context ?? []);
  return {
    name,
    description: metric.help,
    measurements: [
      {
        statistic: metric.kind === 'counter' ? 'COUNT' : 'VALUE',
        value: chosen.reduce((sum, { value }) => sum + value, 0),
      },
    ],
    availableTags: contexts.length > 0 ? [{ tag: 'context', values: contexts }] : [],
  };
}
