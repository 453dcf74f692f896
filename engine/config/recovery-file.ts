// The file that tells a cluster where its nodes are after a move (cluster-semantics BK-9, BK-10). Pure. Entry point: `parseRecoveryFile`.

export const RECOVERY_FILE = 'recovery.json';
export const RECOVERY_CHARS_MAX = 1024 * 1024;
const ENTRIES_MAX = 1_000;
const PORT_MAX = 65_535;
const TEXTS = ['name', 'oldName', 'hostName', 'internalHostName'] as const;
const PORTS = ['httpPort', 'grpcPort', 'grpcInternalPort'] as const;

/** Where one node is now; what is left out stays. */
export interface NodeMove {
  readonly name: string;
  readonly hostName?: string;
  readonly internalHostName?: string;
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly grpcInternalPort?: number;
}

export class RecoveryFileError extends Error {}

/** Throws RecoveryFileError with a sentence. */
export function parseRecoveryFile(text: string): readonly NodeMove[] {
  if (text.length > RECOVERY_CHARS_MAX)
    throw new RecoveryFileError(`it is longer than ${RECOVERY_CHARS_MAX} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new RecoveryFileError(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(value) || value.length > ENTRIES_MAX)
    throw new RecoveryFileError(`it must be a list of at most ${ENTRIES_MAX} nodes`);
  const moves = value.map(parseMove);
  const twice = moves.find((move, index) => moves.findIndex((other) => other.name === move.name) !== index);
  if (twice !== undefined) throw new RecoveryFileError(`${twice.name} is in it twice`);
  return moves;
}

function parseMove(entry: unknown, index: number): NodeMove {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw new RecoveryFileError(`entry ${index + 1} is not an object`);
  const given = entry as Readonly<Record<string, unknown>>;
  for (const key of TEXTS) {
    const text = given[key] ?? undefined;
    if (text === undefined ? key === 'name' : typeof text !== 'string' || !/^\S{1,255}$/.test(text))
      throw new RecoveryFileError(`entry ${index + 1}: ${key} must be a text without blanks`);
  }
  for (const key of PORTS) {
    const port = given[key] ?? undefined;
    if (port !== undefined && (!Number.isInteger(port) || Number(port) < 1 || Number(port) > PORT_MAX))
      throw new RecoveryFileError(`entry ${index + 1}: ${key} must be a port from 1 to ${PORT_MAX}`);
  }
  const { name, oldName = name } = given as { name: string; oldName?: string };
  if (oldName !== null && oldName !== name)
    throw new RecoveryFileError(
      `it renames ${oldName} to ${name}: names are part of the replicated log and stay, only addresses and ports may change`,
    );
  const kept = [...TEXTS, ...PORTS].filter((key) => key !== 'oldName' && (given[key] ?? undefined) !== undefined);
  return Object.fromEntries(kept.map((key) => [key, given[key]])) as unknown as NodeMove;
}
