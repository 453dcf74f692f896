// Certificates of a cluster: its own authority, and one certificate per node that the authority signs (X.509 v3, RFC 5280, EC P-256).
// Node makes keys and signatures but no certificates; the few shapes that are needed are written here in DER, so that neither
// openssl nor a package must be installed. May not touch files. Entry points: `issueAuthority`, `issueCertificate`.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** What platforms accept at most. */
const CERTIFICATE_DAYS = 800;
/** Clocks of other machines may be a little behind. */
const BACKDATED_MS = DAY_MS;

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export function issueAuthority(name: string, now: number): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return issue({
    subject: name,
    publicKey,
    issuer: name,
    issuerKey: privateKey,
    key: privateKey,
    from: now - BACKDATED_MS,
    until: now + AUTHORITY_DAYS * DAY_MS,
    extensions: [
      extension(OID.basicConstraints, true, sequence(boolean(true))),
      // keyCertSign, cRLSign
      extension(OID.keyUsage, true, der(0x03, Buffer.from([1, 0x06]))),
    ],
  });
}

/** For both ends of a connection. `hosts`: names and addresses that it stands for; the first is its own name. */
export function issueCertificate(authority: Issued, hosts: readonly string[], now: number): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const alternatives = hosts.map(alternativeName);
  const usages = [objectId(OID.serverAuth), objectId(OID.clientAuth)];
  return issue({
    subject: hosts[0] ?? 'localhost',
    publicKey,
    issuer: commonNameOf(authority.certificate),
    issuerKey: createPrivateKey(authority.key),
    key: privateKey,
    from: now - BACKDATED_MS,
    until: now + CERTIFICATE_DAYS * DAY_MS,
    extensions: [
      extension(OID.basicConstraints, true, sequence()),
      // digitalSignature
      extension(OID.keyUsage, true, der(0x03, Buffer.from([7, 0x80]))),
      extension(OID.extendedKeyUsage, false, sequence(...usages)),
      extension(OID.subjectAltName, false, sequence(...alternatives)),
    ],
  });
}

interface Request {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly key: KeyObject;
  readonly from: number;
  readonly until: number;
  readonly extensions: readonly Buffer[];
}

function issue(request: Request): Issued {
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  // Positive, and not longer than it says.
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const ownId = der(0x04, keyIdentifier(request.publicKey));
  const issuerId = sequence(der(0x80, keyIdentifier(createPublicKey(request.issuerKey))));
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    distinguishedName(request.issuer),
    sequence(time(request.from), time(request.until)),
    distinguishedName(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        ...request.extensions,
        extension(OID.subjectKeyIdentifier, false, ownId),
        extension(OID.authorityKeyIdentifier, false, issuerId),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, request.issuerKey);
  const bytes = sequence(toBeSigned, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: String(request.key.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** RFC 5280 §4.2.1.2: any unique value will do. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function commonNameOf(certificate: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(certificate).subject)?.[1] ?? '';
}

// -- DER (X.690) --------------------------------------------------------------------------------------------------------

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  const bytes = others.flatMap((number) => {
    const groups = [number & 0x7f];
    for (let rest = number >> 7; rest > 0; rest >>= 7) groups.unshift((rest & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function distinguishedName(commonName: string): Buffer {
  const attribute = sequence(objectId(OID.commonName), der(0x0c, Buffer.from(commonName)));
  return sequence(der(0x31, attribute));
}

/** GeneralizedTime from 2050 on, as RFC 5280 wants. */
function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), der(0x04, value));
}

function alternativeName(host: string): Buffer {
  if (isIPv4(host)) return der(0x87, Buffer.from(host.split('.').map(Number)));
  if (host === '::1') return der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]));
  return der(0x82, Buffer.from(host));
}
