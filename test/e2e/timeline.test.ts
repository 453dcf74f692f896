// The timeline that scrubs (ux.md §10): past mode on scripted views, then a real kill looked at again.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import { card, describeWindow } from './harness.ts';
import { installPast } from './past-scene.ts';
import { describeRealWindow } from './real-window.ts';
import { scenes } from './scenes.ts';

const CHANGE_MS_MAX = 30_000;
const moment = (page: Page) => page.getByRole('slider', { name: 'Moment' });
const toTimeline = (page: Page) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Timeline' }).click();

describeWindow('timeline', (harness) => {
  it('UX-17 says why there is nothing to scrub, and shows what failed', async () => {
    const page = await harness.openCluster(scenes.stopped());
    await toTimeline(page);
    await page.getByText('No state is recorded yet').waitFor();
    await page.getByText('Nothing has happened yet').first().waitFor();
    installPast(harness.fake);
    harness.fake.fail('history', { code: 'CLUSTER_NOT_FOUND', what: 'No dev.', why: 'On purpose.', next: [] });
    await page.getByText('CLUSTER_NOT_FOUND').waitFor();
  });

  it('UX-10 a piece of a lane is as long as its time, however short, and ends with the lane', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster(scenes.healthy(), { width: 640, height: 600 });
    await toTimeline(page);
    await page.getByTitle('no leader').waitFor();
    const tooLong = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.lane .piece')].flatMap((piece) => {
        const lane = piece.closest('.lane')?.getBoundingClientRect() ?? new DOMRect();
        const { width, right } = piece.getBoundingClientRect();
        const due = Math.max(2, (lane.width * Number.parseFloat(piece.style.width)) / 100);
        return width > due + 1 || right > lane.right + 3 ? [`${piece.title}: ${width} px of ${due}`] : [];
      }),
    );
    expect(tooLong).toEqual([]);
  });

  it('UX-10 an event is looked at again: every page shows that moment, commands are off, End goes back', async () => {
    const scene = installPast(harness.fake);
    const line = (seq: number, at: number, text: string) => ({
      seq,
      at,
      level: 'info' as const,
      context: null,
      code: null,
      text,
    });
    harness.fake.setLog('node-2', [line(0, scene.begin, 'log before'), line(1, scene.backAt, 'log after')]);
    const page = await harness.openCluster();
    await toTimeline(page);
    const table = page.getByRole('region', { name: 'What happened' });
    await table
      .getByRole('row', { name: /default: node-2 leads \(term 8\)/ })
      .getByRole('button')
      .click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('region', { name: 'The past is shown' }).waitFor();
    await card(page, 'node-1').getByText('Killed by you.').waitFor();
    await page.getByText('Plain text').click();
    const log = page.getByRole('log');
    await expect.poll(() => log.textContent()).toContain('log before');
    expect(await log.textContent(), 'logs end where the past does').not.toContain('log after');
    const kill = card(page, 'node-2').getByRole('button', { name: 'Kill' });
    expect(await kill.isDisabled()).toBe(true);
    expect(await kill.getAttribute('title')).toContain('You look at the past');
    await card(page, 'node-2').focus();
    await page.keyboard.press('k');
    expect(harness.fake.callsOf('actOnNode'), 'a key does not get through either').toEqual([]);

    harness.fake.show(scenes.frozen());
    await card(page, 'node-1').getByText('Killed by you.').waitFor();
    await page.keyboard.press('End');
    await page.locator('.shell[data-past="false"]').waitFor();
    await card(page, 'node-3').getByText('Frozen by you').waitFor();
    await expect.poll(() => log.textContent()).toContain('log after');
    expect(await card(page, 'node-2').getByRole('button', { name: 'Kill' }).isDisabled()).toBe(false);
  });

  it('UX-10 UX-15 the slider scrubs by keyboard, and comma and full stop go from event to event', async () => {
    const scene = installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    await moment(page).focus();
    await page.keyboard.press('-');
    expect(await page.getByRole('combobox', { name: 'Shown' }).inputValue()).toBe('300000');
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowLeft');
    await page.locator('.shell[data-past="true"]').waitFor();
    const first = Number(harness.fake.callsOf('pastView').at(-1)?.args[1]);
    expect(Date.now() - first).toBeLessThan(20_000);
    for (let i = 0; i < 6; i++) await page.keyboard.press(',');
    await expect.poll(() => harness.fake.callsOf('pastView').map((call) => call.args[1])).toContain(scene.killedAt);
    await page.keyboard.press('End');
    await page.locator('.shell[data-past="false"]').waitFor();
  });

  it('UX-10 UX-15 arrows move the shown time, Home goes to the oldest moment, End is the present again', async () => {
    const scene = installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    const lanes = page.getByRole('img', { name: /^Lanes of/ });
    const ends = async (): Promise<number> => Number(await moment(page).getAttribute('max'));
    await lanes.focus();
    const before = await ends();
    await page.keyboard.press('ArrowLeft');
    const back = page.getByRole('button', { name: 'Back to now' });
    await back.waitFor();
    expect(before - (await ends())).toBeGreaterThan(9_000);
    expect(await page.locator('.shell').getAttribute('data-past'), 'the cluster is still shown as it is').toBe('false');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await back.waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('End');
    await back.waitFor({ state: 'detached' });
    expect(await ends()).toBeGreaterThanOrEqual(before);
    await page.keyboard.press('Home');
    await page.locator('.shell[data-past="true"]').waitFor();
    expect(harness.fake.callsOf('pastView').at(-1)?.args).toEqual(['dev', scene.begin]);
    await page.keyboard.press('End');
    await page.locator('.shell[data-past="false"]').waitFor();
  });

  it('UX-10 a longer or shorter time is shown around the shown moment, and no piece of a lane reaches out of it', async () => {
    const scene = installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    await page.getByRole('img', { name: /^Lanes of/ }).focus();
    await page.keyboard.press('Home');
    await page.locator('.shell[data-past="true"]').waitFor();
    const shown = page.getByRole('combobox', { name: 'Shown' });
    for (const [key, ms] of [
      ['-', 300_000],
      ['-', 900_000],
      ['+', 300_000],
      ['+', 60_000],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(() => shown.inputValue()).toBe(String(ms));
      const ends = await Promise.all(['min', 'max'].map(async (end) => Number(await moment(page).getAttribute(end))));
      const [from = 0, to = 0] = ends;
      expect(to - from).toBe(ms);
      // In the middle, but for a present that is nearer than half of the shown time.
      expect(Math.min(scene.begin + ms / 2, Date.now()) - to).toBeLessThan(5_000);
      const out = await page.locator('.lane').evaluateAll((lanes) =>
        lanes.flatMap((lane) => {
          const { left, right } = lane.getBoundingClientRect();
          return [...lane.querySelectorAll('.piece')]
            .map((piece) => piece.getBoundingClientRect())
            .filter((piece) => piece.left < left - 1 || piece.right > right + 3)
            .map((piece) => [piece.left - left, piece.right - right]);
        }),
      );
      expect(out).toEqual([]);
    }
  });

  it('UX-10 the sign of an election or a crash leaves the words beside it readable', async () => {
    const scene = installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    const crash = { at: scene.killedAt, cluster: 'dev', kind: 'node', subject: 'node-1', text: 'x', mark: 'crash' };
    harness.fake.push('timeline', crash as TimelineEvent);
    await page.locator('.lane .mark-crash').waitFor();
    await page.locator('.lane .mark-election').first().waitFor();
    const covered = await page.locator('.lane').evaluateAll((lanes) =>
      lanes.flatMap((lane) => {
        const marks = [...lane.querySelectorAll('.mark')].map((mark) => mark.getBoundingClientRect());
        const names = [...lane.querySelectorAll('.piece')].flatMap((piece) => [...piece.childNodes]);
        const label = lane.previousElementSibling;
        return [...names, ...(label?.childNodes ?? [])]
          .filter((text) => {
            const words = document.createRange();
            words.selectNodeContents(text);
            const first = document.createRange();
            first.setStart(text, 0);
            first.setEnd(text, Math.min(1, text.textContent?.length ?? 0));
            const letter = first.getBoundingClientRect();
            return letter.width > 0 && marks.some((mark) => mark.left < letter.right && mark.right > letter.left);
          })
          .map((text) => text.textContent);
      }),
    );
    expect(covered).toEqual([]);
  });

  it('UX-10 clients have lanes: where they are connected, when they are away, what they lack', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    const lane = (name: string) => page.locator('.lane-name', { hasText: name }).locator('+ .lane');
    await lane('orders').waitFor();
    expect(await lane('orders').locator('.piece').allTextContents()).toEqual(['node-1', 'away', 'node-2 · 1 missing']);
    expect(await lane('invoices').locator('.piece').allTextContents()).toEqual(['node-3']);
    expect(await page.getByRole('img', { name: /Lanes of/ }).getAttribute('aria-label')).toContain('2 clients');
    await page.locator('.lane-name', { hasText: /^Appends ≤ \d+\/s$/ }).waitFor();
    expect(await page.locator('.area path').getAttribute('d')).toMatch(/^M[\d.]+ 1V0\.\d+H/);
  });

  it('UX-10 a drag over the lanes scrubs', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    const lane = await page.locator('.lane').first().boundingBox();
    if (lane === null) throw new Error('no lane');
    await page.mouse.move(lane.x + lane.width * 0.9, lane.y + 5);
    await page.mouse.down();
    await page.mouse.move(lane.x + lane.width * 0.45, lane.y + 5, { steps: 5 });
    await page.mouse.up();
    await page.locator('.playhead').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-1').getByText('Killed by you.').waitFor();
  });

  it('UX-10 a range by pointer: its events are copied, what was done in it is saved as a script, a bundle has it', async () => {
    const scene = installPast(harness.fake);
    const script = '# done to dev\nat +0.0s kill leader(default)\nwait leader(default) within 30000ms\n';
    harness.fake.on('timelineScript', () => script);
    harness.fake.on('saveScript', (name: string) => ({ name, savedAt: new Date().toISOString(), bytes: 9 }));
    harness.fake.on('readScript', () => script);
    harness.fake.on('saveBundle', () => ({ file: '/tmp/bundles/dev.tar.gz', bytes: 2048, entries: [] }));
    const page = await harness.openCluster();
    await toTimeline(page);
    const lane = await page.locator('.lane').first().boundingBox();
    if (lane === null) throw new Error('no lane');
    // Where a moment is depends on how long the page took so far.
    const placeOf = async (at: number): Promise<number> => {
      const ends = await Promise.all(['min', 'max'].map(async (end) => Number(await moment(page).getAttribute(end))));
      const [begin = 0, end = 0] = ends;
      return lane.x + (lane.width * (at - begin)) / (end - begin);
    };
    await page.keyboard.down('Shift');
    await page.mouse.move(await placeOf(scene.killedAt - 6_000), lane.y + 5);
    await page.mouse.down();
    await page.mouse.move(await placeOf((scene.electedAt + scene.backAt) / 2), lane.y + 5, { steps: 5 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const range = page.getByRole('region', { name: 'Selected range' });
    await range.getByText('3 events, 1 action that').waitFor();
    expect(await page.locator('.shell').getAttribute('data-past'), 'a selection does not scrub').toBe('false');
    await range.getByRole('button', { name: 'Copy range as text' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split('\n').map((line) => line.slice(25))).toEqual([
      'user    kill node-1 (leader:default).',
      'node    node-1: stopped. Killed by you.',
      'context default: node-2 leads (term 8).',
    ]);
    expect(copied).toContain(new Date(scene.killedAt).toISOString());

    await range.getByRole('button', { name: 'Save as chaos script…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save as chaos script' });
    await dialog.getByText('at +0.0s kill leader(default)').waitFor();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Not A Name');
    expect(await dialog.getByRole('button', { name: 'Save script' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Name' }).fill('lost-leader');
    await dialog.getByRole('button', { name: 'Save script' }).click();
    const [from = 0, to = 0] = (harness.fake.callsOf('timelineScript')[0]?.args ?? []).slice(1).map(Number);
    expect([from < scene.killedAt, to > scene.electedAt, to < scene.backAt]).toEqual([true, true, true]);
    await expect.poll(() => harness.fake.callsOf('saveScript')[0]?.args).toEqual(['lost-leader', script]);
    await range.getByRole('button', { name: 'Export bundle' }).click();
    await range.getByText('/tmp/bundles/dev.tar.gz').waitFor();
    expect(harness.fake.callsOf('saveBundle')[0]?.args).toEqual(['dev', { from, to }]);
    await range.getByRole('button', { name: 'Open it' }).click();
    await page.getByRole('heading', { name: 'Chaos scripts' }).waitFor();
    await expect.poll(() => page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('lost-leader');
  });

  it('UX-10 UX-15 a range by keyboard, in the past too; without an action there is no script', async () => {
    const scene = installPast(harness.fake);
    harness.fake.on('timelineScript', () => '# done to dev\nat +0.0s heal all\n');
    const page = await harness.openCluster();
    await toTimeline(page);
    await page.getByRole('button', { name: 'Select a range' }).press('Enter');
    const range = page.getByRole('region', { name: 'Selected range' });
    const end = (name: string) => range.getByRole('slider', { name });
    await range.getByText('2 events, 2 actions that').waitFor();
    const before = Number(await end('Range from').inputValue());
    await end('Range from').press('ArrowRight');
    await expect.poll(async () => Number(await end('Range from').inputValue())).toBeGreaterThan(before);
    expect(await end('Range from').getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
    await end('Range from').press('End');
    await range.getByText('0 events, 0 actions that').waitFor();
    const save = range.getByRole('button', { name: 'Save as chaos script…' });
    expect(await save.getAttribute('title')).toBe('Nothing was done in it that a script can repeat');
    await range.getByRole('button', { name: 'Deselect' }).press('Enter');
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await page.getByRole('button', { name: 'Select a range' }).press('Enter');
    await save.press('Enter');
    await page.getByRole('dialog').getByText('heal all').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('End');
    await page.locator('.shell[data-past="false"]').waitFor();
    expect(Number(await end('Range to').inputValue()), 'the present leaves the range as it is').toBeLessThan(
      Date.now(),
    );
    expect(Number(await end('Range to').inputValue())).toBeGreaterThan(scene.backAt);
    await page.getByRole('link', { name: 'Clusters' }).click();
    await page.getByRole('link', { name: 'dev', exact: true }).click();
    await toTimeline(page);
    await page.getByRole('button', { name: 'Select a range' }).waitFor();
  });

  it('UX-10 End wins over an answer that is still under way', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    let answer: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    harness.fake.on('pastView', async (_cluster: string, at: number) => {
      await late;
      return { recordedAt: at, view: scenes.electing() };
    });
    const asked = harness.fake.callsOf('pastView').length;
    await page.getByRole('button', { name: 'Previous event' }).click();
    await expect.poll(() => harness.fake.callsOf('pastView').length).toBe(asked + 1);
    const answered = page.waitForResponse(/pastView/);
    await page.getByRole('button', { name: 'Back to now' }).click();
    answer();
    await answered;
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    expect(await page.locator('.shell').getAttribute('data-past')).toBe('false');
  });

  it('UX-1.1 a launcher that was away leads back to the present', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    harness.fake.goSilent();
    await page.getByText('No connection to the launcher').first().waitFor();
    harness.fake.revive();
    await page.locator('.shell[data-past="false"]').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-1').getByText('Ready', { exact: true }).waitFor();
  });

  it('UX-10 leaving the cluster leaves its past', async () => {
    installPast(harness.fake);
    const page = await harness.openCluster();
    await toTimeline(page);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.locator('.shell[data-past="true"]').waitFor();
    await page.getByRole('link', { name: 'Clusters' }).click();
    await page.locator('.shell[data-past="false"]').waitFor();
  });
});

describeRealWindow('the past of real engines', { waitMsMax: CHANGE_MS_MAX, started: true }, (window) => {
  let page: Page;
  beforeAll(() => {
    page = window();
  });

  it('UX-10 a killed node that is back is seen stopped again, as it was then', async () => {
    await card(page, 'node-3').getByRole('button', { name: 'Kill' }).click();
    await card(page, 'node-3')
      .getByRole('button', { name: /^Start/ })
      .click();
    await card(page, 'node-3').getByText('Ready', { exact: true }).waitFor();
    await toTimeline(page);
    const killed = page.getByRole('row', { name: /node-3: stopped/ });
    await killed.getByRole('button').click();
    await page.getByRole('link', { name: 'Overview' }).click();
    await card(page, 'node-3').getByText('Stopped', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Back to now' }).click();
    await card(page, 'node-3').getByText('Ready', { exact: true }).waitFor();
  });
});
