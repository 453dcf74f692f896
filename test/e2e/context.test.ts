// One context in depth, and the links between the nodes.
import { describe, expect, it } from 'vitest';
import { card, describeWindow, row, why } from './harness.ts';
import { scenes } from './scenes.ts';
import { cluster, context, node, replica } from './view-parts.ts';

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
      expect(await row(page, 'node-1').getByRole('cell').nth(1).textContent()).toBe('Believes it leads');
      expect(await page.locator('.disc.leads .disc-name').allTextContents()).toEqual(['2']);
      expect(
        await page
          .locator('.disc')
          .evaluateAll((all) => all.map((one) => /term-\d/.exec(one.getAttribute('class') ?? '')?.[0])),
      ).toEqual(['term-1', 'term-2', 'term-2']);
      await why(page).getByRole('button', { name: 'Heal links' }).click();
      const open = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };
      await expect
        .poll(() => harness.fake.callsOf('setLinks')[0]?.args)
        .toEqual(['dev', scenes['stale-leader']().faults.map(({ from, to }) => ({ from, to, ...open }))]);
      expect(harness.fake.callsOf('heal')).toEqual([]);
    });

    it('UX-4.2 an election shows the candidate and its votes, then the new leader with a higher term', async () => {
      const page = await harness.openCluster(scenes.electing());
      await why(page).getByRole('heading', { name: 'Electing a leader' }).waitFor();
      expect(await row(page, 'node-2').getByRole('cell').allTextContents()).toEqual([
        'Primary',
        'Candidate: 1 granted, 1 refused, 1 unanswered',
        'node-2',
        '8',
        '18,402',
        '18,402',
        '18,402',
        '18,402',
        '–',
        // Known once it was looked at for long enough.
        expect.stringMatching(/^(–|0\/s)$/),
        '–',
      ]);
      const dots = page.locator('.disc.is-candidate .vote');
      expect(await dots.evaluateAll((all) => all.map((one) => one.getAttribute('class')))).toEqual([
        'vote coming',
        'vote',
        'vote refused',
      ]);
      harness.fake.show(scenes.elected());
      await row(page, 'node-2').getByText('Leader').waitFor();
      await page.getByRole('img', { name: /node-2 leads, term 8/ }).waitFor();
    });

    it('UX-4.2 heartbeats are pulses on the links, only when more were answered, and none with reduced motion', async () => {
      const beating = (beats: readonly [number, number]) =>
        cluster({
          contexts: [
            context('default', {
              members: [1, 2, 3].map((i) => replica(i, i === 1 ? {} : { heartbeats: beats[i - 2] ?? 0 })),
            }),
          ],
        });
      const page = await harness.openCluster(beating([40, 40]));
      // A pulse is gone in a moment: what was drawn is written down in the page.
      await page.evaluate(() => {
        const drawn: string[] = [];
        Object.assign(window, { drawn });
        const look = (): void => {
          const dots = [...document.querySelectorAll('.ring .pulse.lit')];
          drawn.push(dots.map((dot) => `${dot.getAttribute('cx')},${dot.getAttribute('cy')}`).join(' '));
        };
        new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
      });
      const drawn = (): Promise<string[]> =>
        page.evaluate(() => [...new Set((window as unknown as { drawn: string[] }).drawn)].filter((one) => one !== ''));
      const shown = async (beats: readonly [number, number], sentence: string): Promise<void> => {
        harness.fake.show({ ...beating(beats), sentence });
        await page.getByText(sentence).waitFor();
      };
      await shown([40, 40], 'Nothing was answered.');
      expect(await drawn(), 'what was counted before').toEqual([]);
      let beats = 40;
      await expect
        .poll(
          async () => {
            beats += 5;
            await shown([beats, 40], `One answered ${beats}.`);
            return (await drawn()).length;
          },
          { timeout: 10_000 },
        )
        .toBe(1);
      expect(
        (await drawn()).every((one) => !one.includes(' ')),
        'node-3 answered nothing',
      ).toBe(true);
      await page.locator('.ring .pulse.lit').waitFor({ state: 'detached' });
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await shown([beats + 5, 50], 'Both answered.');
      await shown([beats + 5, 50], 'Nothing more.');
      expect(await drawn()).toHaveLength(1);
    });

    it('UX-4.2 UX-15 appends make the links of the leader heavier and are told as numbers, until they end', async () => {
      const page = await harness.openCluster();
      const appends = (node: string) => row(page, node).getByRole('cell').nth(9);
      let lastIndex = 18_402;
      const appended = (): void => {
        lastIndex += 20;
        const members = [1, 2, 3].map((i) => replica(i, { lastIndex: i === 3 ? 18_402 : lastIndex }));
        harness.fake.show(cluster({ contexts: [context('default', { members })] }));
      };
      await expect
        .poll(async () => {
          appended();
          return appends('node-2').textContent();
        })
        .toMatch(/^[\d,]*[1-9]\d*\/s$/);
      const weights = () =>
        page.locator('.ring .link').evaluateAll((all) => all.map((one) => /weight-\d/.exec(one.classList.value)?.[0]));
      expect((await weights()).slice(1), 'node-3 gets nothing, and followers send each other nothing').toEqual([
        'weight-0',
        'weight-0',
      ]);
      expect((await weights())[0]).toMatch(/weight-[1-4]/);
      await expect.poll(() => appends('node-2').textContent(), { timeout: 10_000 }).toBe('0/s');
      expect((await weights())[0]).toBe('weight-0');
    });

    it('UX-15 the ring, the chart and the table tell the same facts; the table is the readable twin', async () => {
      const page = await harness.openCluster(scenes['catching-up']());
      expect(await row(page, 'node-1').getByRole('cell').last().textContent()).toBe('1,204');
      const state = row(page, 'node-1').getByRole('cell').nth(1);
      expect(await state.textContent()).toBe('Catching up: entries, 4.2 MB left, 1.4 MB/s, 3.0 s to go');
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
    it('UX-4.3 cells, groups and presets stage a partition; what it means is said before it is applied', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Links…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      await dialog.getByText('default keeps its leader node-1, who reaches 3 of 3 voters.').waitFor();
      await dialog.getByRole('button', { name: 'Cut node-1 to node-2' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Space');
      await dialog.getByText('default keeps its leader node-1, who reaches 2 of 3 voters.').waitFor();
      await dialog.getByRole('button', { name: 'Isolate the leader' }).click();
      await dialog.getByText('default elects another leader (node-2 or node-3); node-1 is cut off.').waitFor();
      await dialog
        .getByRole('textbox', { name: 'Groups that do not hear each other' })
        .fill('node-1 / node-2 / node-3');
      await page.keyboard.press('Tab');
      await dialog.getByText('default loses its leader: no node reaches 2 of 3 voters.').waitFor();
      expect(harness.fake.callsOf('setLinks'), 'nothing is applied yet').toHaveLength(0);

      await dialog.getByRole('button', { name: 'All open' }).click();
      await dialog.getByRole('button', { name: 'Cut node-1 to node-3' }).click();
      await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
      await expect
        .poll(() => harness.fake.callsOf('setLinks')[0]?.args)
        .toEqual(['dev', [{ from: 'node-1', to: 'node-3', cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 }]]);
      await dialog.waitFor({ state: 'detached' });
    });

    it('UX-4.3 cells are chosen by dragging, by Shift and arrows, and all of a node by its name', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Links…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      const cell = (from: number, to: number) =>
        dialog.getByRole('button', { name: `Cut node-${from} to node-${to},` });
      const chosen = (): Promise<string[]> =>
        dialog
          .locator('.link-cell[aria-pressed="true"]')
          .evaluateAll((all) => all.map((one) => `${one.getAttribute('data-from')} ${one.getAttribute('data-to')}`));
      await cell(1, 2).hover();
      await page.mouse.down();
      await cell(1, 3).hover();
      await cell(2, 3).hover();
      await page.mouse.up();
      expect(await chosen()).toEqual(['node-1 node-2', 'node-1 node-3', 'node-2 node-3']);
      await cell(2, 3).hover();
      await page.mouse.down();
      await cell(1, 3).hover();
      await page.mouse.up();
      expect(await chosen(), 'begun on a chosen one, it takes away').toEqual(['node-1 node-2']);
      await cell(3, 1).focus();
      await page.keyboard.press('Shift+ArrowRight');
      await expect.poll(chosen).toEqual(['node-1 node-2', 'node-3 node-1', 'node-3 node-2']);
      await dialog.getByRole('button', { name: 'Cut all to node-1' }).click();
      await expect.poll(chosen).toEqual(['node-1 node-2', 'node-2 node-1', 'node-3 node-1', 'node-3 node-2']);
      await dialog.getByRole('button', { name: 'Cut all from node-3' }).click();
      await expect.poll(chosen).toEqual(['node-1 node-2', 'node-2 node-1']);
    });

    it('UX-4.3 Break ▾ aims at the leader of the shown context, closes with Esc, and the window turns amber while a fault is on', async () => {
      const page = await harness.openCluster();
      const amber = (): Promise<string | null> => page.locator('.shell').getAttribute('data-broken');
      expect(await amber()).toBe('false');
      await page.getByText('Break ▾').click();
      await page.keyboard.press('Escape');
      expect(await page.getByRole('button', { name: 'Kill leader of default' }).isVisible()).toBe(false);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Kill leader of default' }).click();
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'leader:default', 'kill']);
      harness.fake.show(scenes['stale-leader']());
      await expect.poll(amber).toBe('true');
    });

    it('UX-4.3 a frozen node is an active fault: counted, with its age and a ✕ that resumes it, and the window turns amber', async () => {
      const page = await harness.openCluster(scenes.frozen());
      expect(await page.locator('.shell').getAttribute('data-broken')).toBe('true');
      await page.getByRole('button', { name: '1 active fault' }).click();
      const list = page.getByRole('region', { name: 'Active faults' });
      await list.getByText(/^node-3 is frozen for (9|1\d) s$/).waitFor();
      await list.getByRole('button', { name: 'Resume node-3' }).click();
      await expect.poll(() => harness.fake.callsOf('actOnNode')[0]?.args).toEqual(['dev', 'node-3', 'resume']);
      await list.getByRole('button', { name: 'Heal all' }).click();
      await expect.poll(() => harness.fake.callsOf('heal').length).toBe(1);
    });

    it('UX-4.3 Break ▾ has the same entries in every state, and what cannot be done says why', async () => {
      const page = await harness.openCluster();
      const menu = page.getByRole('list', { name: 'Break ▾' });
      const entries = (): Promise<string[]> => menu.getByRole('button').allTextContents();
      const all = ['Kill leader of default', 'Kill random follower', 'Freeze leader of default', 'Partition…'];
      all.push('Slow network…', 'Slow disk…', 'Skew clock…', 'Run script…', 'Heal all');
      await page.getByText('Break ▾').click();
      expect(await entries()).toEqual(all);
      expect(await menu.getByRole('button', { name: 'Heal all' }).getAttribute('title')).toBe('No fault is on');
      harness.fake.show(scenes['no-quorum']());
      await expect
        .poll(() => menu.getByRole('button', { name: 'Kill leader of default' }).getAttribute('title'))
        .toBe('default has no leader now');
      expect(await entries()).toEqual(all);
    });

    it('UX-4.3 Partition… opens the editor at the cells, Slow network… at the delay, and other faults stay', async () => {
      const view = scenes.healthy();
      const slow = { cut: false, delayMs: 40, jitterMs: 0, lossPercent: 0, since: Date.now() };
      harness.fake.show(view);
      const page = await harness.openCluster({ ...view, faults: [{ from: 'node-2', to: 'node-3', ...slow }] });
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      const open = async (entry: string): Promise<void> => {
        await page.getByText('Break ▾').click();
        await page.getByRole('button', { name: entry }).click();
        await dialog.waitFor();
      };
      await open('Partition…');
      const first = dialog.getByRole('button', { name: 'Cut node-1 to node-2, now open' });
      await expect.poll(() => first.evaluate((cell) => cell === document.activeElement)).toBe(true);
      await page.keyboard.press('Space');
      await dialog.getByText('1 link cut, 1 link slow or lossy.').waitFor();
      await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
      const cut = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
      await expect
        .poll(() => harness.fake.callsOf('setLinks')[0]?.args)
        .toEqual(['dev', [{ from: 'node-1', to: 'node-2', ...cut }]]);
      await dialog.waitFor({ state: 'detached' });
      await open('Slow network…');
      const delay = dialog.getByRole('spinbutton', { name: 'Delay ms' });
      await expect.poll(() => delay.evaluate((field) => field === document.activeElement)).toBe(true);
      expect(await delay.inputValue()).toBe('40');
      await dialog.getByRole('button', { name: 'Slow node-2 to node-3, now 40 ms' }).waitFor();
    });

    it.each([1, 3, 5, 6, 7, 8, 9])(
      'UX-4.2 of %i members, discs, crown and votes stay in the panel, apart from each other',
      async (n) => {
        const all = Array.from({ length: n }, (_, i) => i + 1);
        const votes = { granted: all.map((i) => `node-${i}`), refused: [] };
        const members = all.map((i) => replica(i, i === 1 ? {} : { state: 'candidate', votes }));
        const page = await harness.openCluster(
          cluster({ nodes: all.map((i) => node(i)), contexts: [context('default', { members })] }),
        );
        const out = await page.locator('.ring svg').evaluate((svg) => {
          const head = document.querySelector('.panel-head')?.getBoundingClientRect().bottom ?? 0;
          const table = document.querySelector('.table-wrap')?.getBoundingClientRect().top ?? 0;
          const boxes = [...svg.querySelectorAll('.disc-crown, .disc-fill, .vote')].map((one) =>
            one.getBoundingClientRect(),
          );
          const discs = [...svg.querySelectorAll('.disc-fill')].map((one) => one.getBoundingClientRect());
          const near = discs.filter((a, i) =>
            discs.some((b, j) => j < i && Math.hypot(a.x - b.x, a.y - b.y) < a.width),
          );
          return [boxes.filter((box) => box.top < head || box.bottom > table).length, near.length];
        });
        expect(out).toEqual([0, 0]);
      },
    );

    it('UX-4.2 the log of a member that tells nothing is not drawn as empty', async () => {
      const page = await harness.openCluster(
        cluster({
          contexts: [
            context('default', {
              members: [replica(1), replica(2), replica(3, { state: 'unknown', lastIndex: null })],
            }),
          ],
        }),
      );
      await page.getByRole('img', { name: 'node-3: its log is not known now' }).getByText('not known now').waitFor();
      expect(await page.locator('.strip-cells .absent').count()).toBe(0);
    });

    it('UX-4.3 the partition editor of nine nodes shows every link in a small window, and its buttons stay in reach', async () => {
      const nodes = Array.from({ length: 9 }, (_, i) => node(i + 1));
      const page = await harness.openCluster(cluster({ nodes }), { width: 1024, height: 700 });
      await page.getByRole('button', { name: 'Links…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      await dialog.waitFor();
      const inside = await dialog.evaluate((element) => {
        const { right, bottom } = element.getBoundingClientRect();
        const cells = [...element.querySelectorAll('.matrix button')].map((one) => one.getBoundingClientRect().right);
        const foot = [...element.querySelectorAll('.dialog-foot button')].map(
          (one) => one.getBoundingClientRect().bottom,
        );
        return [Math.max(...cells) <= right, Math.max(...foot) <= bottom];
      });
      expect(inside).toEqual([true, true]);
    });

    it('UX-4.3 a name of any length in the groups of a partition is told inside of the dialog', async () => {
      const page = await harness.openCluster();
      await page.getByRole('button', { name: 'Links…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Links between the nodes' });
      const groups = dialog.getByRole('textbox', { name: 'Groups that do not hear each other' });
      await groups.fill(`node-1 / node-${'9'.repeat(400)}`);
      await page.keyboard.press('Tab');
      await dialog.getByRole('alert').waitFor();
      expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    });

    it('UX-4.2 the log strip aligns the ends of the logs and says in words what is not committed and what goes', async () => {
      const page = await harness.openCluster();
      const view = scenes.healthy();
      harness.fake.show({
        ...view,
        contexts: view.contexts.map((one) => ({
          ...one,
          commitIndex: 55,
          members: one.members.map((member, i) => ({
            ...member,
            lastIndex: [57, 41, 59][i] ?? 0,
            commitIndex: [55, 41, 55][i] ?? 0,
          })),
        })),
      });
      const strip = page.getByRole('region', { name: 'End of the logs of default' });
      await strip.getByRole('img', { name: 'node-1: ends at 57, 2 not committed' }).waitFor();
      await strip.getByRole('img', { name: 'node-2: ends at 41, all of it committed' }).waitFor();
      const third = strip.getByRole('img', { name: 'node-3: ends at 59, 4 not committed, 2 will be replaced' });
      expect(await third.locator('.conflict').count()).toBe(2);
      expect(await third.locator('.open').count()).toBe(2);
    });
  });
});
