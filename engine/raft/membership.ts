// Who is in the group: configuration entries as bytes, which changes are allowed, and which configuration counts now.
// Source: Raft thesis §4.1 (one server at a time), raft-design.md §7, D10.
import { InvariantError, invariant } from './invariants.ts';
import type { GroupConfig, Index, Member, MemberId, StoringRole } from './types.ts';

export const MEMBERS_MAX = 255;
export const MEMBER_ID_BYTES_MAX = 512;
export const MIN_ACTIVE_BACKUPS_MAX = 255;

const FORMAT_VERSION = 1;
const ROLES: readonly StoringRole[] = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'];

export const EMPTY_CONFIG: GroupConfig = { members: [], minActiveBackups: 0 };

/** Bytes that are not a configuration. */
export class ConfigFormatError extends Error {
  readonly code = 'CONFIG_MALFORMED';
  constructor(message: string) {
    super(message);
    this.name = 'ConfigFormatError';
  }
}

function utf8Bytes(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return bytes;
}

function utf8Text(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    const extra = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : -1;
    if (extra < 0 || at + extra >= bytes.length) throw new ConfigFormatError('member id is not UTF-8');
    let code = extra === 0 ? first : first & (0x3f >> extra);
    for (let offset = 1; offset <= extra; offset += 1) {
      const next = bytes[at + offset] ?? 0;
      if ((next & 0xc0) !== 0x80) throw new ConfigFormatError('member id is not UTF-8');
      code = (code << 6) | (next & 0x3f);
    }
    if (code > 0x10ffff) throw new ConfigFormatError('member id is not UTF-8');
    text += String.fromCodePoint(code);
    at += extra + 1;
  }
  return text;
}

/** Members sorted by id (UTF-16 code units). */
export function normaliseConfig(config: GroupConfig): GroupConfig {
  const members = config.members
    .map((member): Member => ({ id: member.id, role: member.role }))
    .sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
  return { members, minActiveBackups: config.minActiveBackups };
}

/** What is wrong with the shape of a configuration, or null. Does not ask for a PRIMARY. */
export function configDefect(config: GroupConfig): string | null {
  const minimum = config.minActiveBackups;
  if (!Number.isInteger(minimum) || minimum < 0 || minimum > MIN_ACTIVE_BACKUPS_MAX)
    return 'minActiveBackups out of range';
  if (config.members.length > MEMBERS_MAX) return `more than ${MEMBERS_MAX} members`;
  const seen = new Set<MemberId>();
  for (const member of config.members) {
    if (seen.has(member.id)) return `member ${member.id} twice`;
    seen.add(member.id);
    if (member.id.length === 0 || utf8Bytes(member.id).length > MEMBER_ID_BYTES_MAX)
      return 'member id empty or too long';
    if (!ROLES.includes(member.role)) return `unknown role ${member.role}`;
  }
  return null;
}

/**
 * version u8 | minActiveBackups u8 | member count u8 | per member, sorted by id: role u8, id length u16 big-endian, id UTF-8.
 * Throws InvariantError when the configuration has a defect (`configDefect`).
 */
export function encodeConfig(config: GroupConfig): Uint8Array {
  const defect = configDefect(config);
  if (defect !== null) throw new InvariantError(`configuration cannot be encoded: ${defect}`);
  const sorted = normaliseConfig(config);
  const bytes = [FORMAT_VERSION, sorted.minActiveBackups, sorted.members.length];
  for (const member of sorted.members) {
    const id = utf8Bytes(member.id);
    bytes.push(ROLES.indexOf(member.role), id.length >> 8, id.length & 0xff, ...id);
  }
  return Uint8Array.from(bytes);
}

/** Reverse of `encodeConfig`. Throws ConfigFormatError for anything else. */
export function decodeConfig(bytes: Uint8Array): GroupConfig {
  const version = bytes[0];
  const minActiveBackups = bytes[1];
  const count = bytes[2];
  if (version === undefined || minActiveBackups === undefined || count === undefined) {
    throw new ConfigFormatError('configuration is cut short');
  }
  if (version !== FORMAT_VERSION) throw new ConfigFormatError(`configuration format ${version} is not known`);
  const members: Member[] = [];
  let at = 3;
  for (let position = 0; position < count; position += 1) {
    const role = ROLES[bytes[at] ?? ROLES.length];
    const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if (role === undefined || length === 0 || at + 3 + length > bytes.length) {
      throw new ConfigFormatError('configuration holds a bad member');
    }
    members.push({ id: utf8Text(bytes.subarray(at + 3, at + 3 + length)), role });
    at += 3 + length;
  }
  if (at !== bytes.length) throw new ConfigFormatError('configuration has bytes left over');
  const config: GroupConfig = { members, minActiveBackups };
  const defect = configDefect(config);
  if (defect !== null) throw new ConfigFormatError(defect);
  return normaliseConfig(config);
}

/**
 * Why `next` may not follow `current`, or null. At most one PRIMARY may come or go, so that any two majorities of
 * consecutive configurations share a PRIMARY (thesis §4.1); no safety rests on the other roles (raft-design §7).
 */
export function changeRefusal(
  current: GroupConfig,
  next: GroupConfig,
): 'no-primary' | 'unsafe-change' | 'invalid-config' | null {
  if (configDefect(next) !== null) return 'invalid-config';
  const before = new Set(current.members.filter((member) => member.role === 'PRIMARY').map((member) => member.id));
  const after = new Set(next.members.filter((member) => member.role === 'PRIMARY').map((member) => member.id));
  if (after.size === 0) return 'no-primary';
  let changes = 0;
  for (const id of before) if (!after.has(id)) changes += 1;
  for (const id of after) if (!before.has(id)) changes += 1;
  return changes > 1 ? 'unsafe-change' : null;
}

/**
 * Nothing but ACTIVE_BACKUPs that leave or become PASSIVE_BACKUPs. Elections and majorities of PRIMARYs are the same before and after, so
 * two leaders cannot come of it (decision 4: backups only delay commits).
 */
export function releasesBackups(current: GroupConfig, next: GroupConfig): boolean {
  const isSame = (member: Member, held: Member | undefined): boolean => held !== undefined && held.role === member.role;
  const find = ({ members }: GroupConfig, { id }: Member) => members.find((member) => member.id === id);
  const lost = current.members.filter((member) => !isSame(member, find(next, member)));
  const gained = next.members.filter((member) => !isSame(member, find(current, member)));
  return (
    lost.length > 0 &&
    lost.every(({ role }) => role === 'ACTIVE_BACKUP') &&
    gained.every((member) => member.role === 'PASSIVE_BACKUP' && find(current, member) !== undefined) &&
    next.minActiveBackups === current.minActiveBackups
  );
}

interface PlacedConfig {
  readonly index: Index;
  readonly config: GroupConfig;
}

/** The configurations a log implies: the newest counts from the moment it is appended; a cut tail takes its own away. */
export class ConfigHistory {
  #placed: PlacedConfig[];

  constructor(bootstrap: GroupConfig, placed: readonly PlacedConfig[]) {
    this.#placed = [{ index: 0, config: normaliseConfig(bootstrap) }];
    for (const { index, config } of placed) this.add(index, config);
  }

  get current(): GroupConfig {
    return this.#newest.config;
  }

  get currentIndex(): Index {
    return this.#newest.index;
  }

  /** The configuration before the current one; null when the current one is known committed or is the first. */
  get previous(): GroupConfig | null {
    return this.#placed[this.#placed.length - 2]?.config ?? null;
  }

  get #newest(): PlacedConfig {
    const newest = this.#placed[this.#placed.length - 1];
    invariant(newest !== undefined, 'configuration history is empty');
    return newest;
  }

  add(index: Index, config: GroupConfig): void {
    invariant(index > this.currentIndex, `configuration at ${index} after one at ${this.currentIndex}`);
    this.#placed.push({ index, config: normaliseConfig(config) });
  }

  /** Returns true when the current configuration changed. */
  truncateFrom(index: Index): boolean {
    const kept = this.#placed.filter((entry) => entry.index < index);
    const changed = kept.length !== this.#placed.length;
    this.#placed = kept;
    return changed;
  }

  /** Forgets configurations that can never be rolled back to. */
  committedTo(index: Index): void {
    while ((this.#placed[1]?.index ?? Number.POSITIVE_INFINITY) <= index) this.#placed.shift();
  }
}
