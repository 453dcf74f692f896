// The one error class of storage and the table from operating system codes to ours. May not: touch files.
import type { StorageErrorCode } from './api.ts';

/** `path` names the file or folder at fault; `offset` the byte inside it where known. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly path: string;
  readonly offset: number | null;

  constructor(code: StorageErrorCode, path: string, message: string, offset: number | null = null, cause?: unknown) {
    super(`${message} (${path}${offset === null ? '' : ` at byte ${offset}`})`, cause === undefined ? {} : { cause });
    this.name = 'StorageError';
    this.code = code;
    this.path = path;
    this.offset = offset;
  }
}

const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST']);
const full = new Set(['ENOSPC', 'EDQUOT']);

/** Code of a Node system error (`ENOENT` …), undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (error === null || typeof error !== 'object' || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Turns whatever a disk call threw into a StorageError; a StorageError passes through unchanged. */
export function asStorageError(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  if (full.has(code)) return new StorageError('DISK_FULL', path, `no space left: ${text}`, null, error);
  if (unwritable.has(code))
    return new StorageError('DATA_FOLDER_UNWRITABLE', path, `cannot write: ${text}`, null, error);
  return new StorageError('DISK_FAILED', path, `disk call failed: ${text}`, null, error);
}
