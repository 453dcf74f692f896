// `muster doctor` (ux.md §6). Exit code 4 when a step fails. Entry point: `doctor`.
import type { DoctorReport } from '../contract/doctor.ts';
import type { Output } from './output.ts';
import { contextFor, pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

const EXIT_FAILED = 4;

export function doctor(
  installation: Installation,
  output: Output,
  name: string | undefined,
  options: { readonly context?: string },
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const context = contextFor(cluster, options.context);
    const report = await client.doctor(cluster.name, context);
    output.object(report);
    output.line(reportText(report));
    return report.ok ? 0 : EXIT_FAILED;
  });
}

function reportText({ cluster, context, ok, steps }: DoctorReport): string {
  const lines = steps.flatMap((step) => [
    `${step.ok ? '✓' : '✗'} ${step.what}`,
    ...(step.ok ? [] : [`    ${step.why}`, `    ${step.next}`]),
  ]);
  const end = ok ? `An app on this computer can use ${context} of ${cluster}.` : 'An app will not get through: see ✗.';
  return [...lines, end].join('\n');
}
