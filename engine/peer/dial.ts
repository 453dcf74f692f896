// Opening a TCP connection to another node, and nothing more.
import type { LookupFunction, Socket } from 'node:net';
import { connect } from 'node:net';

/**
 * `localhost` is resolved here: the system's resolver runs on the thread pool, where it would wait behind fdatasync calls
 * just when a fast reconnect decides how long a failover takes.
 */
const lookupLocalhost: LookupFunction = (_hostname, options, callback) => {
  if (options.all === true) {
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  } else {
    callback(null, '127.0.0.1', 4);
  }
};

export function dial(host: string, port: number): Socket {
  const lookup = host === 'localhost' ? { lookup: lookupLocalhost } : {};
  return connect({ host, port, noDelay: true, ...lookup });
}

/** The other machine answered that nobody listens there, or dropped the connection at once. */
export function isRefusal(code: string): boolean {
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** One connection attempt, closed again at once. */
export function probeAddress(host: string, port: number, timeoutMs: number): Promise<'refused' | 'open' | 'timeout'> {
  return new Promise((resolve) => {
    const socket = dial(host, port);
    const finish = (result: 'refused' | 'open' | 'timeout'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish('timeout'), timeoutMs);
    socket.once('connect', () => finish('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(isRefusal(error.code ?? '') ? 'refused' : 'timeout'));
  });
}
