// The diagnostics bundle: everything that helps, nothing that opens a door (ux.md §13).
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { standardSettings } from '../../electron/contract/settings.ts';
import { initialFacts } from '../../electron/launcher/cluster-state.ts';
import { bundleEntries, saveBundle } from '../../electron/launcher/bundle.ts';
import { planCluster } from '../../electron/launcher/plan.ts';
import { redacted } from '../../electron/launcher/redaction.ts';
import { ensureSecurity } from '../../electron/launcher/security.ts';
import { writeProperties } from '../../electron/launcher/properties-file.ts';
import { buildView } from '../../electron/launcher/view.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');

async function secured() {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'muster-bundle-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const workspace = new Workspace(dir);
  const spec = {
    name: 'shop',
    nodes: 2,
    contexts: ['default'],
    data: 'keep',
    timing: 'dev',
    accessControl: true,
    tls: true,
    firstPort: 8024,
  } as const;
  const plan = planCluster(spec, { dir: workspace.clusterDir('shop'), firstPort: 8024, createdAt: '', notes: [] });
  const security = await ensureSecurity(plan, NOW);
  for (const node of plan.nodes) {
    await writeProperties(plan, node, security);
    await mkdir(path.dirname(node.logFile), { recursive: true });
    await writeFile(node.logFile, `{"text":"a client came with ${security.tokens?.application}"}\n`);
  }
  const first = plan.nodes[0]!;
  const yours = `${await readFile(first.propertiesFile, 'utf8')}my.database.password = hunter2-hunter2\nmy.colour=blue\n`;
  await writeFile(first.propertiesFile, yours);
  const view = buildView(initialFacts(plan, { initialised: false, formed: false }), NOW, 1);
  return {
    options: {
      cluster: { plan, view, security: async () => security },
      workspace,
      version: '1',
      now: NOW,
      diagnostics: { versions: [], paths: [], ports: [], processes: [], clusters: ['shop'] },
      settings: standardSettings,
    },
    security,
  };
}

describe('the diagnostics bundle', () => {
  it('holds properties and logs of every node, state and timeline, and none of the tokens, passwords and keys', async () => {
    const { options, security } = await secured();
    const entries = await bundleEntries(options);
    expect(entries.map((entry) => entry.name)).toEqual([
      'shop/about.json',
      'shop/diagnostics.json',
      'shop/settings.json',
      'shop/plan.json',
      'shop/view.json',
      'shop/timeline.jsonl',
      'shop/node-1/axonserver.properties',
      'shop/node-1/node-1.log',
      'shop/node-2/axonserver.properties',
      'shop/node-2/node-2.log',
      'shop/host.log',
    ]);
    const all = entries.map((entry) => entry.body.toString()).join('\n');
    const tokens = Object.values(security.tokens ?? {});
    expect(tokens.length).toBe(3);
    for (const secret of [...tokens, 'hunter2', 'PRIVATE KEY']) expect(all).not.toContain(secret);
    expect(all).toContain('my.colour=blue');
    expect(all).toContain('accesscontrol.enabled=true');
    expect(all).toMatch(/accesscontrol\.admin-token=\(secret\)/);
    expect(all).toContain('a client came with (secret)');
  });

  it('UX-13 without a cluster it is about the app alone', async () => {
    const { options } = await secured();
    const entries = await bundleEntries({ ...options, cluster: null });
    expect(entries.map((entry) => entry.name)).toEqual(
      ['about.json', 'diagnostics.json', 'settings.json', 'host.log'].map((name) => `muster/${name}`),
    );
  });

  it('UX-10 with a part of the timeline it has what happened and what was done in it, without secrets', async () => {
    const { options, security } = await secured();
    const range = { text: `a note with ${security.tokens?.application}\n`, script: 'heal all\n' };
    const entries = await bundleEntries({ ...options, range });
    const bodyOf = (name: string) => entries.find((entry) => entry.name === `shop/${name}`)?.body.toString();
    expect([bodyOf('range.txt'), bodyOf('range.chaos')]).toEqual(['a note with (secret)\n', 'heal all\n']);
  });

  it('is one archive that tar reads, kept for its owner only, and a second one never overwrites it', async () => {
    const { options } = await secured();
    const saved = await saveBundle(options);
    const listed = execFileSync('tar', ['-tzf', saved.file], { encoding: 'utf8' }).trim().split('\n');
    expect(listed).toEqual(saved.entries.map((entry) => entry.name));
    const about = execFileSync('tar', ['-xzOf', saved.file, 'shop/about.json'], { encoding: 'utf8' });
    expect(JSON.parse(about)).toMatchObject({ muster: '1', savedAt: '2026-11-26T12:00:00.000Z' });
    await expect(saveBundle(options)).rejects.toMatchObject({ data: { code: 'WORKSPACE_UNUSABLE' } });
  });
});

describe('redacted', () => {
  it.each([
    ['spring.datasource.password: x1', 'spring.datasource.password: (secret)'],
    ['axoniq.console.authentication=abc:def', 'axoniq.console.authentication=(secret)'],
    ['{"apiToken": "abc", "a": 1}', '{"apiToken": "(secret)", "a": 1}'],
    ['authorization: Bearer abcdefgh12345', 'authorization: Bearer (secret)'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', '(secret)'],
    ['"lastToken": 41,', '"lastToken": 41,'],
    [
      'axoniq.axonserver.ssl.private-key-file=./security/key.pem',
      'axoniq.axonserver.ssl.private-key-file=./security/key.pem',
    ],
    ['accesscontrol.token-cache=true', 'accesscontrol.token-cache=true'],
  ])('%j becomes %j', (text, wanted) => {
    expect(redacted(text, [])).toBe(wanted);
  });
});
