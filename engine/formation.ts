// How a starting node comes into a cluster: by autocluster, by a template, or by hand. Entry points: `decideFormation`, `formCluster`.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AutoclusterDecision, decideAutocluster, type TemplateFile } from './config/autocluster.ts';
import {
  type ClusterTemplate,
  parseClusterTemplate,
  TEMPLATE_FILE,
  type TemplateContext,
} from './config/cluster-template.ts';
import type { Settings } from './config/settings.ts';
import type { AccessAdmin } from './context/access-admin.ts';
import { ADMIN_CONTEXT, AxonError } from './context/api.ts';
import type { ClusterManager } from './context/cluster-manager.ts';
import { type EngineState, ExitCode } from './control/protocol.ts';
import { StartError } from './start-error.ts';
import type { NodeStore } from './storage/api.ts';
import type { Env } from './util/env.ts';
import { pause } from './util/next-turn.ts';

export type Formation = Exclude<AutoclusterDecision, { kind: 'refuse' }>;

const TEMPLATE_DOCUMENT = 'template';
const POLL_MS = 100;

/** Before any port opens: a node that must not start is never seen by others. `known`: it is a member already. */
export function decideFormation(settings: Settings, baseDir: string, known: boolean): Formation {
  const decision = decideAutocluster({ settings, initialised: known, template: templateOf(settings, baseDir, known) });
  if (decision.kind !== 'refuse') return decision;
  const next = ['Correct the properties or the template and start again'];
  throw new StartError(ExitCode.BAD_CONFIGURATION, decision.code, decision.message, next);
}

/** CT-1: read on a fresh start only; what it says later is not looked at. */
function templateOf({ formation }: Settings, baseDir: string, known: boolean): TemplateFile | null {
  const path = formation.clusterTemplatePath ?? `./${TEMPLATE_FILE}`;
  const file = resolve(baseDir, path);
  if (formation.clusterTemplatePath === null && !existsSync(file)) return null;
  return known ? { path, template: null, problem: null } : readTemplate(path, file);
}

function readTemplate(path: string, file: string): TemplateFile {
  try {
    return { path, template: parseClusterTemplate(readFileSync(file, 'utf8')), problem: null };
  } catch (error) {
    return { path, template: null, problem: textOf(error) };
  }
}

export interface FormationParts {
  readonly env: Env;
  readonly manager: ClusterManager;
  readonly template: TemplateRun;
  readonly setState: (state: EngineState) => void;
}

/** Goes on after the start of the node: formation and joining take as long as they take (AC-6, AC-12). */
export function formCluster(parts: FormationParts, decision: Formation): void {
  const { env, manager, template, setState } = parts;
  const formed = (work: Promise<void>): void => {
    work.then(
      () => setState('running'),
      (error: unknown) => env.log.error(`Forming the cluster failed: ${textOf(error)}`, { code: 'FORMATION_FAILED' }),
    );
  };
  switch (decision.kind) {
    case 'already-member':
      setState('running');
      void manager.announceSelf();
      formed(manager.resumeFormation().then(() => void template.resume()));
      return;
    case 'init':
      setState('joining');
      formed(init(parts, decision));
      return;
    case 'join':
      setState('joining');
      formed(manager.joinUntilDone(decision.host, decision.port, decision.contexts));
      return;
    case 'none': {
      setState('uninitialised');
      const how = 'initialise it (POST /v1/context/init) or let it join one (POST /v1/cluster)';
      env.log.info(`Not part of a cluster: ${how}`, { code: 'UNINITIALISED' });
    }
  }
}

/** What a template asks for goes on after the cluster is formed, until its nodes are there. */
async function init({ manager, template }: FormationParts, decision: Formation & { kind: 'init' }): Promise<void> {
  if (decision.template !== undefined) await template.remember();
  await manager.initCluster(decision.contexts, decision.dcb);
  if (decision.template !== undefined) void template.run(decision.template);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export interface TemplateRunOptions {
  readonly env: Env;
  readonly store: NodeStore;
  readonly settings: Settings;
  readonly baseDir: string;
  readonly manager: ClusterManager;
  readonly access: AccessAdmin;
}

/**
 * On the node that forms the cluster: creates what the template asks for as soon as the nodes that it names have joined. What is left is
 * remembered, so that a kill in the middle changes nothing.
 */
export class TemplateRun {
  readonly #options: TemplateRunOptions;
  #waitingFor: string | null = null;
  #stopped = false;

  constructor(options: TemplateRunOptions) {
    this.#options = options;
  }

  /** A sentence about what it waits for, or null. */
  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Must be on disk before the cluster is formed. */
  remember(): Promise<void> {
    return this.#options.store.writeDocument(TEMPLATE_DOCUMENT, { pending: true });
  }

  /** After a restart: does the rest of a template that was not finished. */
  async resume(): Promise<void> {
    const kept = this.#options.store.readDocument(TEMPLATE_DOCUMENT) as { readonly pending?: unknown } | undefined;
    if (kept?.pending !== true) return;
    const { settings, baseDir, env } = this.#options;
    const path = settings.formation.clusterTemplatePath ?? `./${TEMPLATE_FILE}`;
    const { template, problem } = readTemplate(path, resolve(baseDir, path));
    if (template !== null) return this.run(template);
    env.log.error(`The rest of the cluster template ${path} is not applied: ${problem}`, { code: 'TEMPLATE_REFUSED' });
  }

  async run(template: ClusterTemplate): Promise<void> {
    const { manager, store, env } = this.#options;
    let left = template.contexts;
    while (left.length > 0 && !this.#stopped) {
      const known = new Set(manager.view.nodes.map((node) => node.name));
      const missing = (context: TemplateContext): readonly string[] =>
        context.roles.map((role) => role.node).filter((node) => !known.has(node));
      for (const context of left.filter((one) => missing(one).length === 0)) {
        if (await this.#done(context.name, () => this.#create(context))) left = left.filter((one) => one !== context);
      }
      const awaited = [...new Set(left.flatMap(missing))].sort();
      this.#waitingFor = awaited.length === 0 ? null : `The cluster template waits for ${awaited.join(', ')} to join`;
      if (left.length > 0) await pause(POLL_MS);
    }
    for (const user of template.users) await this.#again(`user ${user.name}`, () => this.#options.access.putUser(user));
    for (const application of template.applications)
      await this.#again(`application ${application.name}`, () =>
        this.#options.access.putApplication({ ...application, metaData: {} }),
      );
    if (this.#stopped) return;
    await store.writeDocument(TEMPLATE_DOCUMENT, { pending: false });
    env.log.info('The cluster template is applied', { code: 'TEMPLATE_APPLIED' });
  }

  async #create({ name, roles, metaData }: TemplateContext): Promise<void> {
    const { manager, settings } = this.#options;
    if (name !== ADMIN_CONTEXT) {
      if (manager.view.contexts.some((context) => context.name === name)) return;
      await manager.createContext({ name, roles, metaData, dcb: metaData['dcb'] === 'true' });
      return;
    }
    // The node that forms the cluster leads `_admin`: its own role changes last.
    const ordered = [...roles].sort(
      (left, right) => Number(left.node === settings.name) - Number(right.node === settings.name),
    );
    for (const { node, role } of ordered) await manager.setRole(ADMIN_CONTEXT, node, role);
  }

  async #again(what: string, work: () => Promise<unknown>): Promise<void> {
    while (!this.#stopped && !(await this.#done(what, work))) await pause(POLL_MS);
  }

  /** False: no leader at the moment, to be tried again. What the cluster refuses is told and given up. */
  async #done(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof AxonError && ['AXONIQ-2100', 'AXONIQ-10007', 'AXONIQ-10003'].includes(error.code))
        return false;
      this.#options.env.log.error(`The cluster template is not followed for ${what}: ${textOf(error)}`, {
        code: 'TEMPLATE_REFUSED',
      });
      return true;
    }
  }
}
