// One context in depth, and the links between the nodes.
import { describe, expect, it } from 'vitest';
import { card, describeWindow, row, why } from './harness.ts';
import { scenes } from './scenes.ts';

describeWindow('the window', (harness) => {
  describe('context panel', () => {
    it('UX-4.2 no majority: says how many are reachable and needed, and starts the missing node', async () => {
      const page = await harness.openCluster(scenes['no-quorum']());
      await why(page).getByText('No leader: 1 of 3 voting members reachable, 2 needed.').waitFor();
      expect(await why(page).getByRole('heading', { name: 'No majority' }).isVisible()).toBe(true);
      await why(page).getByRole('button', { name: 'Start node-2' }).click();
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-2', 'start']);
    });

    it('UX-4.2 blocked commits name the active backup that is missed', async () => {
      const page = await harness.openCluster(scenes.blocked());
      await why(page).getByText('Commits need an active backup and node-4 is down.').waitFor();
      await why(page).getByRole('button', { name: 'Start node-4' }).waitFor();
    });

    it('UX-4.2 a cut-off leader is told from the real one, and healing is one press', async () => {
      const page = await harness.openCluster(scenes['stale-leader']());
      await why(page).getByRole('heading', { name: 'Cut-off leader' }).waitFor();
      await page.getByText('4 active faults').waitFor();
      await why(page).getByRole('button', { name: 'Heal links' }).click();
      await expect.poll(() => harness.fake.callsOf('heal')[0]?.args).toEqual(['dev']);
    });

    it('UX-4.2 an election shows the candidate and its votes, then the new leader with a higher term', async () => {
      const page = await harness.openCluster(scenes.electing());
      await why(page).getByRole('heading', { name: 'Electing a leader' }).waitFor();
      expect(await row(page, 'node-2').getByRole('cell').allTextContents()).toEqual([
        'Primary',
        'Candidate',
        'node-2',
        '8',
        '18,402',
        '18,402',
        '18,402',
        '–',
      ]);
      expect(await page.locator('.disc.is-candidate .vote').count()).toBe(2);
      harness.fake.show(scenes.elected());
      await row(page, 'node-2').getByText('Leader').waitFor();
      await page.getByRole('img', { name: /node-2 leads, term 8/ }).waitFor();
    });

    it('UX-15 the ring, the chart and the table tell the same facts; the table is the readable twin', async () => {
      const page = await harness.openCluster(scenes['catching-up']());
      expect(await row(page, 'node-1').getByRole('cell').last().textContent()).toBe('1,204');
      await page.getByText('most now: 1,204').waitFor();
      expect(await page.locator('.lag-plot canvas').count()).toBe(1);
    });

    it('UX-14 contexts are switched by radio and by [ and ] while a card has the focus', async () => {
      const page = await harness.openCluster();
      await card(page, 'node-1').focus();
      await page.keyboard.press(']');
      await page.getByRole('region', { name: 'Why: _admin' }).waitFor();
      await page.keyboard.press('[');
      await page.getByRole('region', { name: 'Why: default' }).waitFor();
    });
  });

  describe('links', () => {
    it('UX-4.3 a cell cuts one direction at once, arrows move in the grid, and the consequence is said in words', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Links…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      await dialog.getByText('default: node-1, node-2 and node-3 can lead; 2 of 3 voters are needed.').waitFor();
      await dialog.getByRole('button', { name: 'Cut node-1 to node-2' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Space');
      await expect
        .poll(() => harness.fake.callsOf('setLinks')[0]?.args)
        .toEqual(['dev', [{ from: 'node-1', to: 'node-3', cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 }]]);
      harness.fake.show(scenes['stale-leader']());
      await dialog.getByText('default: node-2 and node-3 can lead; 2 of 3 voters are needed.').waitFor();
      await dialog.getByRole('button', { name: 'Rejoin node-1' }).waitFor();
      await dialog.getByRole('button', { name: 'Heal all' }).click();
      await expect.poll(() => harness.fake.callsOf('heal').length).toBe(1);
    });
  });
});
