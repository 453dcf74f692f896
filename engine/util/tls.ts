// What a port needs for TLS. The modules come with it, so that a node without TLS never loads them.
import type * as https from 'node:https';
import type * as tls from 'node:tls';

export interface TlsIdentity {
  readonly module: typeof tls;
  /** PEM, the node's own certificate first. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whom to trust when connecting; null: the certificates that came with Node. */
  readonly trust: Buffer | null;
}

export interface HttpsIdentity {
  readonly module: typeof https;
  /** For `https.createServer`. */
  readonly options: Pick<tls.SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>;
}

/** A client that has not finished its handshake by then is cut. */
export const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
export const TLS_VERSION_MIN = 'TLSv1.2';
