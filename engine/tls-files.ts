// Certificates and keys of the properties (properties.md §5), read and checked before any port opens. Not loaded without TLS.
// Entry point: `loadTls`.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Settings } from './config/settings.ts';
import { ExitCode } from './control/protocol.ts';
import { StartError } from './start-error.ts';
import type { Env } from './util/env.ts';
import type { HttpsIdentity, TlsIdentity } from './util/tls.ts';

const FILE_BYTES_MAX = 1024 * 1024;

export interface NodeTls {
  readonly grpc: TlsIdentity | null;
  readonly internal: TlsIdentity | null;
  readonly https: HttpsIdentity | null;
}

/** Throws StartError TLS_FILE_UNREADABLE, TLS_CERTIFICATE_INVALID, TLS_KEY_INVALID or TLS_KEY_MISMATCH. */
export async function loadTls(env: Env, { accesscontrol }: Settings, baseDir: string): Promise<NodeTls> {
  const files = new TlsFiles(env, baseDir);
  const { sslEnabled, httpsEnabled, sslCertChainFile, sslPrivateKeyFile } = accesscontrol;
  const none = { grpc: null, internal: null };
  const ports = sslEnabled ? await loadPorts(files, accesscontrol, sslCertChainFile!, sslPrivateKeyFile!) : none;
  return { ...ports, https: httpsEnabled ? await loadHttps(files, accesscontrol) : null };
}

async function loadPorts(
  files: TlsFiles,
  accesscontrol: Settings['accesscontrol'],
  certFile: string,
  keyFile: string,
): Promise<Pick<NodeTls, 'grpc' | 'internal'>> {
  const module = await import('node:tls');
  const { sslInternalCertChainFile, sslInternalPrivateKeyFile, sslInternalTrustManagerFile } = accesscontrol;
  const trust = sslInternalTrustManagerFile === null ? null : files.certificates(sslInternalTrustManagerFile);
  return {
    grpc: { module, trust: null, ...files.pair(certFile, keyFile) },
    internal: {
      module,
      trust,
      ...files.pair(sslInternalCertChainFile ?? certFile, sslInternalPrivateKeyFile ?? keyFile),
    },
  };
}

async function loadHttps(files: TlsFiles, accesscontrol: Settings['accesscontrol']): Promise<HttpsIdentity> {
  const module = await import('node:https');
  const { httpsCertificate, httpsPrivateKey, httpsKeyStore, httpsKeyStorePassword } = accesscontrol;
  if (httpsCertificate !== null && httpsPrivateKey !== null)
    return { module, options: files.pair(httpsCertificate, httpsPrivateKey) };
  const options = { pfx: files.read(httpsKeyStore!), passphrase: httpsKeyStorePassword ?? '' };
  try {
    (await import('node:tls')).createSecureContext(options);
  } catch (error) {
    throw refusal('TLS_KEY_INVALID', `${httpsKeyStore} is no PKCS12 file that this password opens`, error);
  }
  return { module, options };
}

class TlsFiles {
  readonly #env: Env;
  readonly #baseDir: string;

  constructor(env: Env, baseDir: string) {
    this.#env = env;
    this.#baseDir = baseDir;
  }

  /** Paths may be URLs of files, as Spring has them. */
  read(name: string): Buffer {
    const path = resolve(this.#baseDir, name.replace(/^file:(\/\/)?/, ''));
    try {
      const bytes = readFileSync(path);
      if (bytes.length > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`);
      return bytes;
    } catch (error) {
      throw refusal('TLS_FILE_UNREADABLE', `${path} cannot be read`, error);
    }
  }

  certificates(name: string): Buffer {
    const bytes = this.read(name);
    parseCertificate(name, bytes);
    return bytes;
  }

  pair(certName: string, keyName: string): { readonly cert: Buffer; readonly key: Buffer } {
    const cert = this.read(certName);
    const key = this.read(keyName);
    const certificate = parseCertificate(certName, cert);
    let privateKey: KeyObject;
    try {
      privateKey = createPrivateKey(key);
    } catch (error) {
      throw refusal('TLS_KEY_INVALID', `${keyName} is no private key in PEM form without a password`, error);
    }
    if (!certificate.checkPrivateKey(privateKey))
      throw refusal('TLS_KEY_MISMATCH', `The key ${keyName} does not belong to the certificate ${certName}`, null);
    if (Date.parse(certificate.validTo) < this.#env.wallClock())
      this.#env.log.warn(`The certificate ${certName} has expired on ${certificate.validTo}: clients will refuse it`, {
        code: 'TLS_CERTIFICATE_EXPIRED',
      });
    return { cert, key };
  }
}

function parseCertificate(name: string, bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    throw refusal('TLS_CERTIFICATE_INVALID', `${name} is no certificate in PEM form`, error);
  }
}

function refusal(code: string, what: string, error: unknown): StartError {
  const why = error === null ? '' : `: ${error instanceof Error ? error.message : String(error)}`;
  return new StartError(ExitCode.BAD_CONFIGURATION, code, `${what}${why}`, [
    'Correct the file, or the property that names it, and start again',
  ]);
}
