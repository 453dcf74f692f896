// The formation decision of a starting node (cluster-semantics §3, decision 7). Pure.
import type { Settings } from './settings.ts';

const ADMIN_CONTEXT = '_admin';
const DEFAULT_CONTEXT = 'default';

export type AutoclusterDecision =
  /** Not a clean start: formation properties are ignored (AC-11). */
  | { readonly kind: 'already-member' }
  /** Nothing asked for: the node waits for an init or a join by hand (LC-1, LC-12). */
  | { readonly kind: 'none' }
  /** Form the cluster here. `contexts` always starts with `_admin` (AC-4). */
  | { readonly kind: 'init'; readonly contexts: readonly string[]; readonly dcb: boolean }
  /** Join at `host:port` (internal address) and retry for ever; an empty list joins the cluster only (AC-9). */
  | { readonly kind: 'join'; readonly host: string; readonly port: number; readonly contexts: readonly string[] }
  /** The process must not start. */
  | { readonly kind: 'refuse'; readonly code: RefuseCode; readonly message: string };

export type RefuseCode =
  | 'AUTOCLUSTER_AND_TEMPLATE'
  | 'AUTOCLUSTER_AND_PLATFORM'
  | 'AUTOCLUSTER_AND_STANDALONE'
  | 'CLUSTER_TEMPLATE_UNSUPPORTED';

export interface AutoclusterInput {
  readonly settings: Settings;
  /** This node's data records contexts or a cluster membership (LC-2). */
  readonly initialised: boolean;
  /** The default template file `./cluster-template.yml` exists. Default false. */
  readonly templateFileExists?: boolean;
}

export function decideAutocluster(input: AutoclusterInput): AutoclusterDecision {
  const { formation, internalHostName, internalPort } = input.settings;
  const first = formation.first;
  const template = formation.clusterTemplatePath !== null || input.templateFileExists === true;
  if (first !== null && template) {
    const path = formation.clusterTemplatePath ?? './cluster-template.yml';
    const message = `autocluster.first and a cluster template (${path}) are both given; they contradict each other: keep one`;
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
  if (template) {
    const message =
      'cluster templates are not supported by this version; use autocluster.first, or form the cluster by hand';
    return { kind: 'refuse', code: 'CLUSTER_TEMPLATE_UNSUPPORTED', message };
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
