// Every error code of the launcher, once. Purpose: one place to read and to document (docs/errors.md); a test compares both.
// May not hold logic. Entry point: `launcherError`.
import { LauncherError } from '../contract/model.ts';
import type { LauncherErrorData } from '../contract/model.ts';

export const launcherErrorCodes = [
  'BAD_ARGUMENT',
  'SCRIPT_INVALID',
  'SCRIPT_NOT_FOUND',
  'SCRIPTS_FULL',
  'SCRIPT_STOPPED',
  'SEARCH_NOT_FOUND',
  'SEARCH_EXISTS',
  'SEARCHES_FULL',
  'SEARCHES_UNREADABLE',
  'NOTE_NOT_FOUND',
  'UNKNOWN_METHOD',
  'UNAUTHORISED',
  'BODY_TOO_LARGE',
  'INTERNAL',
  'WORKSPACE_BUSY',
  'WORKSPACE_UNUSABLE',
  'HOST_GONE',
  'HOST_START_FAILED',
  'CONTROL_PORT_OFF',
  'SETTINGS_BROKEN',
  'CLUSTER_EXISTS',
  'CLUSTER_NOT_FOUND',
  'CLUSTER_NOT_RUNNING',
  'CLUSTER_RUNNING',
  'CLUSTER_AMBIGUOUS',
  'CLUSTER_BUSY',
  'CLUSTER_FILE_BROKEN',
  'NODE_NOT_FOUND',
  'NODE_NOT_RUNNING',
  'NODE_NOT_FROZEN',
  'NO_SUCH_TARGET',
  'APP_NOT_FOUND',
  'PROCESSOR_NOT_FOUND',
  'PROCESSOR_REFUSED',
  'QUERY_REFUSED',
  'ACCESS_OFF',
  'ACCESS_REFUSED',
  'ACCOUNT_NOT_FOUND',
  'PORT_IN_USE',
  'NO_FREE_PORTS',
  'PROPERTIES_FOREIGN',
  'PROPERTIES_UNREADABLE',
  'PROPERTIES_CONFLICT',
  'WIPED_FIRST_NODE',
  'ENGINE_MISSING',
  'ENGINE_START_FAILED',
  'ENGINE_CRASHED',
  'ENGINE_REFUSED',
  'NOT_READY_IN_TIME',
  'CONTEXT_REFUSED',
  'CONTEXT_NOT_FOUND',
  'CONTEXT_UNREADABLE',
  'EVENT_NOT_FOUND',
  'NOT_RECORDED',
  'PACE_REFUSED',
  'FREEZE_UNSUPPORTED',
  'ROLES_REFUSED',
  'TASK_NOT_FOUND',
  'CONFIG_REFUSED',
  'CHECKPOINT_NOT_FOUND',
  'CHECKPOINT_EXISTS',
  'CHECKPOINT_DAMAGED',
  'CHECKPOINTS_FULL',
  'DISK_FULL',
  'TEMPLATE_INVALID',
  'NODES_REFUSED',
  'FOLDER_NOT_OPENED',
  'CLEAN_REFUSED',
  'COMMAND_LINK_REFUSED',
  'LOOPBACK_UNUSABLE',
  'LOCALHOST_UNRESOLVED',
  'DISK_SLOW',
  'DISK_LOW',
  'MEMORY_LOW',
  'CLOCK_JUMPED',
  'OPEN_FILES_LOW',
] as const;

export type LauncherErrorCode = (typeof launcherErrorCodes)[number];

/** `what` and `why` are whole sentences; `next` are steps a person can take, best first. */
export function launcherError(
  code: LauncherErrorCode,
  what: string,
  why: string,
  next: readonly string[],
  where: Partial<Pick<LauncherErrorData, 'node' | 'port' | 'holder' | 'holderCluster' | 'free'>> = {},
): LauncherError {
  return new LauncherError({ code, what, why, next, ...where });
}

/** Anything thrown, as data that may cross a process border; never a stack. */
export function errorData(error: unknown): LauncherErrorData {
  if (error instanceof LauncherError) {
    return error.data;
  }
  return {
    code: 'INTERNAL',
    what: 'The launcher could not do this.',
    why: messageOf(error),
    next: ['Try again; if it happens again, report it with the log of the launcher.'],
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function errnoOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? null;
}
