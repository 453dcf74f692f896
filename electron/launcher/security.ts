// Secrets and certificates of one cluster, made once and kept in its folder. May not be asked before the cluster has a folder.
// Entry point: `ensureSecurity`.
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ClusterPlan, NodePlan } from '../contract/model.ts';
import { type Issued, issueAuthority, issueCertificate } from './certificates.ts';
import { errnoOf, launcherError, messageOf } from './errors.ts';
import { LOOPBACK } from './ports.ts';
import { writeFileAtomic } from './workspace.ts';

export const SECURITY_FOLDER = 'security';
export const AUTHORITY_FILE = 'ca.pem';
export const CERTIFICATE_FILE = 'cert.pem';
export const KEY_FILE = 'key.pem';
const AUTHORITY_KEY_FILE = 'ca-key.pem';
const TOKENS_FILE = 'tokens.json';
const TOKEN_BYTES = 24;
/** A certificate that ends within this is replaced at the next start. */
const RENEW_MS = 30 * 86_400_000;
const OWNER_ONLY = 0o600;

export interface ClusterTokens {
  /** For applications: may use every context. */
  readonly application: string;
  /** May do everything. */
  readonly admin: string;
  /** What nodes show each other. */
  readonly internal: string;
}

/** What it takes to talk to a node; null: not needed. */
export interface ClusterSecurity {
  readonly tokens: ClusterTokens | null;
  readonly authority: { readonly file: string; readonly pem: string } | null;
}

export const noSecurity: ClusterSecurity = { tokens: null, authority: null };

/** Makes what the plan asks for and is not there yet. Fails with WORKSPACE_UNUSABLE. */
export async function ensureSecurity(plan: ClusterPlan, now: number): Promise<ClusterSecurity> {
  const { accessControl = false, tls = false } = plan.spec;
  if (!accessControl && !tls) return noSecurity;
  const dir = path.join(plan.dir, SECURITY_FOLDER);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return {
      tokens: accessControl ? await ensureTokens(path.join(dir, TOKENS_FILE)) : null,
      authority: tls ? await ensureCertificates(plan, dir, now) : null,
    };
  } catch (error) {
    throw launcherError('WORKSPACE_UNUSABLE', `The secrets in ${dir} cannot be used.`, messageOf(error), [
      'Make the folder writable, or delete it: new tokens and certificates are then made.',
    ]);
  }
}

async function ensureTokens(file: string): Promise<ClusterTokens> {
  const text = await readIfThere(file);
  if (text !== null) {
    const found = JSON.parse(text) as Partial<ClusterTokens>;
    const { application, admin, internal } = found;
    if (![application, admin, internal].every((token) => typeof token === 'string' && token.length >= 16))
      throw new Error(`${file} does not hold three tokens`);
    return found as ClusterTokens;
  }
  const token = (): string => randomBytes(TOKEN_BYTES).toString('base64url');
  const tokens = { application: token(), admin: token(), internal: token() };
  await writeFileAtomic(file, `${JSON.stringify(tokens, null, 2)}\n`, OWNER_ONLY);
  return tokens;
}

async function ensureCertificates(
  plan: ClusterPlan,
  dir: string,
  now: number,
): Promise<NonNullable<ClusterSecurity['authority']>> {
  const file = path.join(dir, AUTHORITY_FILE);
  const keyFile = path.join(dir, AUTHORITY_KEY_FILE);
  let authority = await readPair(file, keyFile);
  if (authority === null || isEnding(authority, now)) {
    authority = issueAuthority(`Muster cluster ${plan.spec.name}`, now);
    await writePair(authority, file, keyFile);
  }
  for (const node of plan.nodes) await ensureNodeCertificate(node, authority, now);
  return { file, pem: authority.certificate };
}

async function ensureNodeCertificate(node: NodePlan, authority: Issued, now: number): Promise<void> {
  const dir = path.join(node.dir, SECURITY_FOLDER);
  const [file, keyFile] = [path.join(dir, CERTIFICATE_FILE), path.join(dir, KEY_FILE)];
  const known = await readPair(file, keyFile);
  const signer = new X509Certificate(authority.certificate);
  if (known !== null && !isEnding(known, now) && isSignedBy(known, signer)) return;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writePair(issueCertificate(authority, [node.host, node.name, LOOPBACK, '::1'], now), file, keyFile);
}

function isSignedBy({ certificate }: Issued, signer: X509Certificate): boolean {
  return new X509Certificate(certificate).verify(signer.publicKey);
}

function isEnding({ certificate }: Issued, now: number): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) < now + RENEW_MS;
}

async function readPair(file: string, keyFile: string): Promise<Issued | null> {
  const [certificate, key] = [await readIfThere(file), await readIfThere(keyFile)];
  return certificate === null || key === null ? null : { certificate, key };
}

async function writePair({ certificate, key }: Issued, file: string, keyFile: string): Promise<void> {
  await writeFileAtomic(keyFile, key, OWNER_ONLY);
  await writeFileAtomic(file, certificate, 0o644);
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
