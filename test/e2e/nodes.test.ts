// Node cards: every state with its word, sentence and actions.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violations } from './axe.ts';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { scenes } from './scenes.ts';

const isFocused = (element: Element): boolean => element === document.activeElement;

describeWindow('the window', (harness) => {
  describe('node cards', () => {
    const states = [
      { scene: 'stopped', name: 'node-1', word: 'Stopped', buttons: ['Start'] },
      { scene: 'starting', name: 'node-3', word: 'Starting', buttons: ['Stop', 'Kill', 'Freeze'] },
      { scene: 'starting', name: 'node-2', word: 'Joining', buttons: ['Stop', 'Kill', 'Freeze'] },
      {
        scene: 'catching-up',
        name: 'node-1',
        word: 'Catching up 82 %',
        buttons: ['Stop', 'Kill', 'Freeze'],
      },
      { scene: 'healthy', name: 'node-1', word: 'Ready', buttons: ['Stop', 'Kill', 'Freeze'] },
      { scene: 'stale-leader', name: 'node-1', word: 'Isolated', buttons: ['Stop', 'Kill', 'Freeze'] },
      { scene: 'frozen', name: 'node-3', word: 'Frozen', buttons: ['Stop', 'Kill', 'Resume'] },
      { scene: 'crashed', name: 'node-2', word: 'Crashed (exit 74)', buttons: ['Start'] },
      { scene: 'stale', name: 'node-2', word: 'No news', buttons: ['Stop', 'Kill', 'Freeze'] },
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
        expect(await group.getByRole('button').allTextContents()).toEqual([...buttons, 'Logs', '⋯']);
      },
    );

    it('UX-4.1 a crashed node shows its code and its last words on the card', async () => {
      const page = await harness.openCluster(scenes.crashed());
      const shown = card(page, 'node-2');
      await shown.getByText('DISK_FULL').waitFor();
      expect(await shown.locator('pre').textContent()).toContain('ENOSPC');
    });

    it('UX-17 a crash offers its checkpoints and a report; a refused report is told on the card', async () => {
      const page = await harness.openCluster(scenes.crashed());
      const about = card(page, 'node-2').getByRole('group', { name: 'About the crash of node-2' });
      expect(await violations(page, 'a crash')).toEqual([]);
      harness.fake.on('nodeReport', (_cluster: string, node: string) => `- report of ${node}`);
      await about.getByRole('button', { name: 'Copy report' }).click();
      await page.getByRole('status').getByText('Report of node-2 copied.').waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('- report of node-2');
      harness.fake.fail('nodeReport', { code: 'NODE_NOT_FOUND', what: 'There is no node-2.', why: '', next: [] });
      await pressWhenReady(about.getByRole('button', { name: 'Copy report' }));
      await card(page, 'node-2').getByRole('alert').getByText('NODE_NOT_FOUND').waitFor();
      await about.getByRole('button', { name: 'Restore checkpoint…' }).click();
      await page.locator('[data-page="checkpoints"]').waitFor();
    });

    it('UX-1.1 a node without news is hatched and its silence is counted, never shown as the last good value', async () => {
      const page = await harness.openCluster(scenes.stale());
      const shown = card(page, 'node-2');
      expect(await shown.evaluate((element) => getComputedStyle(element).backgroundImage)).toContain(
        'repeating-linear-gradient',
      );
      await expect.poll(() => shown.textContent(), { timeout: 10_000 }).toMatch(/No news ([5-9]|\d{2,}) s/);
      expect(await shown.locator('.facts').textContent()).toMatch(/^pid \d+ · last seen \d+ s ago$/);
      harness.fake.show(scenes.frozen());
      await card(page, 'node-3')
        .getByText(/^pid \d+ · last seen \d+ s ago$/)
        .waitFor();
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

    it('UX-4.1 ⋯ has what is done less often, by keyboard: faults, folder, properties, restart, removal', async () => {
      const page = await harness.openCluster();
      const more = page.getByRole('button', { name: 'More for node-2' });
      const list = page.getByRole('list', { name: 'More for node-2' });
      await more.press('Enter');
      expect(await list.getByRole('button').allTextContents()).toEqual([
        ...['Restart', 'Slow disk…', 'Fill disk', 'Skew clock…', 'Copy folder path', 'Copy properties path', 'Remove…'],
      ]);
      await expect.poll(() => list.getByRole('button', { name: 'Restart' }).evaluate(isFocused)).toBe(true);
      expect(await violations(page, 'more for a node')).toEqual([]);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect.poll(() => harness.fake.callsOf('setDisk')[0]?.args).toEqual(['dev', 'node-2', { full: true }]);
      await list.waitFor({ state: 'hidden' });
      await more.press('Enter');
      await page.keyboard.press('Escape');
      await list.waitFor({ state: 'hidden' });
      expect(await more.evaluate(isFocused)).toBe(true);
      await more.click();
      await list.getByRole('button', { name: 'Restart' }).click();
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-2', 'restart']);
    });

    it('UX-4.1 a browser tab copies paths, and says that it cannot open folders', async () => {
      const view = scenes.healthy();
      const page = await harness.openCluster(view);
      const choose = async (label: string): Promise<string> => {
        await page.getByRole('button', { name: 'More for node-3' }).click();
        await page.getByRole('button', { name: label }).click();
        await page.getByRole('status').getByText('copied').waitFor();
        return page.evaluate(() => navigator.clipboard.readText());
      };
      const node = view.nodes[2];
      expect(await choose('Copy folder path')).toBe(node?.dir);
      await page.getByRole('status').getByText('a browser tab cannot open it').waitFor();
      expect(await choose('Copy properties path')).toBe(node?.propertiesFile);
    });

    it('UX-4.1 Skew clock… takes the words of the command line, says what they mean, and what is wrong with them', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'More for node-2' }).click();
      await page.getByRole('button', { name: 'Skew clock…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Skew clock' });
      const field = dialog.getByRole('textbox', { name: 'Set the clock wrong by' });
      await field.fill('soon');
      await dialog.getByText('write +5m, -30s, or 0').waitFor();
      expect(await dialog.getByRole('button', { name: 'Skew clock' }).isDisabled()).toBe(true);
      await field.fill('-30s');
      await dialog.getByText('The wall clock of node-2 is 30 s behind').waitFor();
      await field.press('Enter');
      await expect.poll(() => harness.fake.callsOf('skewClock')[0]?.args).toEqual(['dev', 'node-2', -30_000]);
      await dialog.waitFor({ state: 'detached' });
      harness.fake.show({
        ...scenes.healthy(),
        clockFaults: [{ node: 'node-2', skewMs: -30_000, since: Date.now() - 3_000 }],
      });
      await page.locator('.shell[data-broken="true"]').waitFor();
      await page.getByRole('button', { name: '1 active fault' }).click();
      await page.getByText('Clock of node-2: 30 s behind').waitFor();
      await page.getByRole('button', { name: 'Heal the clock of node-2' }).click();
      await expect.poll(() => harness.fake.callsOf('skewClock')[1]?.args).toEqual(['dev', 'node-2', 0]);
    });

    it('UX-4.1 Slow disk… and the palette reach the same calls; the first node cannot be removed', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'More for node-1' }).click();
      expect(await page.getByRole('button', { name: 'Remove…', exact: true }).isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Slow disk…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Slow disk' });
      await dialog.getByRole('combobox', { name: 'Node' }).selectOption('node-3');
      await dialog.getByText('Every flush on node-3 takes 200 ms longer').waitFor();
      await dialog.getByRole('button', { name: 'Slow disk' }).click();
      await expect.poll(() => harness.fake.callsOf('setDisk')[0]?.args).toEqual(['dev', 'node-3', { slowMs: 200 }]);
      await dialog.waitFor({ state: 'detached' });
      const typed = async (words: string): Promise<void> => {
        await page.keyboard.press('Control+k');
        await page.getByRole('dialog').waitFor();
        await page.keyboard.type(words);
        await page.getByRole('option', { name: words }).waitFor();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      };
      await typed('skew leader:default +5m');
      await typed('slow-disk all 50ms');
      await typed('loss node-1 to node-2 10%');
      await expect.poll(() => harness.fake.callsOf('setLinks').length).toBe(1);
      expect(harness.fake.callsOf('skewClock').map((call) => call.args)).toEqual([['dev', 'leader:default', 300_000]]);
      expect(harness.fake.callsOf('setDisk')[1]?.args).toEqual(['dev', 'all', { slowMs: 50 }]);
      expect(harness.fake.callsOf('setLinks')[0]?.args).toEqual([
        'dev',
        [{ from: 'node-1', to: 'node-2', cut: false, delayMs: 0, jitterMs: 0, lossPercent: 10 }],
      ]);
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

describeWindow('a port that is taken', (harness) => {
  const taken = {
    code: 'PORT_IN_USE',
    what: 'Port 8125 (gRPC of node-2) is used by java (pid 4711).',
    why: 'Cluster dev keeps the ports it was given, so that apps find it again.',
    next: ['End java (pid 4711), then start again.'],
    node: 'node-2',
    port: 8125,
    holder: 'java (pid 4711)',
    free: { firstPort: 8034, port: 8135 },
  };
  const task = { id: 'task-1', cluster: 'dev', title: 'Other ports for dev', state: 'running', cancellable: true };
  const refusedStart = async (error: object): Promise<Page> => {
    harness.fake.fail('startCluster', error as never);
    harness.fake.on('changePorts', () => ({ ...task, startedAt: 1, endedAt: null, steps: [], error: null }));
    const page = await harness.openCluster(scenes.stopped());
    await page.getByRole('button', { name: 'Start cluster' }).click();
    await page.getByRole('alert').getByText('PORT_IN_USE').waitFor();
    return page;
  };

  it('UX-17 names its holder, and one press starts on the next free block', async () => {
    const page = await refusedStart(taken);
    await page.getByText('is used by java (pid 4711)').waitFor();
    await page.getByRole('button', { name: 'Use 8135 block' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('changePorts').map((call) => call.args)).toEqual([['dev', 8034]]);
    await page.getByRole('tab', { name: 'Tasks', selected: true }).waitFor();
  });

  it('UX-17 other ports are typed, with all that they mean; a refusal stays in the question', async () => {
    const page = await refusedStart(taken);
    await page.getByRole('button', { name: 'Other port…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Other ports for dev' });
    await dialog.getByRole('spinbutton', { name: 'First HTTP port' }).fill('9100');
    await dialog.getByText('HTTP from 9100, gRPC from 9200, internal from 9300 on').waitFor();
    expect(await violations(page, 'other ports')).toEqual([]);
    harness.fake.fail('changePorts', { ...taken, what: 'Port 9100 is used, too.' });
    await dialog.getByRole('button', { name: 'Start there' }).click();
    await dialog.getByText('Port 9100 is used, too.').waitFor();
    expect(harness.fake.callsOf('changePorts').map((call) => call.args)).toEqual([['dev', 9100]]);
  });

  it('UX-17 a cluster of our own gives way, then the start is tried again', async () => {
    const page = await refusedStart({ ...taken, holder: 'your cluster billing-dev', holderCluster: 'billing-dev' });
    harness.fake.on('stopCluster', () => ({ deleted: [] }));
    await page.getByRole('button', { name: 'Stop billing-dev, then start' }).press('Enter');
    await expect.poll(() => harness.fake.callsOf('startCluster').length).toBe(2);
    expect(harness.fake.callsOf('stopCluster').map((call) => call.args)).toEqual([['billing-dev']]);
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
