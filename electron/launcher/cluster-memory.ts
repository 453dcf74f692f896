// What outlives the hosting process in a cluster's folder: that it was formed, and which engine processes ran.
// May not start anything. Entry points: `ClusterMemory`, `wipedFirstNode`, `clearStrays`.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterPlan, NodeName, NodePlan } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { isSameProcess, readIdentity } from './process-identity.ts';
import { DATA_FOLDERS } from './properties-file.ts';
import { readJson, writeJsonAtomic } from './workspace.ts';

/** Engines of a dead host leave by themselves when their channel closes; this long they may take. */
const STRAY_GRACE_MS = 1500;
const STRAY_KILL_WAIT_MS = 3000;
const STRAY_POLL_MS = 25;

export interface RememberedState {
  readonly initialised: boolean;
  readonly formed: boolean;
}

interface RememberedProcess {
  readonly pid: number;
  readonly startMark: string;
}

export class ClusterMemory {
  readonly #stateFile: string;
  readonly #processesFile: string;
  #processes: Record<NodeName, RememberedProcess> = {};
  #writing: Promise<void> = Promise.resolve();

  constructor(dir: string) {
    this.#stateFile = path.join(dir, 'state.json');
    this.#processesFile = path.join(dir, 'processes.json');
  }

  async readState(): Promise<RememberedState> {
    const value = (await readJson(this.#stateFile).catch(() => null)) as Partial<RememberedState> | null;
    return { initialised: value?.initialised === true, formed: value?.formed === true };
  }

  writeState(state: RememberedState): Promise<void> {
    return this.#inTurn(() => writeJsonAtomic(this.#stateFile, state));
  }

  async rememberProcess(node: NodeName, pid: number): Promise<void> {
    const identity = await readIdentity(pid);
    if (identity !== null) {
      this.#processes[node] = { pid, startMark: identity.startMark };
      await this.#writeProcesses();
    }
  }

  async forgetProcess(node: NodeName, pid: number): Promise<void> {
    if (this.#processes[node]?.pid === pid) {
      delete this.#processes[node];
      await this.#writeProcesses();
    }
  }

  /** Processes that an earlier host started, whose identity still matches. */
  async strays(): Promise<readonly { readonly node: NodeName; readonly pid: number }[]> {
    const value = (await readJson(this.#processesFile).catch(() => null)) as Record<string, RememberedProcess> | null;
    const known = Object.entries(value ?? {}).filter(
      ([, entry]) => typeof entry?.pid === 'number' && typeof entry.startMark === 'string',
    );
    const alive = await Promise.all(known.map(([, entry]) => isSameProcess(entry)));
    return known.filter((_entry, position) => alive[position]).map(([node, entry]) => ({ node, pid: entry.pid }));
  }

  /** Ends only when every write is done. */
  settled(): Promise<void> {
    return this.#inTurn(async () => undefined);
  }

  #writeProcesses(): Promise<void> {
    return this.#inTurn(() => writeJsonAtomic(this.#processesFile, this.#processes));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work, work).catch(() => undefined);
    return this.#writing;
  }
}

/**
 * Ends what an earlier host left behind (a frozen engine cannot notice that its channel closed). Answers the nodes that had to
 * be killed; the others left by themselves.
 */
export async function clearStrays(memory: ClusterMemory): Promise<readonly NodeName[]> {
  let left = await memory.strays();
  for (let waited = 0; left.length > 0 && waited < STRAY_GRACE_MS; waited += STRAY_POLL_MS) {
    await delay(STRAY_POLL_MS);
    left = await memory.strays();
  }
  const killed = left.map((stray) => stray.node);
  for (const stray of left) {
    try {
      process.kill(process.platform === 'win32' ? stray.pid : -stray.pid, 'SIGKILL');
    } catch {
      // It left in this very moment.
    }
  }
  for (let waited = 0; left.length > 0 && waited < STRAY_KILL_WAIT_MS; waited += STRAY_POLL_MS) {
    await delay(STRAY_POLL_MS);
    left = await memory.strays();
  }
  return killed;
}

/** Deletes the data of one node only. */
export async function deleteNodeData(node: NodePlan): Promise<void> {
  for (const folder of DATA_FOLDERS) {
    await rm(path.join(node.dir, folder), { recursive: true, force: true });
  }
}

export async function hasData(node: NodePlan): Promise<boolean> {
  for (const folder of DATA_FOLDERS) {
    if (await holdsFile(path.join(node.dir, folder))) {
      return true;
    }
  }
  return false;
}

async function holdsFile(dir: string): Promise<boolean> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isDirectory() || (await holdsFile(path.join(dir, entry.name)))) {
      return true;
    }
  }
  return false;
}

/**
 * Decision 8, cluster-semantics AC-14: a first node whose folder was emptied is "clean", matches `autocluster.first`, and would
 * form a second cluster beside the one its peers still know. Answers the error to show, or null when the start is safe.
 */
export async function wipedFirstNode(plan: ClusterPlan, node: NodePlan, initialised: boolean): Promise<Error | null> {
  if (!initialised || node.name !== plan.nodes[0]?.name || (await hasData(node))) {
    return null;
  }
  const others = plan.nodes.filter((candidate) => candidate.name !== node.name);
  const withData = await Promise.all(others.map(hasData));
  const peers = others.filter((_other, position) => withData[position]).map((other) => other.name);
  if (peers.length === 0) {
    return null;
  }
  return launcherError(
    'WIPED_FIRST_NODE',
    `${node.name} has lost its data, and would form a second cluster.`,
    `It is the first node of ${plan.spec.name}; ${peers.join(' and ')} still belong to the cluster it once formed.`,
    [
      `Put the folders ${DATA_FOLDERS.join(' and ')} of ${node.dir} back from a copy, then start ${node.name}.`,
      `Or go on without it: the other nodes keep working while a majority of them runs.`,
      `Or start all over: muster rm ${plan.spec.name} --yes, then muster up ${plan.spec.name}`,
    ],
    { node: node.name },
  );
}
