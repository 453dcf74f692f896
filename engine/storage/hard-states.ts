// Terms and votes of all groups of a node in two alternating slots (files), each with version and CRC, so that a torn write
// leaves the other slot (raft-design §9). Saves of all groups share one write and one fdatasync.
// May not: judge states. Entry point: HardStates.
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { HardState } from '../raft/types.ts';
import type { Disk, DiskFile } from './disk.ts';
import { asStorageError, StorageError } from './errors.ts';

const MAGIC = 0x4d485331;
const HEADER_BYTES = 24;
/** Slots are preallocated and grow in these steps, so that a vote never needs new space. */
const SLOT_STEP_BYTES = 4096;
const VOTE_BYTES_MAX = 1024;

type States = ReadonlyMap<number, HardState>;

function encodeSlot(version: number, states: States): Buffer {
  const parts: Buffer[] = [];
  for (const [group, { term, vote, commit }] of states) {
    const name = Buffer.from(vote ?? '', 'utf8');
    if (name.length > VOTE_BYTES_MAX) throw new RangeError('member id is too long for a vote');
    const record = Buffer.alloc(23);
    record.writeUInt32LE(group, 0);
    record.writeDoubleLE(term, 4);
    record.writeDoubleLE(commit, 12);
    record.writeUInt8(vote === null ? 0 : 1, 20);
    record.writeUInt16LE(name.length, 21);
    parts.push(record, name);
  }
  const body = Buffer.concat(parts);
  const slot = Buffer.alloc(Math.ceil((HEADER_BYTES + body.length) / SLOT_STEP_BYTES) * SLOT_STEP_BYTES);
  slot.writeUInt32LE(MAGIC, 0);
  slot.writeUInt32LE(body.length, 4);
  slot.writeDoubleLE(version, 8);
  slot.writeUInt32LE(states.size, 16);
  body.copy(slot, HEADER_BYTES);
  slot.writeUInt32LE(crc32(body, crc32(slot.subarray(0, 20))), 20);
  return slot;
}

interface Slot {
  readonly version: number;
  readonly states: Map<number, HardState>;
}

/** Null: torn, damaged or never written. */
function decodeSlot(bytes: Buffer): Slot | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  const length = bytes.readUInt32LE(4);
  if (length > bytes.length - HEADER_BYTES) return null;
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (crc32(body, crc32(bytes.subarray(0, 20))) !== bytes.readUInt32LE(20)) return null;
  const states = new Map<number, HardState>();
  for (let at = 0; at < body.length; ) {
    const nameEnd = at + 23 + body.readUInt16LE(at + 21);
    const vote = body[at + 20] === 0 ? null : body.toString('utf8', at + 23, nameEnd);
    states.set(body.readUInt32LE(at), { term: body.readDoubleLE(at + 4), vote, commit: body.readDoubleLE(at + 12) });
    at = nameEnd;
  }
  return { version: bytes.readDoubleLE(8), states };
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class HardStates {
  readonly #files: readonly [DiskFile, DiskFile];
  readonly #states: Map<number, HardState>;
  #version: number;
  #waiters: Waiter[] = [];
  #running: Promise<void> | null = null;
  #failed: StorageError | null = null;

  private constructor(files: readonly [DiskFile, DiskFile], slot: Slot) {
    this.#files = files;
    this.#states = slot.states;
    this.#version = slot.version;
  }

  static paths(dir: string): readonly [string, string] {
    return [join(dir, 'hardstate.a'), join(dir, 'hardstate.b')];
  }

  /** Creates both slots, empty and flushed; the directory is the caller's to flush. */
  static async create(disk: Disk, dir: string): Promise<void> {
    const write = async (path: string, version: number) => {
      disk.unlink(path);
      const file = disk.open(path, 'create-new');
      try {
        await file.write([encodeSlot(version, new Map())], 0);
        await file.sync();
      } finally {
        file.close();
      }
    };
    const [a, b] = HardStates.paths(dir);
    await Promise.all([write(a, 0), write(b, 1)]);
  }

  /** Takes the newest readable slot. Throws DATA_DAMAGED when there is none: votes would be forgotten. */
  static open(disk: Disk, dir: string): HardStates {
    const [a, b] = HardStates.paths(dir);
    const slots = [a, b].map((path) => decodeSlot(disk.readFile(path) ?? Buffer.alloc(0)));
    let newest: Slot | null = null;
    for (const slot of slots) if (slot !== null && (newest === null || slot.version > newest.version)) newest = slot;
    if (newest === null) throw new StorageError('DATA_DAMAGED', a, 'both copies of the vote file are unreadable', 0);
    return new HardStates([disk.open(a, 'create'), disk.open(b, 'create')], newest);
  }

  /** What was read may be in the page cache only, or follow a failed flush: written anew, it is on the device. */
  async renew(): Promise<void> {
    await this.#write();
  }

  get(group: number): HardState | undefined {
    return this.#states.get(group);
  }

  /** Durable when resolved. Rejects for ever after a failed write: what is on disk is unknown then. */
  save(group: number, state: HardState | null): Promise<void> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    if (state === null) this.#states.delete(group);
    else this.#states.set(group, { term: state.term, vote: state.vote, commit: state.commit });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    let waiters: Waiter[] = [];
    try {
      while (this.#waiters.length > 0) {
        // Groups saved in the same turn join this write.
        await Promise.resolve();
        waiters = this.#waiters;
        this.#waiters = [];
        await this.#write();
        for (const waiter of waiters) waiter.resolve();
      }
    } catch (error) {
      this.#failed = asStorageError(error, this.#files[0].path);
      for (const waiter of [...waiters, ...this.#waiters]) waiter.reject(this.#failed);
      this.#waiters = [];
    } finally {
      this.#running = null;
    }
  }

  async #write(): Promise<void> {
    this.#version += 1;
    // The slot that does not hold the previous version: its successor may be torn, it may not.
    const file = this.#files[this.#version % 2]!;
    await file.write([encodeSlot(this.#version, this.#states)], 0);
    await file.sync();
  }

  async close(): Promise<void> {
    if (this.#running) await this.#running;
    for (const file of this.#files) file.close();
  }
}
