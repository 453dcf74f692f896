// Settings that every window shares (ux.md §13): read, changed by keyboard, and told when they cannot be.
import { expect, it } from 'vitest';
import { describeWindow } from './harness.ts';

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
    harness.fake.on('settings', () => ({ closeWindow: 'tray' }));
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
});
