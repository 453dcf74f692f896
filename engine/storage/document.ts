// Small JSON documents with a CRC, replaced atomically: temp file, fdatasync, rename, directory fsync.
// May not: know what is inside. Entry points: encodeDocument, decodeDocument, replaceDocument.
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Disk } from './disk.ts';
import { StorageError } from './errors.ts';

const MAGIC = 'MUSTER-DOC';

/** One header line `MUSTER-DOC <crc hex> <length>`, then the JSON text. */
export function encodeDocument(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  return Buffer.concat([Buffer.from(`${MAGIC} ${crc32(body).toString(16).padStart(8, '0')} ${body.length}\n`), body]);
}

/** Throws StorageError DATA_DAMAGED naming `path` when header, length, CRC or JSON are wrong. */
export function decodeDocument(bytes: Buffer, path: string): unknown {
  const lineEnd = bytes.indexOf(0x0a);
  const match = lineEnd < 0 ? null : /^MUSTER-DOC ([0-9a-f]{8}) (\d{1,10})$/.exec(bytes.toString('latin1', 0, lineEnd));
  if (match === null) throw new StorageError('DATA_DAMAGED', path, 'not a document of this program', 0);
  const body = bytes.subarray(lineEnd + 1);
  if (body.length !== Number(match[2]) || crc32(body) !== Number.parseInt(match[1]!, 16)) {
    throw new StorageError('DATA_DAMAGED', path, 'document does not match its checksum', lineEnd + 1);
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new StorageError('DATA_DAMAGED', path, 'document is not JSON', lineEnd + 1);
  }
}

/** Writes next to `path` and flushes; `publishDocument` makes it count. */
export async function stageDocument(disk: Disk, path: string, value: unknown): Promise<void> {
  const temporary = `${path}.tmp`;
  disk.unlink(temporary);
  const file = disk.open(temporary, 'create-new');
  try {
    await file.write([encodeDocument(value)], 0);
    await file.sync();
  } finally {
    file.close();
  }
}

export async function publishDocument(disk: Disk, path: string): Promise<void> {
  disk.rename(`${path}.tmp`, path);
  await disk.syncDirectory(dirname(path));
}

/** Durable and complete when resolved; after a crash the old or the new value is there, never a mixture. */
export async function replaceDocument(disk: Disk, path: string, value: unknown): Promise<void> {
  await stageDocument(disk, path, value);
  await publishDocument(disk, path);
}

export function readDocument(disk: Disk, path: string): unknown {
  const bytes = disk.readFile(path);
  return bytes === undefined ? undefined : decodeDocument(bytes, path);
}
