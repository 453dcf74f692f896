// Log lines about bad client connections, at most one per interval so that a port scanner cannot fill the disk.
import type { Env } from '../util/env.ts';
import { BAD_CONNECTION_LOG_INTERVAL_MS } from './limits.ts';

export interface ConnectionLog {
  /** Garbage, HTTP/1, broken frames or a flood: the connection is being closed for `reason`. */
  bad(peer: string, reason: string): void;
  tooMany(peer: string): void;
  /** No sign of life: the connection is being cut. */
  silent(peer: string): void;
}

export function createConnectionLog(env: Env): ConnectionLog {
  let nextAt = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  const warn = (text: string, code: string, peer: string): void => {
    if (env.now() < nextAt) {
      suppressed += 1;
      return;
    }
    nextAt = env.now() + BAD_CONNECTION_LOG_INTERVAL_MS;
    env.log.warn(text, { code, peer, suppressed });
    suppressed = 0;
  };
  return {
    bad: (peer, reason) => warn(`Connection on the gRPC port closed: ${reason}`, 'BAD_GRPC_CONNECTION', peer),
    silent: (peer) => warn('Connection cut: no sign of life from the app', 'SILENT_CONNECTION', peer),
    tooMany: (peer) => warn('Connection refused: too many client connections', 'TOO_MANY_CONNECTIONS', peer),
  };
}
