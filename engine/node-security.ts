// What protects a node: tokens, access control, certificates. Everything here is null where the properties do not ask for it.
import { type AccessTokens, loadAccessTokens } from './access-tokens.ts';
import type { Settings } from './config/settings.ts';
import { AccessAdmin } from './context/access-admin.ts';
import { AccessControl } from './context/access-control.ts';
import type { ClusterManager } from './context/cluster-manager.ts';
import type { NodeTls } from './tls-files.ts';
import type { Env } from './util/env.ts';

export interface NodeSecurity {
  readonly tokens: AccessTokens | null;
  readonly tls: NodeTls | null;
}

/** Throws StartError. */
export async function loadSecurity(env: Env, settings: Settings, baseDir: string): Promise<NodeSecurity> {
  const tokens = loadAccessTokens(env, settings, baseDir);
  const { sslEnabled, httpsEnabled } = settings.accesscontrol;
  const tls =
    sslEnabled || httpsEnabled ? await (await import('./tls-files.ts')).loadTls(env, settings, baseDir) : null;
  return { tokens, tls };
}

export interface NodeAccess {
  readonly access: AccessAdmin;
  readonly accessControl: AccessControl | null;
}

export function buildAccess(manager: ClusterManager, tokens: AccessTokens | null): NodeAccess {
  const state = () => manager.view.access;
  const access = new AccessAdmin({ state, propose: (command) => manager.changeAccess(command) });
  return { access, accessControl: tokens === null ? null : new AccessControl(state, tokens.fixed) };
}
