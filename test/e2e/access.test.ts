// Users and applications of a cluster with access control in the window, on scripted answers (console A6). Real: test/rows/access-cli.test.ts.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Account } from '../../electron/contract/access.ts';
import { violations } from './axe.ts';
import { describeWindow, pressWhenReady } from './harness.ts';
import { cluster, context } from './view-parts.ts';

describeWindow('users and applications', (window) => {
  let kept: Account[] = [];
  const open = async (): Promise<Page> => {
    kept = [];
    window.fake.on('accounts', () => kept);
    window.fake.on('putAccount', (_cluster: string, account: Account, password: string | null) => {
      const isNew = !kept.some((one) => one.kind === account.kind && one.name === account.name);
      kept = [...kept.filter((one) => one.name !== account.name), account];
      return { secret: isNew && password === null ? `secret-of-${account.name}` : null };
    });
    window.fake.on('renewSecret', (_cluster: string, _kind: string, name: string) => ({ secret: `next-of-${name}` }));
    window.fake.on('removeAccount', (_cluster: string, _kind: string, name: string) => {
      kept = kept.filter((one) => one.name !== name);
    });
    const page = await window.openCluster(cluster({ accessControl: true, contexts: [context('default')] }));
    await page.getByRole('link', { name: 'Contexts', exact: true }).click();
    return page;
  };

  it('A6 an application is made, its token shown once and copied, its roles changed, its token renewed, and it is deleted', async () => {
    const page = await open();
    const panel = page.getByRole('region', { name: 'Users and applications', exact: true });
    await panel.getByText('No users and no applications yet.', { exact: false }).waitFor();
    await pressWhenReady(panel.getByRole('button', { name: 'New application…' }));
    const dialog = page.getByRole('dialog', { name: 'New application' });
    expect(await dialog.getByRole('button', { name: 'Make the application' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Name' }).fill('shop');
    await dialog.getByRole('textbox', { name: 'Description' }).fill('sells');
    await dialog.getByRole('combobox', { name: 'In context' }).selectOption('default');
    await dialog.getByRole('button', { name: 'Give' }).click();
    expect(await violations(page, 'form')).toEqual([]);
    await dialog.getByRole('textbox', { name: 'Name' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const secret = panel.getByRole('region', { name: 'New token of shop' });
    await secret.getByText('secret-of-shop').waitFor();
    await secret.getByRole('button', { name: 'Copy the token' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('secret-of-shop');
    const row = panel.getByRole('row', { name: /^shop/ });
    await row.getByText('USE_CONTEXT@default').waitFor();
    expect(await violations(page, 'panel')).toEqual([]);
    await secret.getByRole('button', { name: 'I have it' }).click();
    await secret.waitFor({ state: 'detached' });
    expect(await panel.textContent(), 'not shown again').not.toContain('secret-of-shop');
    await pressWhenReady(row.getByRole('button', { name: 'Roles of application shop' }));
    const roles = page.getByRole('dialog', { name: 'Roles of shop' });
    await roles.getByRole('button', { name: 'Take away USE_CONTEXT@default' }).click();
    await roles.getByRole('combobox', { name: 'Role', exact: true }).selectOption('READ_EVENTS');
    await roles.getByRole('button', { name: 'Give' }).click();
    await roles.getByRole('button', { name: 'Save' }).click();
    await row.getByText('READ_EVENTS@*').waitFor();
    expect(window.fake.callsOf('putAccount').at(-1)?.args).toEqual([
      'dev',
      { kind: 'application', name: 'shop', description: 'sells', roles: ['READ_EVENTS@*'] },
      null,
    ]);
    await pressWhenReady(row.getByRole('button', { name: 'New token of shop' }));
    await secret.getByText('next-of-shop').waitFor();
    await pressWhenReady(row.getByRole('button', { name: 'Delete application shop' }));
    const question = page.getByRole('dialog', { name: 'Delete application shop?' });
    window.fake.fail('removeAccount', { code: 'ACCESS_REFUSED', what: 'No.', why: 'On purpose.', next: [] });
    await question.getByRole('button', { name: 'Delete' }).click();
    await question.getByRole('alert').filter({ hasText: 'ACCESS_REFUSED' }).waitFor();
    window.fake.on('removeAccount', () => {
      kept = [];
    });
    await pressWhenReady(question.getByRole('button', { name: 'Delete' }));
    await question.waitFor({ state: 'detached' });
    await panel.getByText('No users and no applications yet.', { exact: false }).waitFor();
  });

  it('A6 a user has the password that is typed; an error stays in the form; nothing is shown where access control is off', async () => {
    const page = await open();
    const panel = page.getByRole('region', { name: 'Users and applications', exact: true });
    await pressWhenReady(panel.getByRole('button', { name: 'New user…' }));
    const dialog = page.getByRole('dialog', { name: 'New user' });
    await dialog.getByRole('textbox', { name: 'Name' }).fill('ada');
    await dialog.getByLabel('Password', { exact: false }).fill('pw-1');
    window.fake.fail('putAccount', { code: 'ACCESS_REFUSED', what: 'No.', why: 'AXONIQ-2311', next: [] });
    await dialog.getByRole('button', { name: 'Make the user' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'ACCESS_REFUSED' }).waitFor();
    window.fake.on('putAccount', (_cluster: string, account: Account) => {
      kept = [account];
      return { secret: null };
    });
    await pressWhenReady(dialog.getByRole('button', { name: 'Make the user' }));
    await panel.getByRole('row', { name: /^ada/ }).waitFor();
    expect(window.fake.callsOf('putAccount').at(-1)?.args[2]).toBe('pw-1');
    window.fake.show(cluster({ contexts: [context('default')] }));
    await panel.waitFor({ state: 'detached' });
  });
});
