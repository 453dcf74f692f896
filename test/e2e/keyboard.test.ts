// The window by keyboard, and the log pane.
import { describe, expect, it } from 'vitest';
import { card, describeWindow } from './harness.ts';
import { logOf } from './view-parts.ts';

describeWindow('the window', (harness) => {
  describe('keyboard', () => {
    it('UX-14 on a focused card S, K, F and L stop, kill, freeze and show logs; the same keys elsewhere do nothing', async () => {
      const page = await harness.openCluster();
      await page.keyboard.press('k');
      await page.keyboard.press('Control+2');
      expect(await card(page, 'node-2').evaluate((element) => element === document.activeElement)).toBe(true);
      await page.keyboard.press('k');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('f');
      await expect
        .poll(() => harness.fake.callsOf('actOnNode').map((call) => call.args.slice(1)))
        .toEqual([
          ['node-2', 'kill'],
          ['node-3', 'freeze'],
        ]);
      await page.keyboard.press('l');
      await expect.poll(() => page.getByRole('radio', { name: 'node-3' }).isChecked()).toBe(true);
      await expect.poll(() => page.getByRole('article', { name: 'node-3' }).getAttribute('aria-busy')).toBe('false');
      await page.keyboard.press('s');
      await expect.poll(() => harness.fake.callsOf('actOnNode').at(-1)?.args).toEqual(['dev', 'node-3', 'stop']);
    });

    it('UX-14 the palette finds a command by some of its letters and runs it', async () => {
      const page = await harness.openCluster();
      await page.keyboard.press('Control+k');
      const input = page.getByRole('combobox', { name: 'Command' });
      await input.fill('kll nde-3');
      await page.getByRole('option', { name: 'Kill node-3' }).waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-3', 'kill']);
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    });

    it('UX-14 Shift+K kills whoever leads the shown context; F1 lists every key', async () => {
      const page = await harness.openCluster();
      await card(page, 'node-3').focus();
      await page.keyboard.press('Shift+K');
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'leader:default', 'kill']);
      await page.keyboard.press('F1');
      const help = page.getByRole('dialog', { name: 'Keyboard' });
      await help.getByText('Freeze or resume the node').waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => help.count()).toBe(0);
    });

    it('UX-15 the whole screen is reached by Tab alone, and nothing traps the focus', async () => {
      const page = await harness.openCluster();
      const reached = new Set<string>();
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      for (let i = 0; i < 80; i++) {
        await page.keyboard.press('Tab');
        reached.add(
          await page.evaluate(() => {
            const element = document.activeElement;
            return (
              element?.closest('.status-bar, .dock, .panel, .node-card, .cluster-head')?.className.split(' ')[0] ?? ''
            );
          }),
        );
      }
      expect([...reached]).toEqual(expect.arrayContaining(['cluster-head', 'card', 'panel', 'dock', 'status-bar']));
    });
  });

  describe('logs', () => {
    it('UX-7 merged and per node, filtered by level; control characters of an engine never reach the terminal', async () => {
      for (const i of [1, 2, 3]) harness.fake.setLog(`node-${i}`, logOf(i));
      const page = await harness.openCluster();
      const plain = page.getByRole('log');
      await page.getByRole('checkbox', { name: 'Plain text' }).check();
      await expect.poll(() => plain.textContent()).toContain('INFO  node-1 [default] elected leader of term 7');
      expect(await plain.textContent()).not.toContain('barrier entry');
      await page.getByLabel('Level').selectOption('debug');
      await expect.poll(() => plain.textContent()).toContain('barrier entry');
      await page.getByRole('radio', { name: 'node-2' }).check({ force: true });
      await expect.poll(() => plain.textContent()).not.toContain('elected leader');
      harness.fake.push('log', {
        cluster: 'dev',
        node: 'node-2',
        lines: [
          {
            seq: 99,
            at: Date.now(),
            level: 'error',
            context: null,
            code: null,
            text: 'bad \u001b]52;c;aGk=\u0007 bytes',
          },
        ],
      });
      await expect.poll(() => plain.textContent()).toContain('ERROR bad ]52;c;aGk= bytes');
    });

    it('UX-7 the terminal shows what arrives and its search counts the matches', async () => {
      harness.fake.setLog('node-1', logOf(1));
      const page = await harness.openCluster();
      const rows = page.locator('.xterm-rows');
      await expect.poll(() => rows.textContent()).toContain('ready');
      harness.fake.push('log', {
        cluster: 'dev',
        node: 'node-1',
        lines: [
          { seq: 50, at: Date.now(), level: 'warn', context: 'default', code: 'X', text: 'needle one, needle two' },
        ],
      });
      await expect.poll(() => rows.textContent()).toContain('needle two');
      await page.getByRole('searchbox', { name: 'Search the log' }).fill('needle');
      await page.getByText(/^[12]\/2$/).waitFor();
    });
  });
});
