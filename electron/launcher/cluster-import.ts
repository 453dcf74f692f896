// A file that describes a cluster, as a spec that can be created: Muster's own export, or a cluster template. Pure.
// Entry point: `readClusterFile`.
import { checkSpec } from '../contract/check.ts';
import type { ClusterFile } from '../contract/manage.ts';
import { LauncherError } from '../contract/model.ts';
import { SPEC_KIND } from './cluster-exports.ts';
import { specOfTemplate } from './cluster-template.ts';
import { launcherError, messageOf } from './errors.ts';

/** `name` is given to the cluster. Fails with TEMPLATE_INVALID, and BAD_ARGUMENT for a spec that cannot be. */
export function readClusterFile(text: string, name: string): ClusterFile {
  if (!text.trimStart().startsWith('{')) {
    const { spec, notes } = specOfTemplate(text);
    const whole = { name, data: 'keep', timing: 'dev', firstPort: null, ...spec };
    return { spec: checkSpec(whole), notes };
  }
  let value: { readonly kind?: unknown; readonly version?: unknown; readonly spec?: unknown };
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(messageOf(error));
  }
  if (value.kind !== SPEC_KIND || value.version !== 1 || typeof value.spec !== 'object') {
    throw unreadable(`It is JSON, but not of the kind ${SPEC_KIND}, version 1.`);
  }
  try {
    return { spec: checkSpec({ ...value.spec, name }), notes: [] };
  } catch (error) {
    throw error instanceof LauncherError ? unreadable(error.data.why) : error;
  }
}

function unreadable(why: string): Error {
  return launcherError('TEMPLATE_INVALID', 'This file does not describe a cluster.', why, [
    'Give a file of `muster export spec`, or a cluster template in YAML.',
  ]);
}
