// The configuration page (ux.md §12) on scripted answers; the files themselves are proved by test/launcher/node-config.test.ts.
import { expect, it } from 'vitest';
import type { NodeConfigView } from '../../electron/contract/model.ts';
import { violations } from './axe.ts';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';
import { scenes } from './scenes.ts';

const config = (patch: Partial<NodeConfigView> = {}): NodeConfigView => ({
  node: 'node-1',
  file: '/home/ada/.muster/clusters/dev/node-1/axonserver.properties',
  generated: [{ key: 'axoniq.axonserver.name', value: 'node-1', why: 'clients and peers find the node by it' }],
  yours: 'a=1\n',
  unknownKeys: ['a'],
  problems: [],
  changedAt: Date.now(),
  needsRestart: false,
  differences: [],
  ...patch,
});

describeWindow('configuration page', (harness) => {
  it('UX-12 shows generated and yours, saves, tells a refusal in place, and offers the restart', async () => {
    const meantKeys = { a: 'axoniq.axonserver.a' };
    harness.fake.on('getConfig', () => config({ meantKeys }));
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    await page.getByText('Did you mean axoniq.axonserver.a?').waitFor();
    await page.getByRole('row', { name: /name node-1 clients and peers find/ }).waitFor();
    await page.getByText('a is not supported by this engine; it is kept.').waitFor();
    await page.getByRole('button', { name: 'Copy the path of the properties of node-1' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(config().file);
    const yours = page.getByRole('textbox', { name: /^Yours/ });
    harness.fake.fail('setConfig', { code: 'CONFIG_REFUSED', what: 'node-1 would not start.', why: 'No.', next: [] });
    await yours.fill('b=2\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('CONFIG_REFUSED').waitFor();
    expect(await yours.inputValue(), 'the text is not lost').toBe('b=2\n');

    const saved = config({ yours: 'b=2\n', unknownKeys: [], needsRestart: true });
    harness.fake.on('setConfig', () => saved);
    harness.fake.on('getConfig', () => saved);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('restart to apply').waitFor();
    expect(harness.fake.callsOf('setConfig').at(-1)?.args).toEqual(['dev', 'node-1', 'b=2\n']);
    await page.getByRole('button', { name: 'Restart node-1' }).click();
    await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-1', 'restart']);
  });

  it('UX-12 an edit from outside is told, never put over what is being typed', async () => {
    harness.fake.on('getConfig', () => config());
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    const yours = page.getByRole('textbox', { name: /^Yours/ });
    await yours.fill('mine=1\n');
    harness.fake.on('getConfig', () => config({ yours: 'theirs=1\n' }));
    const view = scenes.healthy();
    const [first, ...others] = view.nodes;
    if (first === undefined) throw new Error('The scene has nodes.');
    harness.fake.show({ ...view, nodes: [{ ...first, propertiesChangedAt: Date.now() }, ...others] });
    await page.getByText(/Changed on disk/).waitFor();
    expect(await yours.inputValue()).toBe('mine=1\n');
    await page.getByRole('button', { name: 'Diff' }).click();
    const lines = page.getByRole('region', { name: /on disk \(\+\)/ });
    expect(await lines.textContent()).toBe('− mine=1\n+ theirs=1\n');
    expect(await violations(page, 'Diff')).toEqual([]);
    await page.getByRole('button', { name: 'Reload' }).click();
    await expect.poll(() => yours.inputValue()).toBe('theirs=1\n');
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-1').getByText('restart to apply').waitFor();
    expect(await page.getByText('restart to apply').count()).toBe(1);
  });

  it('UX-12 what every node shares is edited once; lines of one node are told, and a rolling restart is offered', async () => {
    harness.fake.on('getConfig', () => config());
    const shared = { yours: 'a=1\n', unknownKeys: ['a'], problems: [], ownLines: ['node-2'], needsRestart: [] };
    harness.fake.on('getClusterConfig', () => shared);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    await page.getByRole('combobox', { name: 'Node' }).selectOption('every node');
    await page.getByText('node-2 has lines of its own, which win.').waitFor();
    const yours = page.getByRole('textbox', { name: 'Yours on every node' });
    harness.fake.fail('setClusterConfig', { code: 'CONFIG_REFUSED', what: 'No.', why: 'No.', next: [] });
    await yours.fill('b=2\n');
    await pressWhenReady(page.getByRole('button', { name: 'Save on every node' }));
    await page.getByText('CONFIG_REFUSED').waitFor();
    expect(await yours.inputValue(), 'the text is not lost').toBe('b=2\n');
    harness.fake.on('setClusterConfig', () => ({ ...shared, yours: 'b=2\n', needsRestart: ['node-1', 'node-3'] }));
    await pressWhenReady(page.getByRole('button', { name: 'Save on every node' }));
    await page.getByText(/node-1 and node-3 need a restart to apply/).waitFor();
    expect(harness.fake.callsOf('setClusterConfig').at(-1)?.args).toEqual(['dev', 'b=2\n']);
    expect(await violations(page, 'Every node')).toEqual([]);
  });

  it('UX-12 the file is read again when something happened or the window gets the focus, not by the clock', async () => {
    harness.fake.on('getConfig', () => config());
    const page = await harness.openCluster();
    await page.clock.install();
    await page.getByRole('link', { name: 'Configuration' }).click();
    const yours = page.getByRole('textbox', { name: /^Yours/ });
    await yours.waitFor();
    const asked = harness.fake.callsOf('getConfig').length;
    await page.clock.runFor(30_000);
    harness.fake.on('getConfig', () => config({ yours: 'theirs=1\n' }));
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await page.getByText(/Changed on disk/).waitFor();
    expect(harness.fake.callsOf('getConfig').length).toBe(asked + 1);
  });

  it('UX-12 tells key by key what is generated, yours and in force, and what each key means', async () => {
    const key = 'axoniq.axonserver.max-message-size';
    const sentence = 'Waits for a restart of the node: the default 4MB now, 8MB then.';
    const found = { key, generated: null, yours: '8MB', inForce: null, waits: true, sentence };
    harness.fake.on('getConfig', () => config({ differences: [found] }));
    harness.fake.on('configDocs', () => [
      { key, type: 'a size', fallback: '4MB', text: 'Largest message that is taken.', effect: 'restart' },
      { key: 'server.port', type: 'a port number', fallback: '8024', text: 'Port of the REST API.', effect: 'restart' },
    ]);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    const differences = page.getByRole('region', { name: 'Differences' });
    await differences.getByRole('row', { name: /max-message-size – 8MB – restart to apply Waits for/ }).waitFor();
    expect(harness.fake.callsOf('configDocs'), 'asked for when it is opened').toEqual([]);
    await page.getByText('What each key means').click();
    await page.getByText('2 of 2 keys').waitFor();
    await page.getByRole('searchbox', { name: 'Find a key' }).fill('REST');
    const keys = page.getByRole('region', { name: 'Keys' });
    await keys
      .getByRole('row', { name: /server\.port Port of the REST API\. a port number 8024 at the next start/ })
      .waitFor();
    await page.getByText('1 of 2 keys').waitFor();
  });

  it('UX-2 known keys are offered while one is typed, taken by keyboard alone, and undone as what was typed', async () => {
    harness.fake.on('getConfig', () => config({ yours: '# mine\n' }));
    harness.fake.on('configDocs', () => [
      {
        key: 'axoniq.axonserver.max-message-size',
        type: 'a size',
        fallback: '4MB',
        text: 'Largest message.',
        effect: 'restart',
      },
      {
        key: 'axoniq.axonserver.snapshot.max-age',
        type: 'a time',
        fallback: '',
        text: 'Oldest snapshot.',
        effect: 'restart',
      },
      { key: 'server.port', type: 'a port number', fallback: '8024', text: 'Port of REST.', effect: 'restart' },
    ]);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    const yours = page.getByRole('textbox', { name: /^Yours/ });
    const list = page.getByRole('listbox', { name: 'Known keys' });
    const keys = (): Promise<readonly string[]> => list.getByRole('option').locator('code').allTextContents();
    await yours.focus();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('max');
    await list.waitFor();
    await page.getByText('2 keys offered').waitFor({ state: 'attached' });
    expect(await keys(), 'those that begin so come first').toEqual([
      'axoniq.axonserver.max-message-size',
      'axoniq.axonserver.snapshot.max-age',
    ]);
    await list.getByText('Largest message. (a size, default 4MB)').waitFor();
    expect(await yours.getAttribute('aria-activedescendant'), 'nothing is chosen by itself').toBeNull();

    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const second = list.getByRole('option', { selected: true });
    await expect.poll(() => second.locator('code').textContent()).toBe('axoniq.axonserver.snapshot.max-age');
    expect(await second.getAttribute('id')).toBe(await yours.getAttribute('aria-activedescendant'));
    expect(await violations(page, 'key list')).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => yours.inputValue()).toBe('# mine\naxoniq.axonserver.snapshot.max-age=');
    expect(await list.isVisible()).toBe(false);
    await page.keyboard.press('Control+z');
    await expect.poll(() => yours.inputValue()).toBe('# mine\nmax');
  });

  it('UX-2 the list of keys closes with Esc and with the focus, keeps out of values, and leaves Enter alone', async () => {
    harness.fake.on('getConfig', () => config({ yours: '' }));
    harness.fake.on('configDocs', () => [
      { key: 'server.port', type: 'a port number', fallback: '8024', text: 'Port of REST.', effect: 'restart' },
    ]);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Configuration' }).click();
    const yours = page.getByRole('textbox', { name: /^Yours/ });
    const list = page.getByRole('listbox', { name: 'Known keys' });
    await yours.focus();
    await page.keyboard.type('ser');
    await list.waitFor();
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'hidden' });
    await page.keyboard.type('v');
    await list.waitFor();
    await page.keyboard.press('Enter');
    expect(await yours.inputValue(), 'nothing was chosen, so Enter is Enter').toBe('serv\n');
    await list.waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+Space');
    await list.getByRole('option', { name: /server\.port/, selected: true }).waitFor();
    await page.keyboard.press('Tab');
    await expect.poll(() => yours.inputValue()).toBe('serv\nserver.port=');
    await page.keyboard.type('ser');
    expect(await list.isVisible(), 'not in a value').toBe(false);
    await page.keyboard.press('Enter');
    await page.keyboard.type('s');
    await list.waitFor();
    await page.getByRole('combobox', { name: 'Node' }).focus();
    await list.waitFor({ state: 'hidden' });
  });

  it('UX-10 while the past is shown nothing of it can be saved or restarted, and each button says why', async () => {
    installPast(harness.fake);
    harness.fake.on('getConfig', () => config({ needsRestart: true }));
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Timeline' }).click();
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await page.getByRole('link', { name: 'Configuration' }).click();
    await page.getByRole('textbox', { name: /^Yours/ }).fill('b=2\n');
    for (const name of ['Rolling restart', 'Restart node-1', 'Save']) {
      const button = page.getByRole('main').getByRole('button', { name, exact: true });
      expect([name, await button.getAttribute('title')]).toEqual([
        name,
        expect.stringContaining('You look at the past'),
      ]);
    }
  });
});
