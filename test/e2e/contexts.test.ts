// Contexts and roles on real engines (ux.md §8), and the page's empty and error states on scripted views.
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { violations } from './axe.ts';
import { describeWindow } from './harness.ts';
import { describeRealWindow } from './real-window.ts';
import { scenes } from './scenes.ts';
import { cluster, context, node, replica } from './view-parts.ts';

const CHANGE_MS_MAX = 30_000;

/** The button that shows a role, and becomes a select while it is changed. */
const roleOf = (page: Page, node: string, of: string, role = ''): Locator =>
  page.getByRole('button', { name: `Role of ${node} in ${of}: ${role}` });

async function choose(page: Page, button: Locator, value: string): Promise<void> {
  await button.click();
  const select = page.locator('.role-cell select');
  await select.selectOption(value);
  // Moving a leader takes the select away by itself, since nothing else can be done meanwhile.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await select.waitFor({ state: 'detached' });
}

describeRealWindow('contexts on real engines', { waitMsMax: CHANGE_MS_MAX, started: true }, (window) => {
  let page: Page;
  beforeAll(async () => {
    page = window();
    await page.getByRole('link', { name: 'Contexts' }).click();
  });

  it('UX-8 a context is made with roles, and its row shows them', async () => {
    await page.getByRole('button', { name: 'New context…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New context' });
    expect(await dialog.getByRole('button', { name: 'Create context' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Name' }).fill('9bad');
    await dialog.getByText('A letter first').waitFor();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('billing');
    await dialog.getByRole('combobox', { name: 'node-3' }).selectOption('');
    await dialog.getByText('Voters 2, majority 2. No safer than 1.').waitFor();
    await dialog.getByRole('button', { name: 'Create context' }).click();
    await roleOf(page, 'node-2', 'billing', 'primary').waitFor({ timeout: CHANGE_MS_MAX });
    expect(await roleOf(page, 'node-3', 'billing', 'none').isVisible()).toBe(true);
  });

  it('UX-8 a staged change is told in words, applied as a task step by step, and seen in the matrix', async () => {
    await choose(page, roleOf(page, 'node-3', 'billing'), 'PASSIVE_BACKUP');
    const plan = page.getByRole('region', { name: 'Plan for billing' });
    await plan.getByText(/node-3 joins billing as passive backup; copies 0 events\./).waitFor();
    await plan.getByText('Voters stay 2, majority 2.').waitFor();
    await plan.getByRole('button', { name: 'Apply the change' }).click();
    await page.locator('[data-task-state="done"]').waitFor();
    await page.locator('tr[data-context="billing"] .staged').waitFor({ state: 'detached', timeout: CHANGE_MS_MAX });
    await roleOf(page, 'node-3', 'billing', 'passive backup').waitFor({ timeout: CHANGE_MS_MAX });
    await page.getByRole('tab', { name: 'Tasks' }).click();
    await page.getByRole('region', { name: 'Tasks, newest first' }).getByText('Change roles in billing').waitFor();
  });

  it('B7 leadership moves to the chosen primary', async () => {
    const cell = page.locator('tr[data-context="billing"] td:has(.leader-mark)');
    const leader = () => cell.getAttribute('data-node');
    await cell.waitFor({ timeout: CHANGE_MS_MAX });
    const target = (await leader()) === 'node-1' ? 'node-2' : 'node-1';
    await choose(page, page.getByRole('button', { name: 'Move leader of billing' }), target);
    await expect.poll(leader, { timeout: CHANGE_MS_MAX }).toBe(target);
  });

  it('UX-1.5 a context is deleted only after its name was typed', async () => {
    await page.getByRole('button', { name: 'Delete context billing' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete context billing?' });
    expect(await dialog.getByRole('button', { name: 'Delete context' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('billing');
    await dialog.getByRole('button', { name: 'Delete context' }).click();
    await page.locator('tr[data-context="billing"]').waitFor({ state: 'detached' });
  });
});

describeWindow('contexts page', (harness) => {
  it('UX-17 says why it is empty, keeps the staged change when it is refused, and refuses to lose the last primary', async () => {
    const page = await harness.openCluster(scenes.stopped());
    await page.getByRole('link', { name: 'Contexts' }).click();
    await page.getByText('The cluster is stopped. Start it to see').waitFor();
    harness.fake.show(scenes.healthy());
    harness.fake.fail('changeRoles', { code: 'ROLES_REFUSED', what: 'Refused.', why: 'On purpose.', next: [] });
    const cell = (node: string, role?: string) => roleOf(page, node, 'default', role);
    await choose(page, cell('node-3'), 'ACTIVE_BACKUP');
    await page.getByRole('button', { name: 'Apply the change' }).click();
    await page.getByText('ROLES_REFUSED').waitFor();
    expect(await cell('node-3', 'active backup').isVisible()).toBe(true);
    await choose(page, cell('node-1'), 'ACTIVE_BACKUP');
    await choose(page, cell('node-2'), 'ACTIVE_BACKUP');
    await page.getByText(/default needs at least one primary/).waitFor();
    expect(await page.getByRole('button', { name: 'Apply 3 changes' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Discard' }).click();
    expect(await cell('node-1', 'primary').isVisible()).toBe(true);
  });

  it('UX-8 a large matrix makes a select only for the role that is changed, by keyboard and back again', async () => {
    const nodes = Array.from({ length: 9 }, (_, i) => node(i + 1));
    const members = nodes.map((_, i) => replica(i + 1));
    const contexts = Array.from({ length: 50 }, (_, i) => context(`context-${i}`, { members }));
    const page = await harness.openCluster(cluster({ nodes, contexts }));
    await page.getByRole('link', { name: 'Contexts' }).click();
    await expect.poll(() => page.locator('.role-cell .choice').count()).toBe(500);
    const select = page.locator('.contexts-page select');
    expect(await select.count()).toBe(0);
    const first = roleOf(page, 'node-1', 'context-0');
    await first.press('ArrowDown');
    await page.getByRole('combobox', { name: 'Role of node-1 in context-0', exact: true }).waitFor();
    expect(await select.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await violations(page, 'role select')).toEqual([]);
    // The first closes the list of the browser, the second gives the button back.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await select.waitFor({ state: 'detached' });
    await expect.poll(() => first.evaluate((element) => element === document.activeElement)).toBe(true);
    await first.press('Enter');
    await select.selectOption('PASSIVE_BACKUP');
    await page.getByRole('region', { name: 'Plan for context-0' }).waitFor();
    await page.getByRole('button', { name: 'Discard' }).focus();
    await select.waitFor({ state: 'detached' });
    await roleOf(page, 'node-1', 'context-0', 'passive backup').waitFor();
  });
});
