// Nodes that came back at other addresses after a move: dialled where the recovery file says until the cluster itself knows (BK-9).
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type NodeMove, parseRecoveryFile, RECOVERY_FILE, RecoveryFileError } from './config/recovery-file.ts';
import type { Settings } from './config/settings.ts';
import type { NodeInfo } from './context/api.ts';
import { ExitCode } from './control/protocol.ts';
import { StartError } from './start-error.ts';
import type { Env } from './util/env.ts';

export class MovedNodes {
  readonly #moves: ReadonlyMap<string, NodeMove>;
  /** Internal addresses in the first state seen: one that changed since is newer than the file. */
  #before: ReadonlyMap<string, string> | null = null;

  constructor(moves: readonly NodeMove[]) {
    this.#moves = new Map(moves.map((move) => [move.name, move]));
  }

  /** The nodes with the internal addresses to dial. */
  located(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
    if (this.#moves.size === 0) return nodes;
    if (nodes.length > 0) this.#before ??= new Map(nodes.map((node) => [node.name, addressOf(node)]));
    return nodes.map((node) => {
      const move = this.#moves.get(node.name);
      if (move === undefined || this.#before?.get(node.name) !== addressOf(node)) return node;
      const { internalHostName = node.internalHostName, grpcInternalPort = node.internalPort } = move;
      return { ...node, internalHostName, internalPort: grpcInternalPort };
    });
  }
}

/** Throws StartError when the file cannot be used, or says something else about this node than its properties. */
export function readMovedNodes(env: Env, settings: Settings, baseDir: string): MovedNodes {
  const { recoveryFile } = settings.formation;
  const file = resolve(baseDir, recoveryFile);
  if (recoveryFile === RECOVERY_FILE && !existsSync(file)) return new MovedNodes([]);
  let moves: readonly NodeMove[];
  try {
    moves = parseRecoveryFile(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof RecoveryFileError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw refusal(`${file} cannot be used: ${(error as Error).message}.`);
  }
  const own = moves.find((move) => move.name === settings.name);
  for (const [key, wanted] of Object.entries(own ?? {})) {
    const set = settings[key === 'grpcInternalPort' ? 'internalPort' : (key as 'name')];
    if (set !== wanted) throw refusal(`${file} says ${key} ${wanted} of ${settings.name}, the properties say ${set}.`);
  }
  const names = moves.map((move) => move.name).join(', ');
  env.log.warn(`Addresses of ${names} are taken from ${file}. Delete it when all of them are back`, { code: 'MOVED' });
  return new MovedNodes(moves);
}

const refusal = (message: string): StartError =>
  new StartError(ExitCode.BAD_CONFIGURATION, 'RECOVERY_REFUSED', message, [
    'Correct the file, the same on every node, and start again',
    'Or delete it, if no node has moved',
  ]);

const addressOf = (node: NodeInfo): string => `${node.internalHostName}:${node.internalPort}`;
