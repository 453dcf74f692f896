// The formation decision of a starting node (cluster-semantics §3, decision 7). Pure.
import type { ClusterTemplate } from './cluster-template.ts';
import type { Settings } from './settings.ts';

const ADMIN_CONTEXT = '_admin';
const DEFAULT_CONTEXT = 'default';

export type AutoclusterDecision =
  /** Not a clean start: formation properties are ignored (AC-11). */
  | { readonly kind: 'already-member' }
  /** Nothing asked for: the node waits for an init or a join by hand (LC-1, LC-12). */
  | { readonly kind: 'none' }
  /** Form the cluster here. `contexts` always starts with `_admin` (AC-4). */
  | {
      readonly kind: 'init';
      readonly contexts: readonly string[];
      readonly dcb: boolean;
      /** What to create as soon as the nodes that it names have joined (CT-2). */
      readonly template?: ClusterTemplate;
    }
  /** Join at `host:port` (internal address) and retry for ever; an empty list joins the cluster only (AC-9). */
  | { readonly kind: 'join'; readonly host: string; readonly port: number; readonly contexts: readonly string[] }
  /** The process must not start. */
  | { readonly kind: 'refuse'; readonly code: RefuseCode; readonly message: string };

export type RefuseCode =
  | 'AUTOCLUSTER_AND_TEMPLATE'
  | 'AUTOCLUSTER_AND_PLATFORM'
  | 'AUTOCLUSTER_AND_STANDALONE'
  | 'CLUSTER_TEMPLATE_INVALID';

/** The template of a node: as read, or why it cannot be. Both null: the node is a member already and it was not read (CT-1). */
export interface TemplateFile {
  readonly path: string;
  readonly template: ClusterTemplate | null;
  readonly problem: string | null;
}

export interface AutoclusterInput {
  readonly settings: Settings;
  /** This node's data records contexts or a cluster membership (LC-2). */
  readonly initialised: boolean;
  /** Null: there is none. */
  readonly template: TemplateFile | null;
}

export function decideAutocluster(input: AutoclusterInput): AutoclusterDecision {
  const { formation, internalHostName, internalPort } = input.settings;
  const first = formation.first;
  const { template } = input;
  if (first !== null && template !== null) {
    const message = `autocluster.first and a cluster template (${template.path}) are both given; they contradict each other: keep one`;
    return { kind: 'refuse', code: 'AUTOCLUSTER_AND_TEMPLATE', message };
  }
  if (first !== null && (formation.consoleAuthentication || formation.platformAuthentication)) {
    const message =
      'autocluster.first and console.authentication or platform.authentication exclude each other: keep one';
    return { kind: 'refuse', code: 'AUTOCLUSTER_AND_PLATFORM', message };
  }
  const standalone = formation.standalone || formation.standaloneDcb;
  if (first !== null && standalone) {
    const message = 'autocluster.first and standalone are both given; they contradict each other: keep one';
    return { kind: 'refuse', code: 'AUTOCLUSTER_AND_STANDALONE', message };
  }
  if (input.initialised) {
    return { kind: 'already-member' };
  }
  if (template !== null) {
    return byTemplate(template, internalHostName, internalPort);
  }
  if (standalone) {
    return { kind: 'init', contexts: [ADMIN_CONTEXT, DEFAULT_CONTEXT], dcb: formation.standaloneDcb };
  }
  if (first === null) {
    return { kind: 'none' };
  }
  const contexts = formation.contexts;
  if (first.host === internalHostName && first.port === internalPort) {
    const others = contexts.filter((context) => context !== ADMIN_CONTEXT);
    return { kind: 'init', contexts: [ADMIN_CONTEXT, ...others], dcb: formation.dcb };
  }
  return { kind: 'join', host: first.host, port: first.port, contexts };
}

/** CT-2, CT-3: the node that `first` names forms the cluster, every other joins it and is given its roles from there. */
function byTemplate({ path, template, problem }: TemplateFile, host: string, port: number): AutoclusterDecision {
  if (template === null) {
    const message = `the cluster template ${path} cannot be used: ${problem}`;
    return { kind: 'refuse', code: 'CLUSTER_TEMPLATE_INVALID', message };
  }
  const { first } = template;
  return first.host === host && first.port === port
    ? { kind: 'init', contexts: [ADMIN_CONTEXT], dcb: false, template }
    : { kind: 'join', host: first.host, port: first.port, contexts: [] };
}
