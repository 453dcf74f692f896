// Node cards: every state with its word, sentence and actions.
import { describe, expect, it } from 'vitest';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { scenes } from './scenes.ts';

describeWindow('the window', (harness) => {
  describe('node cards', () => {
    const states = [
      { scene: 'stopped', name: 'node-1', word: 'Stopped', buttons: ['Start'] },
      { scene: 'starting', name: 'node-3', word: 'Starting', buttons: ['Stop', 'Kill', 'Freeze', 'Restart'] },
      { scene: 'starting', name: 'node-2', word: 'Joining', buttons: ['Stop', 'Kill', 'Freeze', 'Restart'] },
      {
        scene: 'catching-up',
        name: 'node-1',
        word: 'Catching up 82 %',
        buttons: ['Stop', 'Kill', 'Freeze', 'Restart'],
      },
      { scene: 'healthy', name: 'node-1', word: 'Ready', buttons: ['Stop', 'Kill', 'Freeze', 'Restart'] },
      { scene: 'stale-leader', name: 'node-1', word: 'Isolated', buttons: ['Stop', 'Kill', 'Freeze', 'Restart'] },
      { scene: 'frozen', name: 'node-3', word: 'Frozen', buttons: ['Stop', 'Kill', 'Resume', 'Restart'] },
      { scene: 'crashed', name: 'node-2', word: 'Crashed (exit 74)', buttons: ['Start'] },
      { scene: 'stale', name: 'node-2', word: 'No news', buttons: ['Stop', 'Kill', 'Freeze', 'Restart'] },
    ] as const;

    it.each(states)(
      'UX-4.1 $scene: $name says "$word", why, and offers what can be done',
      async ({ scene, name, word, buttons }) => {
        const view = scenes[scene]();
        const page = await harness.openCluster(view);
        const shown = card(page, name);
        await shown.locator('header .state').getByText(word).waitFor();
        expect(await shown.getByText(view.nodes.find((one) => one.name === name)?.sentence ?? '').isVisible()).toBe(
          true,
        );
        const group = shown.getByRole('group', { name: `Actions of ${name}` });
        expect(await group.getByRole('button').allTextContents()).toEqual([...buttons, 'Logs']);
      },
    );

    it('UX-4.1 a crashed node shows its code and its last words on the card', async () => {
      const page = await harness.openCluster(scenes.crashed());
      const shown = card(page, 'node-2');
      await shown.getByText('DISK_FULL').waitFor();
      expect(await shown.locator('pre').textContent()).toContain('ENOSPC');
    });

    it('UX-1.1 a node without news is hatched and its silence is counted, never shown as the last good value', async () => {
      const page = await harness.openCluster(scenes.stale());
      const shown = card(page, 'node-2');
      expect(await shown.evaluate((element) => getComputedStyle(element).backgroundImage)).toContain(
        'repeating-linear-gradient',
      );
      await expect.poll(() => shown.textContent(), { timeout: 10_000 }).toMatch(/No news ([5-9]|\d{2,}) s/);
    });

    it('UX-4.1 the leader of the shown context wears a crown, with words for those who do not see it', async () => {
      const page = await harness.openCluster();
      await card(page, 'node-1').getByText('leader of default').waitFor();
      harness.fake.show(scenes.elected());
      await card(page, 'node-2').getByText('leader of default').waitFor();
      expect(await card(page, 'node-1').getByText('leader of default').count()).toBe(0);
    });

    it('UX-4.1 addresses are copied exactly', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Copy gRPC address of node-2' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('localhost:8125');
    });

    it('UX-17 a refused action is told on the card it concerns, and only there', async () => {
      harness.fake.fail('actOnNode', {
        code: 'ENGINE_REFUSED',
        what: 'The engine did not stop.',
        why: 'It ended first.',
        next: ['Try Kill.'],
      });
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Stop node-3' }).click();
      await card(page, 'node-3').getByRole('alert').getByText('ENGINE_REFUSED').waitFor();
      expect(await card(page, 'node-1').getByRole('alert').count()).toBe(0);
    });
  });
});

describeWindow('nodes come and go', (harness) => {
  const task = {
    id: 'task-1',
    cluster: 'dev',
    title: '',
    state: 'running',
    cancellable: true,
    startedAt: 1,
    endedAt: null,
    steps: [],
    error: null,
  };

  it('ux §4 a node is added from below the cards, and removed only after a question that says what dies, by keyboard', async () => {
    harness.fake.on('addNode', () => task);
    harness.fake.fail('removeNode', {
      code: 'ROLES_REFUSED',
      what: 'The roles in default stay as they are.',
      why: '',
      next: [],
    });
    const page = await harness.openCluster();
    await page.getByRole('button', { name: 'Add a node' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('addNode').map((call) => call.args)).toEqual([['dev']]);
    await pressWhenReady(page.getByRole('button', { name: 'Remove a node…' }));
    const dialog = page.getByRole('dialog', { name: 'Remove a node from dev?' });
    await dialog.waitFor();
    expect(await dialog.getByRole('option').allTextContents()).toEqual(['node-2', 'node-3']);
    await dialog.getByRole('button', { name: 'Remove node-3' }).press('Enter');
    await dialog.getByText('ROLES_REFUSED').waitFor();
    harness.fake.on('removeNode', () => task);
    await pressWhenReady(dialog.getByRole('button', { name: 'Remove node-3' }));
    await dialog.waitFor({ state: 'detached' });
    expect(harness.fake.callsOf('removeNode').map((call) => call.args)).toEqual([
      ['dev', 'node-3'],
      ['dev', 'node-3'],
    ]);
  });
});
