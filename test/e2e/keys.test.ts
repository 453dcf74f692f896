// Every key of the one table really does its command (ux.md §14); a key without a line here fails the test.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { commandWords, type CommandId } from '../../electron/contract/command-words.ts';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';
import { openScreen } from './screens.ts';
import { scenes } from './scenes.ts';

const playwrightKey: Readonly<Record<string, string>> = { Ctrl: 'Control' };
const press = (page: Page, keys: string): Promise<void> =>
  page.keyboard.press(
    keys === '+'
      ? 'Shift+Equal'
      : keys
          .split('+')
          .map((one) => playwrightKey[one] ?? (/^[A-Z]$/.test(one) && keys.length === 1 ? one.toLowerCase() : one))
          .join('+'),
  );

describeWindow('keys', (harness) => {
  it('UX-14 each key of the table does what the table says', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster(scenes.healthy());
    const dialog = (name: string) => async (): Promise<void> => {
      await page.getByRole('dialog', { name }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    const acted =
      (...args: readonly string[]) =>
      async (): Promise<void> => {
        await expect.poll(() => harness.fake.callsOf('actOnNode').at(-1)?.args).toEqual(['dev', ...args]);
        await expect.poll(() => card(page, 'node-2').getAttribute('aria-busy')).toBe('false');
      };
    const tab = (name: string) => async (): Promise<void> => {
      await expect.poll(() => page.getByRole('tab', { name }).getAttribute('aria-selected')).toBe('true');
    };
    const past = async (): Promise<void> => void (await page.locator('[data-past=true]').waitFor());
    const shownContext = async (): Promise<string> =>
      (await page.getByRole('region', { name: /^Why:/ }).getAttribute('aria-label')) ?? '';
    const before = await shownContext();
    const timelineAt = async (): Promise<string> =>
      (await page.locator('.lanes, [aria-label^="Lanes of"]').first().getAttribute('aria-label')) ?? '';
    let span = '';
    const onTimeline = async (): Promise<void> => {
      await openScreen(page, 'Timeline');
      await page.getByRole('button', { name: 'Previous event' }).focus();
      span = await timelineAt();
    };
    const onLanes = async (): Promise<void> => {
      await onTimeline();
      await page.locator('.lanes').focus();
    };
    const changed = async (): Promise<void> => {
      await expect.poll(timelineAt).not.toBe(span);
      span = await timelineAt();
    };
    const steps: readonly (readonly [CommandId, (() => Promise<void>) | null, () => Promise<void>])[] = [
      ['palette', null, dialog('Commands')],
      ['help', null, dialog('Keyboard')],
      ['new', null, dialog('New cluster')],
      ['links', null, dialog('Links')],
      ['dock', null, async () => expect.poll(() => page.getByRole('tabpanel').count()).toBe(0)],
      ['connect', null, tab('Connect')],
      ['logs', null, tab('Logs')],
      ['start', null, acted('node-2', 'stop')],
      ['kill', null, acted('node-2', 'kill')],
      ['freeze', null, acted('node-2', 'freeze')],
      ['kill-leader', null, acted('leader:default', 'kill')],
      [
        'copy',
        null,
        async () => expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^localhost:\d+$/),
      ],
      ['heal', null, async () => expect.poll(() => harness.fake.callsOf('heal').length).toBe(1)],
      ['next-context', null, async () => expect.poll(shownContext).not.toBe(before)],
      ['previous-context', null, async () => expect.poll(shownContext).toBe(before)],
      [
        'search',
        null,
        async () =>
          expect
            .poll(() =>
              page
                .getByRole('searchbox', { name: 'Search the log' })
                .evaluate((field) => field === document.activeElement),
            )
            .toBe(true),
      ],
      ['zoom-out', onTimeline, changed],
      ['zoom-in', onTimeline, changed],
      ['pan-earlier', onLanes, changed],
      ['pan-later', onLanes, changed],
      ['first', onLanes, past],
      ['earlier', onTimeline, past],
      ['later', async () => page.keyboard.press(','), past],
      ['now', null, async () => void (await page.locator('[data-past=false]').waitFor())],
    ];
    const withKeys = Object.entries(commandWords).flatMap(([id, { keys }]) => (keys === null ? [] : [id]));
    expect(steps.map(([id]) => id).sort()).toEqual(withKeys.sort());
    for (const [id, prepare, effect] of steps) {
      if (prepare === null) {
        if (await card(page, 'node-2').count()) await card(page, 'node-2').focus();
      } else await prepare();
      await press(page, commandWords[id].keys ?? '');
      await effect().catch((cause: unknown) => {
        throw new Error(`the key of ${id} does nothing`, { cause });
      });
    }
  }, 120_000);

  it('UX-14 the slash searches in the pane that has the focus', async () => {
    harness.fake.on('readEvents', () => ({ events: [], next: null, lastToken: -1, firstToken: 0, members: [] }));
    const page = await harness.openCluster();
    await openScreen(page, 'Configuration');
    await page.getByText('What each key means').click();
    await page.getByRole('combobox', { name: 'Node' }).focus();
    await page.getByText('What each key means').focus();
    await page.keyboard.press('/');
    await expect
      .poll(() =>
        page.getByRole('searchbox', { name: 'Find a key' }).evaluate((field) => field === document.activeElement),
      )
      .toBe(true);
  });

  it('UX-14 switched off in the settings, no single letter does anything, and keys with a modifier still do', async () => {
    const page = await harness.openCluster();
    await openScreen(page, 'Settings');
    await page.getByRole('group', { name: 'Single letters' }).getByText('Do nothing').click();
    await expect.poll(() => page.getByRole('radio', { name: 'Do nothing' }).isChecked()).toBe(true);
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-2').focus();
    for (const key of ['k', 's', 'f', 'Shift+K', 'Shift+H', 'p', '/']) await page.keyboard.press(key);
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor();
    expect([...harness.fake.callsOf('actOnNode'), ...harness.fake.callsOf('heal')]).toEqual([]);
  });

  it('UX-14 the palette takes every command of the command line: does it, goes to its place, or says where it belongs', async () => {
    harness.fake.on('rollingRestart', () => null);
    harness.fake.on('createContext', () => null);
    harness.fake.on('setRole', () => null);
    harness.fake.on('saveCheckpoint', () => null);
    const page = await harness.openCluster();
    const type = async (text: string): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command' }).fill(text);
    };
    const run = async (text: string): Promise<void> => {
      await type(text);
      await page.getByRole('option', { name: `Run: ${text}` }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await run('rolling-restart');
    await run('context add orders');
    await run('role node-2 default passive-backup');
    await run('checkpoint save before-demo');
    await run('down dev');
    await expect.poll(() => harness.fake.callsOf('stopCluster').map((call) => call.args)).toEqual([['dev']]);
    expect(harness.fake.callsOf('rollingRestart')[0]?.args).toEqual(['dev']);
    expect(harness.fake.callsOf('createContext')[0]?.args.slice(0, 2)).toEqual(['dev', 'orders']);
    expect(harness.fake.callsOf('setRole')[0]?.args).toEqual([
      'dev',
      'default',
      'node-2',
      'PASSIVE_BACKUP',
      { keepEvents: true },
    ]);
    expect(harness.fake.callsOf('saveCheckpoint')[0]?.args).toEqual(['dev', 'before-demo']);
    for (const [line, told] of [
      ['plan demo', 'In a terminal: muster plan demo'],
      ['rm dev --yes', /dev runs\. Stop it first/],
      ['context add 1x', /is not a context name/],
      ['context rm nothing', /Say the context: default/],
      ['context rm _admin', /Say the context/],
      ['checkpoint restore', /is not a checkpoint name/],
      ['remove-node node-1', /node-1 stays/],
      ['record on', /Write: record start/],
      ['role node-2 default none', /The page Contexts takes it out/],
      ['up nowhere', /There is no cluster nowhere/],
    ] as const) {
      await type(line);
      await page.getByRole('option', { name: told }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await run('diagnose');
    await page.getByRole('heading', { level: 1, name: 'Diagnostics' }).waitFor();
    await run('timeline');
    await page.locator('[data-page=timeline]').waitFor();
  });

  it('UX-14 what deletes data is asked for with the words of the command line, in the dialog of its page', async () => {
    const checkpoint = { name: 'before-demo', createdAt: new Date().toISOString(), nodes: ['node-1'], files: 3 };
    const kept = { ...checkpoint, bytes: 5_000_000, dir: '/work/before-demo', problem: null };
    const changes = ['restoreCheckpoint', 'removeCheckpoint', 'deleteContext', 'purge', 'removeNode'];
    for (const method of changes) harness.fake.on(method, () => null);
    harness.fake.on('checkpoints', () => [kept, { ...kept, name: 'torn', problem: 'A file is missing.' }]);
    const page = await harness.openCluster();
    const run = async (text: string): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command' }).fill(text);
      await page.getByRole('option', { name: `Run: ${text}` }).waitFor();
      await page.keyboard.press('Enter');
    };
    /** Opened with what the command named; one press more does it. */
    const confirm = async (title: string, button: string, method: string, args: readonly unknown[]): Promise<void> => {
      const asked = page.getByRole('dialog', { name: title });
      await pressWhenReady(asked.getByRole('button', { name: button }));
      await expect.poll(() => harness.fake.callsOf(method).at(-1)?.args).toEqual(args);
      await asked.waitFor({ state: 'detached' });
    };
    await run('checkpoint restore before-demo');
    await confirm('Restore before-demo?', 'Restore', 'restoreCheckpoint', ['dev', 'before-demo']);
    await run('checkpoint rm before-demo --yes');
    await confirm('Delete checkpoint before-demo?', 'Delete checkpoint', 'removeCheckpoint', ['dev', 'before-demo']);
    await run('checkpoint restore torn');
    await page.getByText('A file is missing.', { exact: false }).first().waitFor();
    await run('checkpoint rm nowhere');
    await page.getByText('There is no checkpoint nowhere.').waitFor();
    await run('context rm default --keep-events');
    const keep = { keepEvents: true };
    await confirm('Delete context default?', 'Delete context', 'deleteContext', ['dev', 'default', keep]);
    await run('purge default');
    await confirm('Purge context default?', 'Purge context', 'purge', ['dev', ['default']]);
    await run('remove-node node-3');
    await confirm('Remove a node from dev?', 'Remove node-3', 'removeNode', ['dev', 'node-3']);
  });

  it('UX-11, UX-14 the palette records and runs saved scripts, and changes notes by their id', async () => {
    harness.fake.on('readScript', () => 'heal all');
    for (const method of ['runScript', 'editNote', 'removeNote', 'addNote']) harness.fake.on(method, () => null);
    harness.fake.on('record', () => ({ since: Date.now(), running: true, text: '' }));
    const page = await harness.openCluster();
    const run = async (text: string): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command' }).fill(text);
      await page.getByRole('option', { name: `Run: ${text}` }).waitFor();
      await page.keyboard.press('Enter');
    };
    const called = (method: string, args: readonly unknown[]) =>
      expect.poll(() => harness.fake.callsOf(method).at(-1)?.args).toEqual(args);
    await run('record start');
    await called('record', ['dev', true]);
    await page.locator('[data-page=chaos]').waitFor();
    await run('run failover');
    await called('runScript', ['dev', 'failover', 'heal all']);
    await run('note edit note-0a1b2c3d it came back late');
    await called('editNote', ['dev', 'note-0a1b2c3d', 'it came back late']);
    await run('note rm note-0a1b2c3d');
    await called('removeNote', ['dev', 'note-0a1b2c3d']);
    await run('note rm is what I typed');
    await expect.poll(() => harness.fake.callsOf('addNote').at(-1)?.args[2]).toBe('rm is what I typed');
  });

  it('UX-17 what the palette could not do is told on whichever page is open', async () => {
    const page = await harness.openCluster();
    const refused = (what: string) => ({ code: 'NOT_RUNNING', what, why: 'On purpose.', next: [] });
    harness.fake.fail('actOnNode', refused('node-2 was not killed.'));
    harness.fake.fail('setRole', refused('The role stays.'));
    const run = async (text: string): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command' }).fill(text);
      await page.keyboard.press('Enter');
    };
    await run('timeline');
    await page.locator('[data-page=timeline]').waitFor();
    await run('kill node-2');
    await page.getByText('node-2 was not killed.').waitFor();
    await run('role node-2 default passive-backup');
    await page.getByText('The role stays.').waitFor();
    await run('status');
    await page.locator('[data-page=overview]').waitFor();
    expect(await page.getByText('The role stays.').count(), 'once').toBe(1);
  });
});
