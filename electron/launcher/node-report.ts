// What a report about a node that ended needs (ux.md §17): versions, code, exit, last lines, without secrets. Entry point: `nodeReport`.
import type { ClusterPlan, ClusterView, NodeName } from '../contract/model.ts';
import { readTail } from './logs.ts';
import { redacted } from './redaction.ts';
import type { ClusterSecurity } from './security.ts';
import { found } from './targets.ts';

/** Of the end of its log. */
export const REPORT_LINES = 40;
const REPORT_BYTES = 64 * 1024;

export interface NodeReportOptions {
  readonly cluster: {
    readonly plan: ClusterPlan;
    readonly view: ClusterView;
    readonly security: () => Promise<ClusterSecurity>;
  };
  readonly version: string;
}

/** Markdown. Fails with NODE_NOT_FOUND. */
export async function nodeReport({ cluster, version }: NodeReportOptions, name: NodeName): Promise<string> {
  const { plan, view } = cluster;
  const node = found(
    view.nodes.find((one) => one.name === name),
    plan,
    name,
  );
  const { exit } = node;
  const lines = (await readTail(node.logFile, REPORT_BYTES)).trimEnd().split('\n').slice(-REPORT_LINES);
  const facts = [
    `Muster ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    `${name} of ${view.name}: ${view.nodes.length} nodes, timing ${view.timing}, data ${view.data}`,
    `State: ${node.state}. ${node.sentence}`,
    ...(exit === null
      ? []
      : [
          `Ended: ${new Date(exit.at).toISOString()}, exit code ${exit.code ?? '-'}, signal ${exit.signal ?? '-'}, code ${exit.errorCode ?? '-'}`,
        ]),
  ];
  const text = [...facts.map((fact) => `- ${fact}`), '', '```', ...lines, '```', ''].join('\n');
  return redacted(text, Object.values((await cluster.security()).tokens ?? {}));
}
