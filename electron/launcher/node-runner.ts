// Runs one node of a cluster: its process, its log, its handshakes. Reports everything as events; holds no view.
// May not know other nodes. Entry point: `NodeRunner`.
import type { DiskFault, EngineAsk, EngineToLauncher, LinkFault } from '../../engine/control/protocol.ts';
import { STOP_GRACE_MS } from '../contract/api.ts';
import type { LogLine, NodePlan } from '../contract/model.ts';
import type { ClusterMemory } from './cluster-memory.ts';
import { type ClusterEvent, isFrozen, type NodeFacts } from './cluster-state.ts';
import { EngineProcess } from './engine-process.ts';
import type { EngineExit } from './engine-process.ts';
import { launcherError } from './errors.ts';
import { FileWatch } from './file-watch.ts';
import { NodeLog } from './logs.ts';
import { isHandshake, probeGrpc } from './probe.ts';
import type { ClusterSecurity } from './security.ts';

const HANDSHAKE_RETRY_MS = 50;
/** A ready node is asked again this often, so that green stays true. */
const HANDSHAKE_REPEAT_MS = 5000;
const LAST_LINES = 3;

export interface NodeRunnerOptions {
  readonly node: NodePlan;
  readonly enginePath: string;
  /** Arguments for Node itself, before the engine's path. */
  readonly nodeArguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly memory: ClusterMemory;
  /** The context that the first handshake asks for; null = none is planned. */
  readonly context: string | null;
  readonly security: () => Promise<ClusterSecurity>;
  readonly facts: () => NodeFacts;
  readonly apply: (event: ClusterEvent) => void;
  readonly onLog: (lines: readonly LogLine[]) => void;
}

export class NodeRunner {
  readonly log: NodeLog;
  readonly #options: NodeRunnerOptions;
  #engine: EngineProcess | null = null;
  /** Of the properties that the process has read. */
  #properties: FileWatch | null = null;
  #probing = false;

  constructor(options: NodeRunnerOptions) {
    this.#options = options;
    this.log = new NodeLog(options.node.name, options.node.logFile, options.onLog);
  }

  get node(): NodePlan {
    return this.#options.node;
  }

  get pid(): number | null {
    return this.#engine?.pid ?? null;
  }

  /** Fails with ENGINE_START_FAILED. */
  async start(): Promise<void> {
    const { node, now, memory } = this.#options;
    const engine = await EngineProcess.start(
      {
        enginePath: this.#options.enginePath,
        node,
        nodeArguments: this.#options.nodeArguments,
        environment: this.#options.environment,
      },
      {
        message: (message) => this.#receive(message),
        output: (chunk) => this.log.append(chunk, now()),
        exit: (exit) => this.#exited(exit),
      },
    );
    this.#engine = engine;
    this.#options.apply({ type: 'spawned', node: node.name, pid: engine.pid, at: now() });
    this.log.mark(`started (pid ${engine.pid})`, now());
    this.#properties?.close();
    this.#properties = new FileWatch(node.propertiesFile, (at) => {
      this.#options.apply({ type: 'properties-changed', node: node.name, at });
    });
    void memory.rememberProcess(node.name, engine.pid);
  }

  /** Graceful; SIGKILL after STOP_GRACE_MS. Answers when the process is gone. */
  async stop(reason: string): Promise<void> {
    const engine = this.#engine;
    if (engine === null) {
      return;
    }
    this.#options.apply({ type: 'end-requested', node: this.#options.node.name, reason, graceful: true });
    if (isFrozen(this.#options.facts())) {
      this.resume();
    }
    await engine.stop(STOP_GRACE_MS);
  }

  async kill(): Promise<void> {
    const reason = 'Killed by you (SIGKILL)';
    if (this.#engine !== null) {
      this.#options.apply({ type: 'end-requested', node: this.#options.node.name, reason, graceful: false });
      await this.#engine.kill();
    }
  }

  /** Fails with FREEZE_UNSUPPORTED on Windows. */
  freeze(): void {
    refuseFreezeOnWindows();
    this.#engine?.freeze();
    this.#frozen(true, 'frozen by you');
  }

  resume(): void {
    refuseFreezeOnWindows();
    this.#engine?.resume();
    this.#frozen(false, 'resumed by you');
  }

  /** Fails with ENGINE_REFUSED. Does nothing when the node does not run. */
  async setLinkFaults(faults: readonly LinkFault[]): Promise<void> {
    await this.#engine?.setLinkFaults(faults);
  }

  /** Fails with ENGINE_REFUSED. Does nothing when the node does not run. */
  async setDiskFault(fault: DiskFault): Promise<void> {
    await this.#engine?.setDiskFault(fault);
  }

  /** Fails with ENGINE_REFUSED. Does nothing when the node does not run. */
  async setClockSkew(skewMs: number): Promise<void> {
    await this.#engine?.setClockSkew(skewMs);
  }

  /** Fails with NODE_NOT_RUNNING and ENGINE_REFUSED. */
  async ask<T>(ask: EngineAsk): Promise<T> {
    if (this.#engine === null || isFrozen(this.#options.facts())) {
      const { name } = this.#options.node;
      throw launcherError('NODE_NOT_RUNNING', `${name} does not answer.`, 'It is down or frozen.', [
        `Start it: muster start ${name}`,
      ]);
    }
    return (await this.#engine.ask(ask)) as T;
  }

  #frozen(frozen: boolean, mark: string): void {
    const at = this.#options.now();
    this.#options.apply({ type: 'frozen', node: this.#options.node.name, frozen, at });
    this.log.mark(mark, at);
  }

  #receive(message: EngineToLauncher): void {
    const node = this.#options.node.name;
    if (message.type === 'fatal') {
      this.#options.apply({ type: 'fatal', node, code: message.code, message: message.message, next: message.next });
    } else if (message.type === 'status') {
      this.#options.apply({ type: 'report', node, report: message, at: this.#options.now() });
      void this.#probe();
    }
  }

  /** One handshake at a time; after success again only every HANDSHAKE_REPEAT_MS. */
  async #probe(): Promise<void> {
    const { node, now, apply } = this.#options;
    const before = this.#options.facts();
    const due = before.handshakeAt === null || now() - before.handshakeAt > HANDSHAKE_REPEAT_MS;
    if (this.#probing || !due || isFrozen(before) || before.phase !== 'running' || before.report?.state !== 'running') {
      return;
    }
    this.#probing = true;
    // The first handshake must succeed in a context; later ones only prove that the server still answers.
    const context = before.handshakeAt === null ? this.#options.context : null;
    const result = await probeGrpc(node.grpc, context, await this.#options.security());
    this.#probing = false;
    const after = this.#options.facts();
    if (after.pid !== before.pid || isFrozen(after)) {
      return;
    }
    const ok = isHandshake(result, context);
    const why = ok ? null : result.status === null ? result.why : `gRPC status ${result.status}: ${result.why}`;
    apply({ type: 'handshake', node: node.name, why, at: now() });
    if (!ok) {
      setTimeout(() => void this.#probe(), HANDSHAKE_RETRY_MS).unref();
    }
  }

  #exited(exit: EngineExit): void {
    const { node, now, memory } = this.#options;
    const pid = this.#engine?.pid;
    this.#engine = null;
    this.#properties?.close();
    this.#options.apply({
      type: 'exited',
      node: node.name,
      at: now(),
      ...exit,
      lastLines: this.log.lastTexts(LAST_LINES),
    });
    this.log.mark(`ended: ${this.#options.facts().exit?.reason ?? ''}`, now());
    if (pid !== undefined) {
      void memory.forgetProcess(node.name, pid);
    }
  }
}

function refuseFreezeOnWindows(): void {
  if (process.platform === 'win32') {
    throw launcherError('FREEZE_UNSUPPORTED', 'Processes cannot be frozen on this system.', '', [
      'Use kill or cut instead.',
    ]);
  }
}
