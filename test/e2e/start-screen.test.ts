// What a person meets first: one button, a line of what will happen, the clusters that exist.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { describeWindow } from './harness.ts';
import { scenes } from './scenes.ts';
import { cluster, down } from './view-parts.ts';

const choose = async (page: Page, cluster: string, item: string): Promise<void> => {
  await page.getByRole('button', { name: `More for ${cluster}`, exact: true }).click();
  await page
    .getByRole('list', { name: `More for ${cluster}`, exact: true })
    .getByRole('button', { name: item })
    .click();
};

describeWindow('the window', (harness) => {
  describe('start screen', () => {
    it('UX-3.1 first run: one primary button has the focus, Enter starts a cluster, and the line says what will happen', async () => {
      const page = await harness.open();
      const button = page.getByRole('button', { name: 'Start a 3-node cluster' });
      await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true);
      await page.getByText('ports 8024–8026, 8124–8126, 8224–8226').waitFor();
      expect(await page.getByText('Nothing is sent anywhere.').isVisible()).toBe(true);

      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'dev' }).waitFor();
      await expect.poll(() => harness.fake.callsOf('startCluster').length).toBe(1);
      expect(harness.fake.callsOf('createCluster')[0]?.args).toEqual([
        { name: 'dev', nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null },
      ]);
    });

    it('UX-3.1 start-up: the checklist fills as nodes come up, tells the time, and ends with the Connect panel open', async () => {
      const page = await harness.open();
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      const list = page.getByRole('region', { name: 'Start-up' });
      harness.fake.show(scenes.starting());
      await list.locator('[data-step="node:node-1"].done').waitFor();
      expect(await list.locator('[data-step="node:node-2"].done').count()).toBe(0);
      expect(await list.locator('[data-step="processes"] .elapsed').textContent()).toMatch(/^[\d.]+ m?s$/);
      harness.fake.show(scenes.healthy());
      await page.getByText('Ready in 1.3 s.').waitFor();
      expect(await page.getByRole('tab', { name: 'Connect' }).getAttribute('aria-selected')).toBe('true');
      await page.getByText('axon.axonserver.servers=localhost:8124,localhost:8125,localhost:8126').waitFor();
    });

    it('UX-3.3 a folder that cannot be read is in the list with its reason, in the way of no new cluster, and can be deleted', async () => {
      const about = { version: '0.1.0', workspace: '/home/ada', pid: 1, platform: 'linux', command: 'muster' };
      const broken = [{ name: 'dev', dir: '/home/ada/clusters/dev', why: 'It has no version 1.' }];
      harness.fake.on('about', () => ({ ...about, broken }));
      const page = await harness.open();
      const row = page.locator('[data-cluster="dev"]');
      await row.getByText('Cannot be read: It has no version 1.').waitFor();
      await page.getByText('New cluster dev-2').waitFor();
      await row.getByRole('button', { name: 'Delete…' }).click();
      const asking = page.getByRole('dialog', { name: 'Delete cluster dev?' });
      await asking.getByText('/home/ada/clusters/dev').waitFor();
      harness.fake.on('about', () => about);
      await asking.getByRole('button', { name: 'Delete dev' }).click();
      await row.waitFor({ state: 'detached' });
      expect(harness.fake.callsOf('removeCluster').map((call) => call.args)).toEqual([['dev']]);
    });

    it('UX-3.3 a cluster in trouble says in the list what is the matter', async () => {
      const ill = scenes['no-quorum']();
      harness.fake.show({ ...ill, state: 'unusable', sentence: 'default cannot be used: 1 of 3 reachable.' });
      const page = await harness.open();
      const row = page.locator('[data-cluster="dev"]');
      await row.getByText('default cannot be used: 1 of 3 reachable.').waitFor();
      harness.fake.show(scenes.healthy());
      await row.getByText('cannot be used').waitFor({ state: 'detached' });
    });

    it('UX-17 a refused creation is told in place with what, why, next and code, and the window stays usable', async () => {
      harness.fake.fail('createCluster', {
        code: 'PORT_IN_USE',
        what: 'Port 8125 is used by java (pid 4711).',
        why: 'node-2 needs it for apps.',
        next: ['Stop that program.', 'Or choose another first port.'],
      });
      const page = await harness.open();
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      const error = page.getByRole('alert').filter({ hasText: 'PORT_IN_USE' });
      await error.waitFor();
      expect(await error.textContent()).toContain('Port 8125 is used by java (pid 4711). node-2 needs it for apps.');
      expect(await error.getByRole('listitem').allTextContents()).toEqual([
        'Stop that program.',
        'Or choose another first port.',
      ]);
      await error.getByRole('button', { name: 'Dismiss error' }).click();
      await expect.poll(() => error.count()).toBe(0);
      expect(await page.getByRole('button', { name: 'Start a 3-node cluster' }).isEnabled()).toBe(true);
    });

    it('UX-3.3 known clusters are listed with their state in words, and a new one gets the next free name', async () => {
      harness.fake.show(scenes.healthy());
      harness.fake.show(cluster({ name: 'billing', state: 'stopped', nodes: [down(1), down(2)], contexts: [] }));
      const page = await harness.open();
      await page.getByText('Usable, 3 of 3 nodes ready').waitFor();
      await page.getByText('Stopped, 2 nodes').waitFor();
      await page.getByText('New cluster dev-2').waitFor();
      await page.getByRole('searchbox', { name: 'Search clusters' }).fill('bill');
      await expect.poll(() => page.getByRole('link', { name: 'dev', exact: true }).count()).toBe(0);
      await page.getByRole('button', { name: 'Start billing' }).click();
      await expect.poll(() => harness.fake.callsOf('startCluster')[0]?.args).toEqual(['billing']);
    });

    it('UX-3.3 processes that an earlier launcher left behind are told where the cluster is listed and on its overview', async () => {
      const told = 'A process of an earlier Muster still ran (node-2); it was stopped.';
      harness.fake.show(cluster({ ...scenes.stopped(), leftBehind: told }));
      const page = await harness.open();
      await page.locator('[data-cluster="dev"]').getByRole('note').getByText(told).waitFor();
      await page.getByRole('button', { name: 'Open dev' }).click();
      await page.getByRole('heading', { level: 1, name: 'dev' }).waitFor();
      await page.getByRole('note').getByText(told).waitFor();
    });

    it('UX-3.3 a cluster is duplicated under the next free name, and a refusal is told where the clusters are', async () => {
      harness.fake.show(scenes.stopped());
      harness.fake.show(cluster({ ...scenes.stopped(), name: 'dev-2' }));
      harness.fake.on('duplicateCluster', (_from: string, name: string) => {
        harness.fake.show(cluster({ ...scenes.stopped(), name }));
        return { spec: { name } };
      });
      const page = await harness.open();
      await choose(page, 'dev', 'Duplicate');
      await page.getByRole('link', { name: 'dev-3', exact: true }).waitFor();
      expect(harness.fake.callsOf('duplicateCluster')[0]?.args).toEqual(['dev', 'dev-3']);
      await page.getByRole('region', { name: 'Just done' }).getByText('Cluster dev-3 is made.').waitFor();
      const refusal = { code: 'NO_FREE_PORTS', what: 'No block of ports is free.', why: '', next: [] };
      harness.fake.fail('duplicateCluster', refusal);
      await choose(page, 'dev-3', 'Duplicate');
      await page.getByRole('region', { name: 'Your clusters' }).getByText('NO_FREE_PORTS').waitFor();
      expect(harness.fake.callsOf('duplicateCluster')[1]?.args).toEqual(['dev-3', 'dev-3-2']);
    });

    it('UX-3.3 a row exports its cluster, running or not, and leads to its checkpoints; the mark stands clear of the edge', async () => {
      harness.fake.show(scenes.healthy());
      harness.fake.on('exportCluster', () => ({ fileName: 'dev.yml', text: 'name: dev\n', notes: [] }));
      harness.fake.on('bundleContents', () => []);
      const page = await harness.open();
      const mark = await page.locator('.brand').boundingBox();
      expect(mark?.y).toBeGreaterThan(24);
      await choose(page, 'dev', 'Export…');
      const files = page.getByRole('dialog', { name: 'Files of dev' });
      await files.getByText('name: dev').waitFor();
      expect(harness.fake.callsOf('exportCluster')[0]?.args).toEqual(['dev', 'template']);
      await page.keyboard.press('Escape');
      await files.waitFor({ state: 'detached' });
      await choose(page, 'dev', 'Checkpoints');
      await page.locator('[data-page="checkpoints"]').waitFor();
    });

    it('UX-3.3 a stopped cluster is deleted from the list, after a question that names its folder', async () => {
      const stopped = scenes.stopped();
      harness.fake.show(stopped);
      harness.fake.show(cluster({ name: 'billing' }));
      const page = await harness.open();
      await page.getByRole('button', { name: 'More for billing' }).click();
      expect(await page.getByRole('button', { name: 'Delete…' }).isDisabled(), 'it runs').toBe(true);
      await page.keyboard.press('Escape');
      harness.fake.fail('removeCluster', { code: 'CLUSTER_RUNNING', what: 'Cluster dev runs.', why: '', next: [] });
      await choose(page, 'dev', 'Delete…');
      const question = page.getByRole('dialog', { name: 'Delete cluster dev?' });
      await question.getByText(stopped.dir).waitFor();
      await question.getByRole('button', { name: 'Delete dev' }).click();
      await question.getByText('CLUSTER_RUNNING').waitFor();
      harness.fake.on('removeCluster', () => ({ deleted: [stopped.dir] }));
      await question.getByRole('button', { name: 'Delete dev' }).click();
      await question.waitFor({ state: 'detached' });
      expect(harness.fake.callsOf('removeCluster').map(({ args }) => args)).toEqual([['dev'], ['dev']]);
      expect(await page.getByText('CLUSTER_RUNNING').count()).toBe(0);
    });

    it('UX-6 the Connect panel says from where its settings work, and what to do for other places', async () => {
      const view = scenes.healthy();
      const page = await harness.openCluster(view);
      await page.getByRole('tab', { name: 'Connect' }).click();
      const panel = page.getByRole('tabpanel');
      await panel.getByText('Works from this computer. For apps in containers choose Docker').waitFor();
      const nodes = view.nodes.map((node) => ({ ...node, host: 'host.docker.internal' }));
      harness.fake.show({ ...view, nodes });
      await panel.getByText('Works from everywhere that reaches this computer as host.docker.internal').waitFor();
    });

    it('UX-3.2 where my app runs decides the host name that apps are told', async () => {
      const page = await harness.open();
      await page.getByRole('button', { name: 'Change…' }).click();
      const form = page.getByRole('dialog', { name: 'New cluster' });
      const planned = () =>
        harness.fake.callsOf('planCluster').at(-1)?.args[0] as { readonly host?: string } | undefined;
      const host = () => planned()?.host;
      await expect.poll(planned).toBeDefined();
      expect(host()).toBeUndefined();
      await form.getByRole('radio', { name: 'In Docker' }).check();
      await expect.poll(host).toBe('host.docker.internal');
      await form.getByRole('radio', { name: 'Elsewhere' }).check();
      await form.getByRole('textbox', { name: 'Host name' }).fill('build.example');
      await expect.poll(host).toBe('build.example');
      await form.getByRole('radio', { name: 'On this computer' }).check();
      await form.getByRole('button', { name: 'Create and start' }).click();
      await expect.poll(() => harness.fake.callsOf('createCluster').length).toBe(1);
      expect(harness.fake.callsOf('createCluster')[0]?.args[0]).not.toHaveProperty('host');
    });

    it('UX-3.2 the form previews the plan and says what a number of nodes means', async () => {
      const page = await harness.open();
      await page.getByRole('button', { name: 'Change…' }).click();
      const form = page.getByRole('dialog', { name: 'New cluster' });
      await form.getByLabel('Nodes').fill('4');
      await form.getByText('No safer than 3 nodes.').waitFor();
      await form.getByRole('rowheader', { name: 'node-4' }).waitFor();
      const properties = form.getByRole('region', { name: 'Properties of the first node' });
      await properties.getByText('timing-profile=dev').waitFor();
      await form.getByText('Ports and timing').click();
      await form.getByRole('radio', { name: 'As documented' }).check();
      await properties.getByText('timing-profile=axon').waitFor();
      const plan = form.getByRole('complementary', { name: 'Plan' });
      await form.getByRole('radio', { name: 'Slow motion' }).check();
      await plan.getByText(/^Timing: Starts fast; once usable, .* take 10 times as long/).waitFor();
      await properties.getByText('timing-profile=dev').waitFor();
      await form.getByLabel('Throw away when stopped').check();
      await form.getByRole('button', { name: 'Create and start' }).click();
      await expect
        .poll(() => harness.fake.callsOf('createCluster')[0]?.args[0])
        .toMatchObject({ nodes: 4, data: 'throw-away', timing: 'dev', slowMotion: true });
    });

    it('UX-3.2 contexts are chips: added by Enter, a comma or on the way on, taken away by a press; a name that is none says why', async () => {
      const page = await harness.open();
      await page.getByRole('button', { name: 'Change…' }).click();
      const form = page.getByRole('dialog', { name: 'New cluster' });
      const field = form.getByRole('textbox', { name: 'Contexts' });
      await field.fill('billing');
      await field.press('Enter');
      await field.pressSequentially('orders,');
      await form.getByRole('button', { name: 'Take away context orders' }).waitFor();
      await form.getByRole('button', { name: 'Take away context default' }).click();
      await field.fill('9x');
      await form.getByRole('button', { name: 'Create and start' }).click();
      await form.getByText("9x: a letter first, then letters, digits, '_' or '-'.").waitFor();
      expect(harness.fake.callsOf('createCluster')).toEqual([]);
      await field.fill('returns');
      await form.getByRole('button', { name: 'Create and start' }).click();
      await expect
        .poll(() => harness.fake.callsOf('createCluster')[0]?.args[0])
        .toMatchObject({ contexts: ['billing', 'orders', 'returns'] });
    });

    it('UX-3.2 access control, TLS and DCB are switches of the form; what is switched off again is not asked for', async () => {
      const page = await harness.open();
      await page.getByRole('button', { name: 'Change…' }).click();
      const form = page.getByRole('dialog', { name: 'New cluster' });
      await form.getByRole('checkbox', { name: 'Access control' }).check();
      await form.getByRole('checkbox', { name: 'TLS' }).check();
      await form.getByRole('checkbox', { name: 'DCB contexts' }).check();
      await form.getByRole('checkbox', { name: 'DCB contexts' }).uncheck();
      await form.getByRole('button', { name: 'Create and start' }).click();
      await expect
        .poll(() => harness.fake.callsOf('createCluster')[0]?.args[0])
        .toMatchObject({ accessControl: true, tls: true });
      expect(harness.fake.callsOf('createCluster')[0]?.args[0]).not.toHaveProperty('dcb');
    });
  });
});
