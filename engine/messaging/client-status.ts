// What the launcher and the REST overview show of the applications connected to this node.
import type { ConnectedClient, ProcessorStatus } from './clients.ts';
import type { LocalRegistration } from './local-streams.ts';

/** Fits ClientReport of control/protocol.ts. */
export interface ClientStatus {
  readonly clientId: string;
  readonly componentName: string;
  readonly context: string;
  readonly version: string;
  /** Epoch ms; 0 for a client without a control stream (CF-11, CF-12). */
  readonly connectedSince: number;
  readonly commands: readonly string[];
  readonly queries: readonly string[];
  /** Messages that may be sent before the client asks for more, over its streams with handlers; absent without one. */
  readonly commandPermits?: number;
  readonly queryPermits?: number;
  readonly processors: readonly ProcessorStatus[];
}

interface Entry {
  readonly client: Omit<ClientStatus, 'commands' | 'queries' | 'commandPermits' | 'queryPermits'>;
  readonly connectionId: number;
  readonly commands: Set<string>;
  readonly queries: Set<string>;
  readonly permits: { commandPermits?: number; queryPermits?: number };
}

/** One status per control stream, and one per client that only has handler streams. */
export function clientStatuses(
  clients: readonly ConnectedClient[],
  streams: readonly { readonly registration: LocalRegistration; readonly permits: number }[],
): ClientStatus[] {
  const entries: Entry[] = clients.map(({ identity, owner, connectedSince, processors }) => ({
    client: {
      clientId: identity.clientId,
      componentName: identity.componentName,
      context: owner.context,
      version: identity.version,
      connectedSince,
      processors,
    },
    connectionId: owner.connectionId,
    commands: new Set<string>(),
    queries: new Set<string>(),
    permits: {},
  }));
  for (const { registration, permits } of streams) {
    if (registration.names.size === 0) continue;
    const entry = entryOf(entries, registration);
    const names = registration.kind === 'command' ? entry.commands : entry.queries;
    for (const name of registration.names) names.add(name);
    const key = registration.kind === 'command' ? 'commandPermits' : 'queryPermits';
    entry.permits[key] = (entry.permits[key] ?? 0) + permits;
  }
  return entries.map(({ client, commands, queries, permits }) => ({
    ...client,
    ...permits,
    commands: [...commands].sort(),
    queries: [...queries].sort(),
  }));
}

function entryOf(entries: Entry[], registration: LocalRegistration): Entry {
  const { clientId, componentName, owner } = registration;
  const sameClient = entries.filter(({ client }) => client.clientId === clientId && client.context === owner.context);
  const found = sameClient.find((entry) => entry.connectionId === owner.connectionId) ?? sameClient[0];
  if (found !== undefined) return found;
  const client = { clientId, componentName, context: owner.context, version: '', connectedSince: 0, processors: [] };
  const entry = {
    client,
    connectionId: owner.connectionId,
    commands: new Set<string>(),
    queries: new Set<string>(),
    permits: {},
  };
  entries.push(entry);
  return entry;
}
