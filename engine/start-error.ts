// Why a node cannot start or go on, in words for people and with an exit code for the launcher.
import { ExitCode } from './control/protocol.ts';
import { StorageError } from './storage/errors.ts';

/** Why the process cannot go on, for people: `code` is documented in docs/errors.md. */
export class StartError extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly next: readonly string[];
  constructor(exitCode: number, code: string, message: string, next: readonly string[]) {
    super(message);
    this.name = 'StartError';
    this.exitCode = exitCode;
    this.code = code;
    this.next = next;
  }
}

/** Opens one port; a taken or unusable one becomes a StartError that names it. */
export async function listenOn(purpose: string, port: number, listen: () => Promise<unknown>): Promise<void> {
  try {
    await listen();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartError(
        ExitCode.PORT_IN_USE,
        'PORT_IN_USE',
        `The ${purpose} port ${port} is in use by another process.`,
        ['Stop that process', `Or set another ${purpose} port`],
      );
    }
    throw new StartError(
      ExitCode.PORT_IN_USE,
      'PORT_UNUSABLE',
      `The ${purpose} port ${port} cannot be opened: ${message}`,
      ['Choose another port or address'],
    );
  }
}

/** Storage errors with what to do about them; others as they are. */
export function startErrorOf(error: unknown): Error {
  if (error instanceof StorageError)
    return new StartError(exitCodeFor(error.code), error.code, error.message, nextForStorage(error.code));
  return error instanceof Error ? error : new Error(String(error));
}

function exitCodeFor(code: string): number {
  return code === 'DISK_FAILED' ? ExitCode.DISK_FAILED : ExitCode.DATA_REFUSED;
}

function nextForStorage(code: string): readonly string[] {
  switch (code) {
    case 'DATA_FOLDER_IN_USE':
      return ['Stop the process that uses the folder'];
    case 'DATA_FOLDER_OF_OTHER_NODE':
      return ['Give every node a data folder of its own'];
    case 'DATA_FROM_NEWER_VERSION':
      return ['Start it with the newer version of Muster'];
    case 'DATA_DAMAGED':
      return ['Restore the folder from a copy', 'Or remove this node from the cluster and let it join again empty'];
    case 'DISK_FAILED':
      return [
        'Check the disk (system log, SMART)',
        'Start the node again: what was in doubt is dropped and copied from the others',
      ];
    case 'DISK_FULL':
      return ['Free disk space and start the node again'];
    default:
      return ['Check the folder and its permissions'];
  }
}
