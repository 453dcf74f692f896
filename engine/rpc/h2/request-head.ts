// The headers of a request, from header blocks. Clients repeat the same block for every call of a method: those are read once.
import { HEADER_LIST_BYTES_MAX } from '../limits.ts';
import { type Field, HpackDecoder, latin1 } from './hpack.ts';
import { HEADER_TABLE_BYTES } from './protocol.ts';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** Shared between calls with equal headers. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Why RFC 9113 §8.1.1 calls the request malformed, or null. */
  readonly malformed: string | null;
}

/** Blocks remembered per connection; when full, all are forgotten. */
const CACHED_BLOCKS_MAX = 64;
/** Longer blocks are not remembered. */
const CACHED_BLOCK_BYTES_MAX = 1024;

const CONNECTION_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

export class HeadReader {
  readonly #decoder = new HpackDecoder(HEADER_TABLE_BYTES);
  readonly #cache = new Map<string, RequestHead>();
  #cachedAt = 0;

  /** Null when the header list is over HEADER_LIST_BYTES_MAX. Throws ConnectionError when the block cannot be decoded. */
  read(block: Buffer): RequestHead | null {
    const before = this.#decoder.changes;
    if (this.#cachedAt !== before) {
      this.#cache.clear();
      this.#cachedAt = before;
    }
    const key = block.length <= CACHED_BLOCK_BYTES_MAX ? latin1(block, 0, block.length) : null;
    const cached = key === null ? undefined : this.#cache.get(key);
    if (cached !== undefined) return cached;
    const fields = this.#decoder.decode(block, HEADER_LIST_BYTES_MAX);
    if (fields === null) return null;
    const head = headOf(fields);
    if (key !== null && this.#decoder.changes === before) {
      if (this.#cache.size >= CACHED_BLOCKS_MAX) this.#cache.clear();
      this.#cache.set(key, head);
    }
    return head;
  }

  /** A block whose fields nobody wants: trailers, refused calls. The decoder must see it all the same. */
  skip(block: Buffer): void {
    this.#decoder.decode(block, 0);
  }
}

export function headOf(fields: readonly Field[]): RequestHead {
  const pseudo = new Map<string, string>();
  const metadata = new Map<string, string>();
  let malformed: string | null = null;
  for (const [name, value] of fields) {
    if (name.startsWith(':')) {
      if (pseudo.has(name) || metadata.size > 0) malformed = `misplaced ${name}`;
      pseudo.set(name, value);
      continue;
    }
    if (name === '' || name !== name.toLowerCase()) malformed = 'header name not in lower case';
    if (CONNECTION_HEADERS.has(name) || (name === 'te' && value !== 'trailers')) malformed = `${name} is not allowed`;
    metadata.set(name, value);
  }
  for (const required of [':method', ':path', ':scheme']) if (!pseudo.get(required)) malformed = `no ${required}`;
  for (const name of pseudo.keys()) {
    if (![':method', ':path', ':scheme', ':authority'].includes(name)) malformed = `unknown ${name}`;
  }
  return {
    method: pseudo.get(':method') ?? '',
    path: pseudo.get(':path') ?? '',
    contentType: metadata.get('content-type') ?? '',
    metadata,
    malformed,
  };
}
