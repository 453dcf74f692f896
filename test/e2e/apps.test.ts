// The apps page on the real thing: an app that speaks gRPC is connected, its node is killed, the page tells what came back.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NodeClient } from '../rows/client.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { describeRealWindow } from './real-window.ts';
import { cluster } from './view-parts.ts';

const READY_MS_MAX = 60_000;
const TEST_MS_MAX = 180_000;

describeRealWindow('the apps page with real engines', { waitMsMax: READY_MS_MAX, scheme: 'light' }, (window) => {
  let page: Page;
  const clients: NodeClient[] = [];
  beforeAll(() => {
    page = window();
  });
  afterAll(() => {
    for (const client of clients) client.close();
  });

  /** An application with these command handlers, connected to one node. */
  const connectApp = async (port: number, commands: readonly string[]): Promise<NodeClient> => {
    const client = new NodeClient('127.0.0.1', port);
    clients.push(client);
    const control = client.register('41@ada');
    // The node that is killed ends both streams: that is the point.
    void control.ended;
    for (const command of commands) void (await client.handleCommand(command, '41@ada', (text) => text)).ended;
    return client;
  };
  const portOf = async (node: string): Promise<number> =>
    Number(/:(\d+)/.exec((await page.locator(`.node-card[data-node="${node}"]`).textContent()) ?? '')?.[1]);

  it(
    'ux §5 an app that comes back without a handler stands out, and is complete when it has it again',
    async () => {
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
      for (const name of ['node-1', 'node-2', 'node-3'])
        await page.locator(`.node-card[data-node="${name}"][data-state="ready"]`).waitFor();
      const first = await portOf('node-1');
      const second = await portOf('node-2');
      await connectApp(first, ['IssueCard', 'RedeemCard']);

      await page.getByRole('link', { name: 'Apps', exact: true }).click();
      const row = page.getByRole('row', { name: /41@ada/ });
      await row.getByText('node-1').waitFor();
      await page.getByRole('link', { name: 'Overview', exact: true }).click();
      await page.getByRole('button', { name: 'Kill node-1' }).click();
      await page.getByRole('status').filter({ hasText: '1 is away' }).waitFor();

      const again = await connectApp(second, ['RedeemCard']);
      await page.getByRole('status').filter({ hasText: '1 has something missing' }).waitFor();
      await page.getByRole('button', { name: 'Show report' }).click();
      const change = page.getByRole('article', { name: /41@ada/ });
      await change.getByText('IssueCard').waitFor();
      expect(await change.locator('.is-missing').textContent()).toContain('IssueCard missing');
      await change.getByText(/connected after [\d.]+ m?s/).waitFor();

      void (await again.handleCommand('IssueCard', '41@ada', (text) => text)).ended;
      await page.getByText(/^1 of 1 app is connected with everything\.$/).waitFor();
    },
    TEST_MS_MAX,
  );
});

describeWindow('the apps page', (window) => {
  const open = async (view = cluster()): Promise<Page> => {
    const page = await window.openCluster(view);
    await page.getByRole('link', { name: 'Apps', exact: true }).click();
    return page;
  };

  it('says that no app has connected and opens the settings for one', async () => {
    const page = await open();
    await page.getByText('No app has connected yet.').waitFor();
    await page.getByRole('button', { name: 'Settings for an app' }).click();
    await page.getByRole('tab', { name: 'Connect', selected: true }).waitFor();
  });

  it('ux §6 settings for an app are switched to Docker and back: says that a restart follows, and what refuses it', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Settings for an app' }).click();
    const reach = page.getByRole('combobox', { name: 'Works from' });
    await reach.selectOption('Docker, too');
    await page.getByText('every node is stopped and started again.').waitFor();
    window.fake.fail('changeHost', { code: 'CONFIG_REFUSED', what: 'No.', why: 'Certificates.', next: [] });
    const change = page.getByRole('button', { name: 'Change and restart' });
    await change.click();
    await page.getByRole('alert').filter({ hasText: 'CONFIG_REFUSED' }).waitFor();
    window.fake.on('changeHost', () => null);
    await pressWhenReady(change);
    await page.getByRole('tab', { name: 'Tasks', selected: true }).waitFor();
    expect(window.fake.callsOf('changeHost').at(-1)?.args).toEqual(['dev', 'host.docker.internal']);
    const view = cluster();
    window.fake.show({ ...view, nodes: view.nodes.map((node) => ({ ...node, host: 'host.docker.internal' })) });
    await page.getByRole('tab', { name: 'Connect' }).click();
    await page.getByText('Works from everywhere that reaches this computer as host.docker.internal').waitFor();
    await reach.selectOption('This computer');
    await pressWhenReady(change);
    await expect.poll(() => window.fake.callsOf('changeHost').at(-1)?.args).toEqual(['dev', null]);
  });

  it('asks an app to reconnect, and shows a refusal at the app', async () => {
    const app = {
      clientId: '41@ada',
      componentName: 'cards',
      node: 'node-1',
      context: 'default',
      connectedSince: Date.now() - 9_000,
      commands: ['IssueCard'],
      queries: [],
      processors: [],
    };
    const page = await open(cluster({ apps: [app] }));
    window.fake.on('askApp', () => ['node-1']);
    await page.getByRole('button', { name: 'Ask to reconnect cards' }).click();
    await page.getByText('Asked to reconnect').waitFor();
    expect(window.fake.callsOf('askApp')[0]?.args).toEqual(['dev', '41@ada', 'reconnect']);
    window.fake.fail('askApp', { code: 'APP_NOT_FOUND', what: 'No app 41@ada is connected.', why: '', next: [] });
    await page.getByRole('button', { name: 'Disconnect cards' }).click();
    await page.getByRole('alert').filter({ hasText: 'APP_NOT_FOUND' }).waitFor();
  });

  it('ux §5 steers an event processor: what makes no sense is off, what is refused is told at it', async () => {
    const claim = { onePartOf: 2, token: 41, caughtUp: true, replaying: false };
    const app = (place: number, clientId: string, running: boolean) => ({
      clientId,
      componentName: 'cards',
      node: `node-${place + 1}`,
      context: 'default',
      connectedSince: Date.now() - 9_000,
      commands: [],
      queries: [],
      processors: [
        { name: 'summary', running, segments: 1, token: 41, error: false, claims: [{ segment: place, ...claim }] },
      ],
    });
    const both = (running: boolean) => cluster({ apps: [app(0, '41@ada', running), app(1, '42@ada', running)] });
    const page = await open(both(true));
    const row = page.getByRole('region', { name: 'Table of event processors' }).getByRole('row', { name: /summary/ });
    await row.getByText('runs', { exact: true }).waitFor();
    expect(await row.getByRole('button', { name: 'Start summary' }).isDisabled(), 'it runs').toBe(true);
    window.fake.on('steerProcessor', () => 'done');
    await row.getByRole('button', { name: 'Pause summary' }).click();
    await row.getByRole('status').filter({ hasText: 'Paused' }).waitFor();
    window.fake.show(both(false));
    await row.getByText('paused', { exact: true }).waitFor();
    await row.getByRole('combobox', { name: 'Move segment 0 of summary to' }).selectOption('42@ada');
    await row.getByRole('status').filter({ hasText: 'Moved' }).waitFor();
    const summary = { context: 'default', name: 'summary' };
    expect(window.fake.callsOf('steerProcessor').map((call) => call.args)).toEqual([
      ['dev', summary, { kind: 'pause' }],
      ['dev', summary, { kind: 'move', segment: 0, clientId: '42@ada' }],
    ]);
    window.fake.fail('steerProcessor', { code: 'PROCESSOR_REFUSED', what: 'No.', why: 'AXONIQ-2801', next: [] });
    await pressWhenReady(row.getByRole('button', { name: 'Split summary' }));
    await page.getByRole('alert').filter({ hasText: 'PROCESSOR_REFUSED' }).waitFor();
  });
});
