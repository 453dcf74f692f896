// The window by keyboard, and the log pane.
import { readFile } from 'node:fs/promises';
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

    it.each(['Escape', 'its close button'])(
      'UX-14 a shortcut right after a dialog was closed by %s counts',
      async (way) => {
        const page = await harness.openCluster();
        await page.keyboard.press('F1');
        await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
        // In one turn: a browser tells of a closed dialog only in the next.
        await page.evaluate((how) => {
          if (how === 'Escape')
            document.querySelector('dialog')?.dispatchEvent(new Event('cancel', { cancelable: true }));
          else document.querySelector<HTMLElement>('dialog [aria-label="Close"]')?.click();
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }));
        }, way);
        await page.getByRole('dialog', { name: 'Commands' }).waitFor();
        expect(await page.getByRole('dialog').count()).toBe(1);
      },
    );

    it('UX-14 the palette takes the words of the command line, runs them, and says what is missing', async () => {
      const page = await harness.openCluster();
      const type = async (text: string): Promise<void> => {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox', { name: 'Command' }).fill(text);
      };
      await type('partition node-1 / node-1');
      await page.getByRole('option', { name: /Write two or more groups/ }).waitFor();
      await page.keyboard.press('Enter');
      expect(harness.fake.callsOf('setLinks'), 'a wrong line does nothing').toHaveLength(0);
      await page.getByRole('combobox', { name: 'Command' }).fill('partition node-1 / node-2 node-3');
      await page.keyboard.press('Enter');
      await expect.poll(() => (harness.fake.callsOf('setLinks')[0]?.args[1] as unknown[] | undefined)?.length).toBe(4);
      await type('kil n2');
      await page.getByRole('option', { name: 'Kill node-2', selected: true }).waitFor();
      await page.getByRole('combobox', { name: 'Command' }).fill('kill n3');
      await page.getByRole('option', { name: /n3 is no target/, selected: false }).waitFor();
      await page.keyboard.press('Enter');
      await expect
        .poll(() => harness.fake.callsOf('actOnNode').map(({ args }) => args))
        .toEqual([['dev', 'node-3', 'kill']]);
      harness.fake.calls.splice(0);
      await type('muster kill leader:default');
      await page.keyboard.press('Enter');
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'leader:default', 'kill']);
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

    it('B11 what only looks like trouble while a cluster forms says so, with the reason, in both ways to read the log', async () => {
      harness.fake.setLog('node-2', logOf(2));
      const page = await harness.openCluster();
      const told = /next try in 250 ms \(JOIN_RETRY\) · harmless: the first node is not up yet; this one asks again/;
      // A row of the terminal ends where the window does, also within a word.
      await expect.poll(async () => (await page.locator('.xterm-rows > div').allTextContents()).join('')).toMatch(told);
      await page.getByRole('checkbox', { name: 'Plain text' }).check();
      await expect.poll(() => page.getByRole('log').textContent()).toMatch(told);
      expect((await page.getByRole('log').textContent())?.match(/harmless/g)).toHaveLength(1);
    });

    it('UX-7 the commands of the node whose log is read stand beside it, and their errors on the page of logs', async () => {
      harness.fake.setLog('node-2', logOf(2));
      const page = await harness.openCluster();
      await page.getByRole('link', { name: 'Logs' }).click();
      const commands = page.getByRole('group', { name: 'Commands of node-2' });
      await page.getByRole('radio', { name: 'node-2' }).check({ force: true });
      await commands.waitFor();
      expect(await commands.getByRole('button').allTextContents()).toEqual(['Stop', 'Kill', 'Freeze', 'Restart']);
      harness.fake.fail('actOnNode', { code: 'ENGINE_REFUSED', what: 'Refused.', why: '', next: [] });
      await commands.getByRole('button', { name: 'Kill node-2' }).click();
      await page.getByText('ENGINE_REFUSED').waitFor();
      expect(harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-2', 'kill']);
      await page.getByRole('radio', { name: 'All' }).check({ force: true });
      await commands.waitFor({ state: 'detached' });
    });

    it('UX-7 of one context, copied and saved whole, and searched by regular expression', async () => {
      for (const i of [1, 2, 3]) harness.fake.setLog(`node-${i}`, logOf(i));
      const page = await harness.openCluster();
      const rows = page.locator('.xterm-rows');
      await expect.poll(() => rows.textContent()).toContain('ready');
      await page.getByRole('combobox', { name: 'Context' }).selectOption('default');
      await expect.poll(() => rows.textContent()).not.toContain('listening');
      await page.getByRole('button', { name: 'Copy the log' }).click();
      const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
      await expect.poll(copied).toMatch(/ INFO {2}node-1 \[default\] elected leader of term 7\n/);
      expect((await copied()).split('\n').filter((line) => / (INFO|WARN) /.test(line))).toHaveLength(3);
      expect((await copied()).match(/── node-\d process \d+ started/g), 'marks belong to every context').toHaveLength(
        3,
      );
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save the log' }).click();
      const file = await saved;
      expect(file.suggestedFilename()).toBe('dev-all.log');
      expect(await readFile(await file.path(), 'utf8')).toBe(await copied());
      const search = page.getByRole('searchbox', { name: 'Search the log' });
      await search.fill('/follows node-\\d in/');
      await page.getByText(/^[12]\/2$/).waitFor();
      await search.fill('/(/');
      await page.getByText('none', { exact: true }).waitFor();
    });

    it('UX-7 the view is cleared and shown again, wrapped or not; the file of one node is told', async () => {
      for (const i of [1, 2, 3]) harness.fake.setLog(`node-${i}`, logOf(i));
      const page = await harness.openCluster();
      await page.getByRole('link', { name: 'Logs' }).click();
      const rows = page.locator('.xterm-rows');
      await expect.poll(() => rows.textContent()).toContain('elected leader');
      const path = page.getByRole('button', { name: 'Copy path' });
      expect(await path.isDisabled(), 'all nodes have no one file').toBe(true);
      await page.getByRole('button', { name: 'Clear the view of the log' }).click();
      await expect.poll(() => rows.textContent()).not.toContain('elected leader');
      const line = { seq: 60, at: Date.now(), level: 'info', context: null, code: null, text: 'after it' } as const;
      harness.fake.push('log', { cluster: 'dev', node: 'node-1', lines: [line] });
      await expect.poll(() => rows.textContent()).toContain('after it');
      await page.getByRole('radio', { name: 'node-1' }).check({ force: true });
      expect(await rows.textContent(), 'also with another filter').not.toContain('elected leader');
      await page.getByRole('checkbox', { name: 'Plain text' }).check();
      const plain = page.getByRole('log');
      await expect.poll(() => plain.textContent()).toMatch(/^\S+ INFO {2}after it$/);
      const spaces = (): Promise<string> => plain.evaluate((element) => getComputedStyle(element).whiteSpace);
      expect(await spaces()).toBe('pre-wrap');
      await page.getByRole('checkbox', { name: 'Wrap' }).uncheck();
      expect(await spaces()).toBe('pre');
      await page.getByRole('button', { name: 'Show cleared' }).click();
      await expect.poll(() => plain.textContent()).toContain('elected leader');
      expect(await page.getByRole('button', { name: 'Show cleared' }).count()).toBe(0);
      await path.click();
      const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
      await expect.poll(copied).toMatch(/\/node-1\/log\/axonserver\.log$/);
    });

    it('UX-7 more than 5,000 lines a second are skipped and counted; marks go from side to side; names are not copied', async () => {
      harness.fake.setLog('node-1', logOf(1));
      const page = await harness.openCluster();
      await page.getByRole('link', { name: 'Logs' }).click();
      const rows = page.locator('.xterm-rows > div');
      const text = async (): Promise<string> => (await rows.allTextContents()).join('\n');
      await expect.poll(text).toMatch(/── node-1 process 4711 started \S+ ───{9,}/);
      const [from, to] = [await rows.nth(1).boundingBox(), await rows.nth(2).boundingBox()];
      await page.mouse.move((from?.x ?? 0) + 1, (from?.y ?? 0) + 6);
      await page.mouse.down();
      await page.mouse.move((to?.x ?? 0) + 600, (to?.y ?? 0) + 6, { steps: 5 });
      await page.mouse.up();
      await page.keyboard.press('Control+c');
      const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
      await expect.poll(copied).toMatch(/^\S+ INFO {2}listening: .*\n\S+ INFO {2}first node of autocluster/);
      const lines = Array.from({ length: 9_000 }, (_, i) => ({
        ...{ seq: 100 + i, at: Date.now(), level: 'info', context: null, code: null, text: `line ${i}` },
      }));
      harness.fake.push('log', { cluster: 'dev', node: 'node-1', lines: lines as never });
      await expect.poll(text).toContain('line 8999');
      await page.getByRole('searchbox', { name: 'Search the log' }).fill('/… [\\d,]+ lines skipped/');
      await page.getByText('1/1', { exact: true }).waitFor();
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
