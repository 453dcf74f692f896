// Codes that clients see, explained where people meet them (row B11).
import { expect, it } from 'vitest';
import { describeWindow } from './harness.ts';

describeWindow('explained codes', (harness) => {
  it('B11 Help tells the cause and next step of a typed code; an error that names one has them under it', async () => {
    const page = await harness.open();
    await page.getByRole('link', { name: 'Help' }).click();
    const field = page.getByRole('combobox', { name: /^Code, such as/ });
    await field.fill('4000');
    const note = page.getByRole('region', { name: 'What AXONIQ-4000 means' });
    await note.getByText('No connected app of this context has a handler for the command.').waitFor();
    await note.getByText('See who handles what: muster apps').waitFor();
    await field.fill('4242');
    await page.getByText('No such code.').waitFor();
    expect(await note.count()).toBe(0);

    harness.fake.fail('changeSettings', {
      code: 'CONTEXT_REFUSED',
      what: 'It was refused.',
      why: '[AXONIQ-2310] node-1 is the last PRIMARY of shop',
      next: [],
    });
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('12 hours', { exact: true }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'It was refused.' });
    await alert.getByText('Give another node the role PRIMARY first.').waitFor();
  });
});
