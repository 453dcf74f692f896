// The options of `muster up` and `plan` as a spec. Entry point: `specOf`.
import { DOCKER_HOST } from '../contract/reach.ts';
import { checkSpec } from '../contract/check.ts';
import { parseContexts, parseWholeNumber, UsageError } from '../contract/grammar.ts';
import { LauncherError } from '../contract/model.ts';
import type { ClusterSpec } from '../contract/model.ts';
import type { Timing } from '../contract/pace.ts';
import { timingPresets } from '../contract/timings.ts';
import { scenarios, scenarioSpec } from '../contract/scenarios.ts';
import { specFromFile } from './export-commands.ts';

const DEFAULT_NAME = 'dev';
/** How a container reaches the computer that it runs on. */
/** The words of the command line for the fields of a spec. */
const OPTION_OF: Readonly<Record<string, string>> = {
  name: 'the name',
  nodes: '--nodes',
  contexts: '--contexts',
  timing: '--timing',
  firstPort: '--first-port',
  host: '--host',
};

export interface UpOptions {
  readonly nodes?: string;
  readonly template?: string;
  readonly scenario?: string;
  readonly host?: string;
  readonly contexts?: string;
  readonly throwAway?: boolean;
  readonly detach?: boolean;
  readonly wait?: string;
  readonly timing?: string;
  readonly dcb?: boolean;
  readonly accessControl?: boolean;
  readonly tls?: boolean;
  readonly firstPort?: string;
}

export function specOf(name: string | undefined, options: UpOptions): ClusterSpec {
  const plain = {
    name: name ?? DEFAULT_NAME,
    nodes: parseWholeNumber(options.nodes ?? '3', '--nodes'),
    contexts: parseContexts(options.contexts ?? 'default'),
    data: 'keep',
    timing: 'dev' as Timing['timing'],
    firstPort: null,
  };
  const base = { ...plain, ...givenLayout(options, plain) };
  return inOptions(() =>
    checkSpec({
      ...base,
      ...(options.throwAway === true ? { data: 'throw-away' } : {}),
      ...(options.timing === undefined ? {} : timingOf(options.timing)),
      ...(options.host === undefined ? {} : { host: options.host === 'docker' ? DOCKER_HOST : options.host }),
      ...(options.dcb === true ? { dcb: true } : {}),
      ...(options.accessControl === true ? { accessControl: true } : {}),
      ...(options.tls === true ? { tls: true } : {}),
      ...(options.firstPort === undefined ? {} : { firstPort: parseWholeNumber(options.firstPort, '--first-port') }),
    }),
  );
}

/** Both fields, for a file may have said otherwise. */
function timingOf(word: string): Required<Timing> {
  const found = timingPresets.find((one) => one.id === word);
  if (found === undefined) {
    const known = timingPresets.map((one) => one.id).join(', ');
    throw new UsageError(`--timing cannot be used: ${JSON.stringify(word)} is not one of ${known}.`);
  }
  return { timing: found.timing, slowMotion: found.slowMotion };
}

/** Nodes, contexts and roles of a template or a scenario; of neither: nothing. */
function givenLayout(
  { template, scenario, nodes, contexts }: UpOptions,
  plain: Pick<ClusterSpec, 'name' | 'contexts'>,
): Partial<ClusterSpec> {
  if (template !== undefined && (nodes ?? contexts ?? scenario) !== undefined) {
    throw new UsageError('Nodes and contexts are those of the template: leave out --nodes, --contexts and --scenario.');
  }
  if (template !== undefined) return specFromFile(template, plain.name).spec;
  if (scenario === undefined) return {};
  const found = scenarios.find((one) => one.id === scenario);
  if (found === undefined || nodes !== undefined) {
    const known = scenarios.map((one) => `${one.id} (${one.label.toLowerCase()})`).join(', ');
    throw new UsageError(
      found === undefined
        ? `There is no scenario ${scenario}; there are ${known}.`
        : 'The scenario says how many nodes there are: leave out --nodes.',
    );
  }
  return scenarioSpec(found, plain.contexts);
}

/** A refused field is named as it was typed. */
function inOptions(check: () => ClusterSpec): ClusterSpec {
  try {
    return check();
  } catch (error) {
    const field = error instanceof LauncherError ? /'spec\.(\w+)/.exec(error.data.what)?.[1] : undefined;
    throw error instanceof LauncherError && field !== undefined
      ? new UsageError(`${OPTION_OF[field] ?? field} cannot be used: ${error.data.why}`)
      : error;
  }
}
