import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSpec } from '../../electron/contract/check.ts';
import type { ClusterPlan, ClusterSpec } from '../../electron/contract/model.ts';
import { issueAuthority, issueCertificate } from '../../electron/launcher/certificates.ts';
import { snippetsOf } from '../../electron/launcher/client-config.ts';
import { initialFacts } from '../../electron/launcher/cluster-state.ts';
import { planCluster } from '../../electron/launcher/plan.ts';
import { renderProperties } from '../../electron/launcher/properties-file.ts';
import { ensureSecurity, noSecurity } from '../../electron/launcher/security.ts';
import { buildView } from '../../electron/launcher/view.ts';
import { parseSettings } from '../../engine/config/settings.ts';
import { loadTls } from '../../engine/tls-files.ts';
import { recordingEnv } from '../engine/rpc/grpc-test-client.ts';

const DAY_MS = 86_400_000;
const now = Date.now();

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'muster-security-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function planOf(options: Partial<ClusterSpec>): ClusterPlan {
  const spec = checkSpec({
    ...{ name: 'dev', nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null },
    ...options,
  });
  return planCluster(spec, { dir, firstPort: 8024, createdAt: '', notes: [] });
}

describe('certificates made here', () => {
  it('are X.509 that others read: names, times, purposes, and signed by the authority', () => {
    const authority = issueAuthority('Muster cluster dev', now);
    const issued = issueCertificate(authority, ['localhost', 'node-1', '127.0.0.1', '::1'], now);
    const [signer, certificate] = [new X509Certificate(authority.certificate), new X509Certificate(issued.certificate)];
    expect([signer.ca, certificate.ca]).toEqual([true, false]);
    expect([certificate.subject, certificate.issuer]).toEqual(['CN=localhost', 'CN=Muster cluster dev']);
    expect([certificate.checkIssued(signer), certificate.verify(signer.publicKey)]).toEqual([true, true]);
    for (const name of ['localhost', 'node-1']) expect(certificate.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
    expect([certificate.checkHost('node-2'), certificate.checkIP('127.0.0.2')]).toEqual([undefined, undefined]);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(now);
    expect(Math.round((Date.parse(certificate.validTo) - now) / DAY_MS)).toBe(800);
    expect(new X509Certificate(issueAuthority('late', Date.parse('2060-01-01')).certificate).validTo).toContain('2069');
  });
});

describe('secrets of a cluster', () => {
  it('nothing is made where nothing is asked for', async () => {
    expect(await ensureSecurity(planOf({}), now)).toEqual(noSecurity);
    await expect(stat(path.join(dir, 'security'))).rejects.toThrow();
  });

  it('are random, kept, for the owner only, and fit what the engine reads', async () => {
    const plan = planOf({ accessControl: true, tls: true });
    const security = await ensureSecurity(plan, now);
    expect(await ensureSecurity(plan, now)).toEqual(security);
    const { application, admin, internal } = security.tokens!;
    expect(new Set([application, admin, internal]).size).toBe(3);
    for (const file of ['security/tokens.json', 'security/ca-key.pem', 'node-2/security/key.pem'])
      expect((await stat(path.join(dir, file))).mode & 0o777, file).toBe(0o600);
    for (const node of plan.nodes) {
      const text = renderProperties(plan, node, null, undefined, security);
      const { settings, problems } = parseSettings(text, {}, { machineHostName: 'pc' });
      expect(problems).toEqual([]);
      expect(settings.accesscontrol).toMatchObject({ internalToken: internal, adminToken: admin, token: application });
      const { grpc, internal: peers, https } = await loadTls(recordingEnv(), settings, node.dir);
      expect([grpc, peers, https].every((identity) => identity !== null)).toBe(true);
      expect(peers?.trust?.toString()).toBe(security.authority?.pem);
    }
  });

  it('certificates that end soon are replaced, of one node or of all with their authority', async () => {
    const plan = planOf({ tls: true });
    const file = path.join(dir, 'node-1', 'security', 'cert.pem');
    const { authority } = await ensureSecurity(plan, now);
    const first = await readFile(file, 'utf8');
    const later = await ensureSecurity(plan, now + 780 * DAY_MS);
    expect(await readFile(file, 'utf8')).not.toBe(first);
    expect(later.authority).toEqual(authority);
    const last = await ensureSecurity(plan, now + 3640 * DAY_MS);
    expect(last.authority?.pem).not.toBe(authority?.pem);
    const signer = new X509Certificate(last.authority!.pem);
    expect(new X509Certificate(await readFile(file)).verify(signer.publicKey)).toBe(true);
  });

  it('WORKSPACE_UNUSABLE when what is there cannot be used', async () => {
    const plan = planOf({ accessControl: true });
    await ensureSecurity(plan, now);
    await writeFile(path.join(dir, 'security', 'tokens.json'), '{}');
    await expect(ensureSecurity(plan, now)).rejects.toMatchObject({ data: { code: 'WORKSPACE_UNUSABLE' } });
  });

  it('the snippets tell token and certificate, the view tells neither', async () => {
    const plan = planOf({ accessControl: true, tls: true });
    const security = await ensureSecurity(plan, now);
    const view = buildView(initialFacts(plan, { initialised: false, formed: false }), now, 1);
    expect(view).toMatchObject({ accessControl: true, tls: true });
    const { application, admin, internal } = security.tokens!;
    for (const secret of [application, admin, internal]) expect(JSON.stringify([plan, view])).not.toContain(secret);
    const texts = new Map(snippetsOf(view, 'default', security).map((snippet) => [snippet.kind, snippet.text]));
    expect(texts.get('spring')).toContain(`axon.axonserver.token=${application}\n`);
    expect(texts.get('spring')).toContain(`axon.axonserver.cert-file=${security.authority?.file}\n`);
    expect(texts.get('java')).toContain(`.token("${application}")`);
    expect(texts.get('java')).toContain('.useTransportSecurity(');
    expect(texts.get('env')).toContain(`AXON_AXONSERVER_TOKEN=${application}\n`);
    expect([...texts.values()].some((text) => text.includes(admin) || text.includes(internal))).toBe(false);
    expect(snippetsOf(view, 'default').some((snippet) => /token=|cert/.test(snippet.text))).toBe(false);
  });
});
