// Settings that every window shares (ux.md §13): read, changed by keyboard, and told when they cannot be.
import { expect, it } from 'vitest';
import { standardSettings } from '../../electron/contract/settings.ts';
import { commandLink } from './fake-launcher.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { openScreen } from './screens.ts';
import { scenes } from './scenes.ts';
import { logOf } from './view-parts.ts';

/** For what takes several answers. */
const LATE = { timeout: 10_000 };

describeWindow('settings', (harness) => {
  it('UX-13: the keyboard chooses what closing the desktop window does; a refusal stays in place with its code', async () => {
    const page = await harness.open();
    await page.getByRole('link', { name: 'Settings' }).click();
    const group = page.getByRole('group', { name: 'When the window is closed' });
    await group.getByRole('radio', { name: 'Stop the clusters and quit' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect
      .poll(() => harness.fake.callsOf('changeSettings').map((call) => call.args))
      .toEqual([[{ closeWindow: 'tray' }]]);
    await expect.poll(() => group.getByRole('radio', { name: /tray/ }).isChecked()).toBe(true);

    harness.fake.fail('changeSettings', {
      code: 'WORKSPACE_UNUSABLE',
      what: 'The settings were not saved.',
      why: 'No space left on device.',
      next: ['Make room.'],
    });
    await page.keyboard.press('ArrowLeft');
    await page.getByText('WORKSPACE_UNUSABLE').waitFor();
  });

  it('UX-13: settings that cannot be read say why and can be asked again', async () => {
    harness.fake.fail('settings', { code: 'INTERNAL', what: 'It did not work.', why: 'Once.', next: [] });
    const page = await harness.open();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('It did not work.').waitFor();
    harness.fake.on('settings', () => ({ ...standardSettings, closeWindow: 'tray' }));
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => page.getByRole('radio', { name: /tray/ }).isChecked()).toBe(true);
  });

  it('tells how the command line of this installation is called', async () => {
    const page = await harness.open();
    await page.getByRole('link', { name: 'Settings' }).click();
    const group = page.getByRole('region', { name: 'Command line' });
    await group.getByText('/opt/Muster/resources/bin/muster --help').waitFor();
    await group.getByRole('button', { name: 'Copy the command' }).waitFor();
  });

  it('UX-13: the command muster is installed and removed; what is missing on the PATH is told and can be copied', async () => {
    const { fake } = harness;
    const line = 'export PATH="$HOME/.local/bin:$PATH"';
    fake.on('changeCommandLink', (wish: string) =>
      wish === 'remove'
        ? commandLink
        : { ...commandLink, state: 'installed', sentence: 'Installed.', next: [`Add: ${line}`], pathLine: line },
    );
    const page = await harness.open();
    await openScreen(page, 'Settings');
    const group = page.getByRole('region', { name: 'Command line' });
    await group.getByText('The command muster is not installed.').waitFor();
    await pressWhenReady(group.getByRole('button', { name: 'Install muster' }));
    await group.getByText(`Add: ${line}`).waitFor();
    await group.getByRole('button', { name: 'Copy the line for the PATH' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(line);
    await pressWhenReady(group.getByRole('button', { name: 'Remove muster' }));
    await group.getByText('The command muster is not installed.').waitFor();
    expect(fake.callsOf('changeCommandLink').map((call) => call.args)).toEqual([['install'], ['remove']]);
  });

  it('UX-13: a link to another Muster is only led here by its own button; a foreign file has none; a terminal is heard of', async () => {
    const { fake } = harness;
    const another = { ...commandLink, state: 'another', sentence: 'It leads to another Muster.' };
    fake.on('commandLink', () => another);
    fake.fail('changeCommandLink', { code: 'COMMAND_LINK_REFUSED', what: 'Refused.', why: 'Taken.', next: [] });
    const page = await harness.open();
    await openScreen(page, 'Settings');
    const group = page.getByRole('region', { name: 'Command line' });
    await pressWhenReady(group.getByRole('button', { name: 'Let it lead here' }));
    await group.getByText('COMMAND_LINK_REFUSED').waitFor();
    expect(fake.callsOf('changeCommandLink').map((call) => call.args)).toEqual([['replace']]);
    fake.on('commandLink', () => ({
      ...another,
      state: 'foreign',
      sentence: 'A foreign file.',
      next: ['Move it away.'],
    }));
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await group.getByText('Move it away.').waitFor();
    expect(await group.getByRole('button', { name: /muster|lead/ }).count()).toBe(0);
  });

  it('UX-13: every time of the window follows the format, also one that another window chose', async () => {
    harness.fake.setLog('node-1', logOf(1));
    const page = await harness.openCluster();
    await page.getByRole('checkbox', { name: 'Plain text' }).check();
    const log = page.getByRole('log');
    await expect.poll(() => log.textContent()).toMatch(/\d\d:\d\d:\d\d\.\d{3} INFO/);
    harness.fake.push('settings', { ...standardSettings, clock: '12h', zone: 'utc' });
    await expect.poll(() => log.textContent()).toMatch(/\d\d:\d\d:\d\d\.\d{3} [AP]M Z INFO/);
    await page.getByRole('checkbox', { name: 'Plain text' }).uncheck();
    await expect.poll(() => page.locator('.xterm-rows').textContent()).toMatch(/[AP]M Z/);
    await openScreen(page, 'Clusters');
    const summary = page.getByRole('link', { name: 'dev', exact: true }).locator('xpath=ancestor::li');
    await expect.poll(() => summary.textContent()).toMatch(/just now|ago/);
    await openScreen(page, 'Settings');
    await page.getByRole('group', { name: 'Ages' }).getByText('As the time').click();
    await expect
      .poll(() => harness.fake.callsOf('changeSettings').map((call) => call.args))
      .toEqual([[{ ages: 'time' }]]);
    await openScreen(page, 'Clusters');
    await expect.poll(() => summary.textContent()).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d/);
  });

  it('UX-13: a first port takes effect with its button; a refusal stays beside it', async () => {
    const page = await harness.open();
    await openScreen(page, 'Settings');
    const group = page.getByRole('region', { name: 'Ports of new clusters' });
    await group.getByRole('spinbutton', { name: 'First port' }).fill('9024');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => harness.fake.callsOf('changeSettings').map((call) => call.args))
      .toEqual([[{ firstPort: 9024 }]]);
    harness.fake.fail('changeSettings', { code: 'BAD_ARGUMENT', what: 'Refused.', why: 'Not a port.', next: [] });
    await group.getByRole('spinbutton', { name: 'First port' }).fill('1');
    await pressWhenReady(group.getByRole('button', { name: 'Save' }));
    await group.getByText('BAD_ARGUMENT').waitFor();
  });

  it('UX-13: the control port is seen, moved, closed, and its token renewed; the page goes on with the new one', async () => {
    const page = await harness.open();
    await openScreen(page, 'Settings');
    const group = page.getByRole('region', { name: 'Control port' });
    await group.getByText('http://127.0.0.1:43123').waitFor();
    expect(await group.textContent()).not.toContain('abc');
    await group.getByRole('button', { name: 'Copy the token' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('abc');
    harness.fake.setToken('renewed');
    await pressWhenReady(group.getByRole('button', { name: 'New token' }));
    await expect.poll(() => harness.fake.callsOf('newToken')).toHaveLength(1);
    // With a new connection it is read again; until then the field is disabled, and a key typed there is lost.
    await expect.poll(() => harness.fake.callsOf('controlPort').length, LATE).toBeGreaterThan(1);
    await group.getByRole('spinbutton', { name: 'Port' }).fill('9100');
    await page.keyboard.press('Enter');
    await group.getByText('http://127.0.0.1:9100').waitFor();
    await group.getByText('Off', { exact: true }).click();
    await group.getByText('Nothing listens now.').waitFor();
    expect(harness.fake.callsOf('changeControlPort').map((call) => call.args)).toEqual([[9100], ['off']]);
  });

  it('UX-13: a broken settings file is told on every screen until it is dismissed', async () => {
    const problem = { code: 'SETTINGS_BROKEN', what: 'The settings cannot be used.', why: 'Oops.', next: [] };
    harness.fake.on('settings', () => ({ ...standardSettings, problem }));
    harness.fake.show(scenes.healthy());
    const page = await harness.open();
    await page.getByText('SETTINGS_BROKEN').waitFor();
    await page.getByRole('button', { name: 'Open settings' }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    await expect.poll(() => page.getByText('SETTINGS_BROKEN').count()).toBe(1);
    await openScreen(page, 'Clusters');
    await page.getByRole('button', { name: 'Dismiss error' }).click();
    await expect.poll(() => page.getByText('SETTINGS_BROKEN').count()).toBe(0);
  });
});
