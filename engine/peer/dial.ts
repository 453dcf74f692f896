// Opening a connection to another node, and nothing more.
import type { LookupFunction, Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { TLS_VERSION_MIN, type TlsIdentity } from '../util/tls.ts';

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

/**
 * `onOpen` is called when bytes may be sent: with TLS when the other side has proved to be `host` by a certificate that is
 * trusted here, so that no token ever goes to somebody else.
 */
export function dial(host: string, port: number, tls: TlsIdentity | null, onOpen: () => void): Socket {
  const lookup = host === 'localhost' ? { lookup: lookupLocalhost } : {};
  if (tls === null) return connect({ host, port, noDelay: true, ...lookup }).once('connect', onOpen);
  const trust = tls.trust === null ? {} : { ca: tls.trust };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = tls.module.connect({ host, port, minVersion: TLS_VERSION_MIN, ...trust, ...servername, ...lookup });
  return socket.once('secureConnect', onOpen);
}

/** Certificates that do not fit, or a side that does not speak TLS: trying again does not help by itself. */
export function isTlsFailure(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/.test(code);
}

/** The other machine answered that nobody listens there, or dropped the connection at once. */
export function isRefusal(code: string): boolean {
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** One connection attempt, closed again at once. */
export function probeAddress(host: string, port: number, timeoutMs: number): Promise<'refused' | 'open' | 'timeout'> {
  return new Promise((resolve) => {
    const socket = dial(host, port, null, () => finish('open'));
    const finish = (result: 'refused' | 'open' | 'timeout'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish('timeout'), timeoutMs);
    socket.on('error', (error: NodeJS.ErrnoException) => finish(isRefusal(error.code ?? '') ? 'refused' : 'timeout'));
  });
}
