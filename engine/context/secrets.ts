// Hashes of tokens and passwords. Tokens are long, so one round is enough and a lookup by hash is possible; passwords are not, so
// they cost time and memory to try (scrypt), and are checked one at a time.
import { createHash, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { AxonError } from './api.ts';

/** Work factor of scrypt with 8-byte blocks: 16 MB and some 50 ms. */
const SCRYPT_COST = 16_384;
const SCRYPT_COST_MAX = 131_072;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** Longer ones are refused: hashing them would be somebody's way to keep a node busy. */
export const PASSWORD_CHARS_MAX = 200;
/** Checks that wait for their turn; one more ends with AXONIQ-1900. The thread that hashes is also one of those that write to disk. */
const PASSWORD_CHECKS_MAX = 64;

export function newToken(): string {
  return randomUUID();
}

export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= PASSWORD_CHECKS_MAX)
    return Promise.reject(new AxonError('AXONIQ-1900', `${PASSWORD_CHECKS_MAX} passwords are being checked already`));
  waiting += 1;
  const turn = last.then(work).finally(() => {
    waiting -= 1;
  });
  last = turn.catch(() => undefined);
  return turn;
}

/** `scrypt$cost$salt$key`. */
export async function hashOfPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await inTurn(() => derive(password, salt, SCRYPT_COST));
  return ['scrypt', SCRYPT_COST, salt.toString('base64'), key.toString('base64')].join('$');
}

export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [kind, cost, salt = '', key = ''] = hash.split('$');
  const expected = Buffer.from(key, 'base64');
  if (kind !== 'scrypt' || expected.length !== KEY_BYTES || !(Number(cost) <= SCRYPT_COST_MAX)) return false;
  const given = await inTurn(() => derive(password, Buffer.from(salt, 'base64'), Number(cost)));
  return timingSafeEqual(given, expected);
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, { N: cost, r: 8, p: 1, maxmem: 256 * cost * 8 + 65_536 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
