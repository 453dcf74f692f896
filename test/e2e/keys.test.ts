// Every key of the one table really does its command (ux.md §14); a key without a line here fails the test.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { commandWords, type CommandId } from '../../electron/contract/command-words.ts';
import { card, describeWindow } from './harness.ts';
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
      ['rm dev --yes', 'In a terminal: muster rm dev --yes'],
      ['context add 1x', /is not a context name/],
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
});
