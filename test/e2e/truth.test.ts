// Lost connections, data that dies, and what everybody can read.
import { describe, expect, it } from 'vitest';
import { card, describeWindow } from './harness.ts';
import { scenes } from './scenes.ts';
import { cluster, logOf, node } from './view-parts.ts';

describeWindow('the window', (harness) => {
  describe('truth about the connection', () => {
    it('UX-1.1 a lost launcher is said at once, old facts are hatched, actions are blocked; it comes back by itself', async () => {
      const page = await harness.openCluster();
      harness.fake.goSilent();
      await page.getByText('No connection to the launcher').first().waitFor();
      expect(await page.getByRole('button', { name: 'Kill node-1' }).isDisabled()).toBe(true);
      expect(await card(page, 'node-1').evaluate((element) => element.classList.contains('hatched'))).toBe(true);
      await page.getByText('Not known').waitFor();
      await card(page, 'node-1')
        .getByText(/^No news/)
        .waitFor();
      await card(page, 'node-1').getByText('When last seen: Takes part in both contexts').waitFor();
      await card(page, 'node-1')
        .getByText(/last seen \d+ s ago$/)
        .waitFor();
      const why = page.getByRole('region', { name: 'Why: default' });
      expect(await why.getByRole('heading').textContent()).toBe('Unknown');
      await why.getByText(/^When last seen: Healthy\./).waitFor();
      expect(await why.getByText('Leads for').count()).toBe(0);
      harness.fake.revive();
      harness.fake.show(scenes.elected());
      await card(page, 'node-1').getByText('Killed by you.').waitFor();
      expect(await page.getByText('No connection to the launcher').count()).toBe(0);
    });

    it('UX-17 a wrong token is told with the way out, and nothing is shown as fact', async () => {
      const page = await harness.open({}, `${harness.fake.origin}#token=wrong`);
      await page.getByText('TOKEN_REFUSED').waitFor();
      expect(await page.getByRole('button', { name: 'Start a 3-node cluster' }).isDisabled()).toBe(true);
    });

    it('the token leaves the address bar at once and survives a reload of the tab', async () => {
      const page = await harness.open();
      await page.getByText('ports 8024–8026').waitFor();
      expect(page.url()).not.toContain('token');
      await page.reload();
      await page.getByText('ports 8024–8026').waitFor();
    });

    it('an unknown cluster in the history says so and leads back to the list', async () => {
      const page = await harness.open();
      await page.getByText('ports 8024–8026').waitFor();
      await page.evaluate(() => {
        const state = { route: { screen: 'cluster', name: 'nowhere', page: 'overview' } };
        window.dispatchEvent(new PopStateEvent('popstate', { state }));
      });
      await page.getByText('CLUSTER_NOT_FOUND').waitFor();
      await page.getByRole('button', { name: 'All clusters' }).click();
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).waitFor();
    });
  });

  describe('numbers and news', () => {
    const sized = (rssMiB: number, parts: Parameters<typeof node>[1] = {}) => {
      const shown = scenes.healthy();
      const first = { ...node(1), ...shown.nodes[0], rssBytes: rssMiB * 1_048_576, ...parts };
      return { ...shown, nodes: [first, ...shown.nodes.slice(1)] };
    };

    it('UX-19 numbers that only count reach the window without any news, the last one always', async () => {
      const page = await harness.openCluster(sized(100));
      await card(page, 'node-1').getByText('100 MB').waitFor();
      for (const rssMiB of [101, 102, 103]) harness.fake.show(sized(rssMiB));
      await card(page, 'node-1').getByText('103 MB').waitFor();
    });

    it('UX-19 a change of state brings the numbers of its view along and is in order with them', async () => {
      const page = await harness.openCluster(sized(100));
      await card(page, 'node-1').getByText('100 MB').waitFor();
      harness.fake.show(sized(101));
      harness.fake.show(sized(102, { state: 'isolated', sentence: 'Cut off by you.' }));
      await card(page, 'node-1').getByText('Cut off by you.').waitFor();
      expect(await card(page, 'node-1').getByText('102 MB').count()).toBe(1);
    });
  });

  describe('data', () => {
    it('UX-1.5 deleting asks first and names what dies; a throw-away cluster that stopped leads back to the list', async () => {
      const page = await harness.openCluster(scenes.stopped());
      await page.getByText('data: kept').waitFor();
      await page.getByRole('button', { name: 'Delete…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete cluster dev?' });
      await dialog.getByText('/home/ada/.local/share/muster/dev').waitFor();
      await dialog.getByRole('button', { name: 'Keep it' }).click();
      expect(harness.fake.callsOf('removeCluster')).toEqual([]);

      harness.fake.show(cluster({ data: 'throw-away' }));
      await page.getByText('data: thrown away when stopped').waitFor();
      harness.fake.on('stopCluster', () => ({ deleted: ['/home/ada/.local/share/muster/dev'] }));
      await page.getByRole('button', { name: 'Stop cluster' }).click();
      await page.getByRole('button', { name: 'Start a 3-node cluster' }).waitFor();
    });
  });

  describe('accessibility', () => {
    it('UX-15 an election is told politely, a crash and a lost majority as an alert', async () => {
      const page = await harness.openCluster();
      harness.fake.show(scenes.elected());
      await expect
        .poll(() => page.locator('.shell > [role=status]').textContent())
        .toContain('default elected node-2 (term 8).');
      harness.fake.show(scenes.crashed());
      await expect.poll(() => page.locator('.shell > [role=alert]').textContent()).toContain('node-2 crashed.');
      harness.fake.show(scenes['no-quorum']());
      // At most one message in two seconds.
      await expect
        .poll(() => page.locator('.shell > [role=alert]').textContent(), { timeout: 10_000 })
        .toContain('default: No leader: 1 of 3 voting members reachable');
    });

    it('UX-15 a cluster that is being stopped alarms nobody by the majority it loses', async () => {
      const page = await harness.openCluster();
      harness.fake.show({ ...scenes['no-quorum'](), state: 'stopping' });
      await expect.poll(() => page.locator('.shell > [role=status]').textContent()).toContain('node-2 is stopped.');
      expect(await page.locator('.shell > [role=alert]').textContent()).toBe('');
    });

    it.each(['light', 'dark'] as const)(
      'UX-15 %s theme: every text has a contrast of at least 4.5 to 1',
      async (scheme) => {
        for (const i of [1, 2, 3]) harness.fake.setLog(`node-${i}`, logOf(i));
        const page = await harness.openCluster(scenes.crashed(), { scheme });
        expect(await page.evaluate(poorContrasts)).toEqual([]);
        harness.fake.show(cluster({ nodes: [node(1), node(2, { state: 'frozen' }), node(3, { state: 'isolated' })] }));
        await card(page, 'node-2').getByText('Frozen', { exact: true }).waitFor();
        expect(await page.evaluate(poorContrasts)).toEqual([]);
      },
    );

    it('UX-15 every control has a name, every target is at least 24 px high, and there is one h1', async () => {
      const page = await harness.openCluster();
      const unnamed = await page.evaluate(() => {
        const named = (element: Element): boolean =>
          (element.textContent ?? '').trim() !== '' ||
          element.hasAttribute('aria-label') ||
          (element as HTMLInputElement).labels?.length !== 0;
        return [...document.querySelectorAll('button, input, select')]
          .filter((element) => !named(element))
          .map((element) => element.outerHTML);
      });
      expect(unnamed).toEqual([]);
      await page.getByRole('button', { name: 'Break ▾' }).click();
      await page.getByRole('button', { name: 'Skew clock…' }).waitFor();
      const low = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, .segment')]
          .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
          .map((element) => element.outerHTML.slice(0, 80)),
      );
      expect(low).toEqual([]);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    });
  });
});

/** Runs in the page: visible texts whose colour is too close to the nearest opaque background behind them (WCAG 1.4.3). */
function poorContrasts(): string[] {
  const parse = (colour: string): number[] =>
    /[\d.]+/g.exec(colour) === null ? [] : (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (rgb: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = rgb.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element: Element | null): number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll('.shell *:not(svg, svg *, option, .xterm *)')) {
    const own = [...element.childNodes].some(
      (child) => child.nodeType === Node.TEXT_NODE && (child.textContent ?? '').trim() !== '',
    );
    const disabled = element.closest(':disabled') !== null;
    if (
      !own ||
      disabled ||
      element.closest('.visually-hidden') !== null ||
      (element as HTMLElement).offsetParent === null
    )
      continue;
    let opacity = 1;
    for (let at: Element | null = element; at !== null; at = at.parentElement)
      opacity *= Number(getComputedStyle(at).opacity);
    const back = backgroundOf(element);
    const front = parse(getComputedStyle(element).color).map(
      (value, i) => value * opacity + (back[i] ?? 0) * (1 - opacity),
    );
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a) as [number, number];
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5)
      poor.push(`${ratio.toFixed(2)} ${element.className} ${(element.textContent ?? '').trim().slice(0, 40)}`);
  }
  return poor;
}
