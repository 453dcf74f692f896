// The data folder of one node: lock, identity, hard states, small documents. May not: know groups' logs (group-store.ts).
// Entry point: openNodeStore. Rules: storage.md §3, raft-design §9 and D8, cluster-semantics LC-2.
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { HardState } from '../raft/types.ts';
import type { NodeStore, NodeStoreOptions } from './api.ts';
import { nodeDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { publishDocument, readDocument, replaceDocument, stageDocument } from './document.ts';
import { asStorageError, StorageError } from './errors.ts';
import { HardStates } from './hard-states.ts';
import { takeLock } from './lock.ts';

/** Format of the data folder as a whole; a higher one was written by a newer program. */
export const DATA_FORMAT_VERSION = 1;
const DOCUMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type OpenNodeOptions = NodeStoreOptions & { readonly disk?: Disk };

interface Identity {
  readonly version: number;
  readonly nodeName: string;
  readonly storeId: string;
}

class FileNodeStore implements NodeStore {
  readonly dir: string;
  readonly nodeName: string;
  readonly storeId: string;
  readonly #disk: Disk;
  readonly #states: HardStates;
  readonly #release: () => void;
  /** Writes of one document follow one another. */
  readonly #writes = new Map<string, Promise<void>>();
  #closing: Promise<void> | null = null;

  constructor(disk: Disk, dir: string, identity: Identity, states: HardStates, release: () => void) {
    this.#disk = disk;
    this.dir = dir;
    this.nodeName = identity.nodeName;
    this.storeId = identity.storeId;
    this.#states = states;
    this.#release = release;
  }

  hardState(group: number): HardState | undefined {
    return this.#states.get(group);
  }

  saveHardState(group: number, state: HardState): Promise<void> {
    return this.#states.save(group, state);
  }

  dropHardState(group: number): Promise<void> {
    return this.#states.save(group, null);
  }

  readDocument(name: string): unknown {
    return readDocument(this.#disk, this.#documentPath(name));
  }

  async writeDocument(name: string, value: unknown): Promise<void> {
    const path = this.#documentPath(name);
    const before = this.#writes.get(name) ?? Promise.resolve();
    const write = before.then(() => replaceDocument(this.#disk, path, value));
    const settled = write.catch(() => undefined);
    this.#writes.set(name, settled);
    await write.catch((error) => {
      throw asStorageError(error, path);
    });
    if (this.#writes.get(name) === settled) this.#writes.delete(name);
  }

  groupDirectories(): readonly string[] {
    return this.#disk.list(join(this.dir, 'groups'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#writes.values());
    await this.#states.close();
    this.#release();
  }

  #documentPath(name: string): string {
    if (!DOCUMENT_NAME.test(name)) throw new RangeError(`not a document name: ${JSON.stringify(name)}`);
    return join(this.dir, 'documents', name);
  }
}

function isIdentity(value: unknown): value is Identity {
  if (value === null || typeof value !== 'object') return false;
  const { version, nodeName, storeId } = value as Partial<Identity>;
  return typeof version === 'number' && typeof nodeName === 'string' && /^[0-9a-f]{16}$/.test(storeId ?? '');
}

/** The identity on disk; undefined in a folder that was never completely set up. */
function readIdentity(disk: Disk, dir: string, nodeName: string): Identity | undefined {
  const path = join(dir, 'node.id');
  const value = readDocument(disk, path);
  if (value === undefined) {
    if (disk.list(join(dir, 'groups')).length === 0) return undefined;
    throw new StorageError('DATA_DAMAGED', path, 'node.id is missing but the folder holds data');
  }
  // Version first: a newer format may look different in everything else.
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > DATA_FORMAT_VERSION) {
    const text = `data folder has format ${version}, this program knows ${DATA_FORMAT_VERSION}`;
    throw new StorageError('DATA_FROM_NEWER_VERSION', path, text);
  }
  if (!isIdentity(value)) throw new StorageError('DATA_DAMAGED', path, 'node.id lacks fields', 0);
  if (value.nodeName !== nodeName) {
    const text = `data folder belongs to node ${value.nodeName}, this node is ${nodeName}`;
    throw new StorageError('DATA_FOLDER_OF_OTHER_NODE', path, text);
  }
  return value;
}

/** First start, or one that was killed before node.id existed: node.id comes last, so its presence vouches for the rest. */
async function setUp(disk: Disk, dir: string, nodeName: string): Promise<Identity> {
  disk.makeDirectory(join(dir, 'groups'));
  disk.makeDirectory(join(dir, 'documents'));
  const identity = { version: DATA_FORMAT_VERSION, nodeName, storeId: randomBytes(8).toString('hex') };
  await Promise.all([HardStates.create(disk, dir), stageDocument(disk, join(dir, 'node.id'), identity)]);
  await Promise.all([disk.syncDirectory(dir), disk.syncDirectory(dirname(dir))]);
  await publishDocument(disk, join(dir, 'node.id'));
  return identity;
}

/**
 * Opens the data folder of a node, creating it when new. Rejects with StorageError: DATA_FOLDER_IN_USE,
 * DATA_FOLDER_OF_OTHER_NODE, DATA_FROM_NEWER_VERSION, DATA_DAMAGED, DATA_FOLDER_UNWRITABLE, DISK_FULL, DISK_FAILED.
 */
export async function openNodeStore(options: OpenNodeOptions): Promise<NodeStore> {
  const { dir, nodeName, log, disk = nodeDisk } = options;
  let release: (() => void) | null = null;
  try {
    disk.makeDirectory(dir);
    release = await takeLock(disk, dir);
    const known = readIdentity(disk, dir, nodeName);
    const identity = known ?? (await setUp(disk, dir, nodeName));
    if (known === undefined) log('info', 'DATA_FOLDER_CREATED', `${dir}: new data folder, store ${identity.storeId}`);
    const states = HardStates.open(disk, dir);
    if (known !== undefined) await states.renew();
    return new FileNodeStore(disk, dir, identity, states, release);
  } catch (error) {
    release?.();
    throw asStorageError(error, dir);
  }
}
