// Three nodes with the same groups and real storage, connected in memory, without anything around them. For tests only.
// Nothing ticks until `start`: a test may campaign on its own and hold messages back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminContext, AdminState } from '../../../engine/context/admin-state.ts';
import { emptyAdminState } from '../../../engine/context/admin-state.ts';
import { GroupHost } from '../../../engine/context/group-host.ts';
import type { Replica } from '../../../engine/context/replica.ts';
import type { Message, StoringRole } from '../../../engine/raft/types.ts';
import type { NodeStore } from '../../../engine/storage/api.ts';
import { type Disk, nodeDisk } from '../../../engine/storage/disk.ts';
import { openNodeStore } from '../../../engine/storage/node-store.ts';
import { testEnv } from './mini-node.ts';

export interface Host {
  readonly groups: GroupHost;
  readonly node: NodeStore;
  /** What this node sent, one item per frame. */
  readonly batches: (readonly Message[])[];
  /** Flushes of the file that holds terms and votes. */
  hardStateSyncs: number;
}

export interface GroupHostsOptions {
  readonly groups: number;
  readonly fastPath?: boolean;
  readonly segmentBytes?: number;
  /** What each node takes for chance. */
  readonly random?: Readonly<Record<string, number>>;
}

export class GroupHosts {
  readonly all = new Map<string, Host>();
  /** False keeps the message from its receiver. */
  delivers: (message: Message, to: string) => boolean = () => true;
  readonly #held: { readonly to: string; readonly messages: readonly Message[] }[] = [];
  readonly #dirs: string[] = [];

  static async opened(options: GroupHostsOptions): Promise<GroupHosts> {
    const hosts = new GroupHosts();
    for (const self of ['node-1', 'node-2', 'node-3']) hosts.all.set(self, await hosts.#open(self, options));
    await hosts.want(options.groups);
    return hosts;
  }

  /** What every node has learned from `_admin`: the groups with these roles. */
  async want(groups: number, roles: Readonly<Record<string, StoringRole>> = {}): Promise<void> {
    const state = this.#wanted(groups, roles);
    await Promise.all([...this.all.values()].map((host) => host.groups.reconcile(state)));
  }

  host(name: string): Host {
    const found = this.all.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  async #open(self: string, options: GroupHostsOptions): Promise<Host> {
    const dir = mkdtempSync(join(tmpdir(), 'muster-groups-'));
    this.#dirs.push(dir);
    const counted: Pick<Host, 'batches' | 'hardStateSyncs'> = { batches: [], hardStateSyncs: 0 };
    const disk: Disk = {
      ...nodeDisk,
      open: (path, mode) => {
        const file = nodeDisk.open(path, mode);
        if (!/hardstate\.[ab]$/.test(path)) return file;
        const sync = file.sync.bind(file);
        file.sync = () => {
          counted.hardStateSyncs += 1;
          return sync();
        };
        return file;
      },
    };
    const node = await openNodeStore({ dir, nodeName: self, log: () => undefined, disk });
    const random = options.random?.[self];
    const groups = new GroupHost({
      env: random === undefined ? testEnv : { ...testEnv, random: () => random },
      node,
      self,
      timing: { heartbeatTicks: 10, electionTicksMin: 50, electionTicksMax: 100 },
      fastPath: options.fastPath ?? false,
      segmentBytes: options.segmentBytes ?? 1024 * 1024,
      durability: 'fsync',
      minActiveBackups: 1,
      send: (to, messages) => {
        counted.batches.push(messages);
        setImmediate(() => this.#deliver(to, messages));
      },
      applyAdmin: () => undefined,
      onLeadership: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
    return Object.assign(counted, { groups, node });
  }

  #deliver(to: string, messages: readonly Message[]): void {
    const held = messages.filter((message) => !this.delivers(message, to));
    if (held.length > 0) this.#held.push({ to, messages: held });
    this.all.get(to)?.groups.receive(messages.filter((message) => !held.includes(message)));
  }

  /** The node's replica of the first group. */
  replica(name: string): Replica {
    const [first] = this.host(name).groups.replicas();
    if (first === undefined) throw new Error(`${name} has no replica`);
    return first;
  }

  /** From now on everything arrives, first what was held back. */
  release(): void {
    this.delivers = () => true;
    for (const { to, messages } of this.#held.splice(0)) this.#deliver(to, messages);
  }

  #wanted(groups: number, roles: Readonly<Record<string, StoringRole>>): AdminState {
    const nodes = [...this.all].map(([name, { node }]) => ({ name, storeId: node.storeId }));
    const bootstrap = nodes.map(({ name, storeId }) => ({ node: name, storeId, role: 'PRIMARY' as const }));
    const contexts = Array.from({ length: groups }, (_unused, position) => ({
      name: `c${position}`,
      group: position + 2,
      roles: nodes.map(({ name }) => ({ node: name, role: roles[name] ?? 'PRIMARY' })),
      bootstrap,
      departed: [],
      metaData: {},
      dcb: false,
    }));
    return {
      ...emptyAdminState,
      nodes: nodes as unknown as AdminState['nodes'],
      contexts: contexts as unknown as readonly AdminContext[],
    };
  }

  /** How many groups the node leads, ready to serve. */
  ledBy(name: string): number {
    return this.host(name)
      .groups.replicas()
      .filter((replica) => replica.isReadyLeader).length;
  }

  /** All groups of the node ask for votes, in one turn. */
  campaign(name: string): void {
    for (const replica of this.host(name).groups.replicas()) replica.campaign();
  }

  async close(): Promise<void> {
    for (const { groups, node } of this.all.values()) {
      await groups.close();
      await node.close();
    }
    for (const dir of this.#dirs) rmSync(dir, { recursive: true, force: true });
  }
}
