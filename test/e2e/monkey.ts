// Presses whatever can be pressed, by chance from a seed, and looks after each press at what must hold on every screen. It knows no screen.
// Real engines answer in their own time: a seed gives the same chance, not the same run. Entry point: `Monkey`.
import type { Page } from 'playwright-core';
import { Chance } from '../sim/chance.ts';
import { bringUp, type Control, controlsOf, lookAt, wasHit } from './monkey-page.ts';

const BUSY_MS_MAX = 15_000;
/** Focus may be nowhere for a moment, while what was pressed gives way to what comes. */
const FOCUS_MS_MAX = 2_000;
const PRESSES_TOLD = 30;
/** Without a cluster that runs most of the window is not to be seen. */
const CLUSTER_EVERY = 25;
/** What would take the window's own launcher away, leave the page, or make clusters without end. */
const SKIP = 'control port|New token|"Listen|radio "(On|Off)"|"Port"|First port|Port of|Duplicate';
/** Each may be pressed so often in a run: every one makes processes. */
const RARE: readonly RegExp[] = [/"(Add node|\+ node|New cluster|Create|Import)/i, /"(Run|Load|Start \w+-\d)/];
const RARE_MAX = 4;

const KEYS = [
  ...['Tab', 'Tab', 'Shift+Tab', 'Enter', 'Space', 'Escape', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'],
  ...['Home', 'End', 'PageUp', 'PageDown', 'Delete', 'Backspace', 'F1', 'Control+k', 'Control+j', 'Control+n'],
  ...['Control+Shift+C', 'Control+1', 'Control+2', 'Control+3', 's', 'k', 'f', 'l', 'c', 'p', 'Shift+K', 'Shift+H'],
  ...['[', ']', '.', ',', '+', '-', '/', '?', ':', 'Control+a', 'Shift+ArrowRight', 'Shift+ArrowDown'],
];
const WORDS = [
  ...[
    '',
    ' ',
    'dev',
    'node-1',
    'node-9',
    'default',
    'billing',
    'kill leader:default',
    'partition node-1 / node-2 node-3',
  ],
  ...[
    'heal',
    'type:Card* from:10m',
    'meta.key:',
    '/[unclosed/',
    '../../etc/passwd',
    '<b>bold</b>',
    "'; drop table",
    '0',
    '-1',
  ],
  ...[
    '99999999999',
    '1.5',
    '1e9',
    'NaN',
    '👩‍🚀 ünïcode',
    'a'.repeat(400),
    'kill leader(default)\nheal all',
    'at +1s heal all',
  ],
];

export interface MonkeyOptions {
  readonly seed: number;
  readonly endAt: number;
  readonly isAlive: () => boolean;
  /** What the page complained of by itself: uncaught errors, refused resources. */
  readonly faults: string[];
}

export class Monkey {
  readonly #page: Page;
  readonly #chance: Chance;
  readonly #options: MonkeyOptions;
  readonly #presses: string[] = [];
  readonly #refused: string[] = [];
  readonly #rare = new Map<RegExp, number>();
  readonly #busySince = new Map<string, number>();
  #count = 0;

  constructor(page: Page, options: MonkeyOptions) {
    this.#page = page;
    this.#options = options;
    this.#chance = new Chance(options.seed);
    page.on('filechooser', () => undefined);
    page.on('dialog', (dialog) => void dialog.dismiss());
    page.on('response', async (response) => {
      if (!response.url().includes('/api/')) return;
      const body = await response.text().catch(() => '');
      if (/"code":"INTERNAL"/.test(body)) this.#refused.push(`${response.url()} was refused: ${body.slice(0, 500)}`);
    });
  }

  get count(): number {
    return this.#count;
  }

  get lastPresses(): readonly string[] {
    return this.#presses.slice(-PRESSES_TOLD);
  }

  /** Until the end or the first thing that is wrong, which it answers. */
  async run(): Promise<readonly string[]> {
    while (Date.now() < this.#options.endAt) {
      if (this.#count % CLUSTER_EVERY === 0) await this.#seeToCluster();
      const wrong = await this.#once();
      if (wrong.length > 0) return wrong;
    }
    return [];
  }

  /** One press and what is wrong after it. */
  async #once(): Promise<readonly string[]> {
    this.#count += 1;
    const before = await this.#page.evaluate(lookAt);
    const isControl = await this.#press();
    const last = this.#presses.length - 1;
    this.#presses[last] = `${before.screen}: ${this.#presses[last]}`;
    await this.#settled();
    const wrong = await this.#wrong();
    if (wrong.length === 0 && isControl && (await this.#isFocusLost()))
      return [`the focus is nowhere; before the press it was on ${before.focus ?? 'nothing'}`];
    return wrong;
  }

  async #wrong(): Promise<readonly string[]> {
    const { isAlive, faults } = this.#options;
    const { wrong, busy } = await this.#page.evaluate(lookAt);
    const now = Date.now();
    for (const name of this.#busySince.keys()) if (!busy.includes(name)) this.#busySince.delete(name);
    for (const name of busy) if (!this.#busySince.has(name)) this.#busySince.set(name, now);
    const stuck = [...this.#busySince].filter(([, since]) => now - since > BUSY_MS_MAX).map(([name]) => name);
    return [
      ...wrong,
      ...stuck.map((name) => `busy for more than ${BUSY_MS_MAX / 1000} s: ${name}`),
      ...faults.splice(0),
      ...this.#refused.splice(0),
      ...(isAlive() ? [] : ['the launcher has ended']),
    ];
  }

  /** Two frames: what the press changed is drawn. */
  async #settled(): Promise<void> {
    await this.#page.evaluate(
      () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
    );
  }

  async #isFocusLost(): Promise<boolean> {
    const end = Date.now() + FOCUS_MS_MAX;
    while ((await this.#page.evaluate(lookAt)).focus === null) {
      if (Date.now() > end) return true;
      await this.#settled();
    }
    return false;
  }

  /** Answers whether a control was pressed, whose press must not leave the focus nowhere. */
  async #press(): Promise<boolean> {
    const chance = this.#chance.next();
    if (chance < 0.3) return this.#key();
    if (chance < 0.33) return this.#wheel();
    if (chance < 0.36) return this.#drag();
    if (chance < 0.37) return this.#back();
    const controls = (await this.#page.evaluate(controlsOf, SKIP)).filter((one) => this.#isAllowed(one));
    if (controls.length === 0) return this.#key();
    return this.#use(this.#chance.pick(controls));
  }

  #isAllowed({ label }: Control): boolean {
    const rare = RARE.find((one) => one.test(label));
    return rare === undefined || (this.#rare.get(rare) ?? 0) < RARE_MAX;
  }

  async #use(control: Control): Promise<boolean> {
    const { label, kind, values, at } = control;
    const place = await this.#page.evaluate(bringUp, at);
    if (place === null) return this.#key();
    const rare = RARE.find((one) => one.test(label));
    if (rare !== undefined) this.#rare.set(rare, (this.#rare.get(rare) ?? 0) + 1);
    if (kind === 'select') return this.#select(label, place, values);
    this.#note(`click ${label}`);
    await this.#page.mouse.click(place.x, place.y);
    if (!(await this.#page.evaluate(wasHit))) return false;
    if (kind === 'text') await this.#type();
    if (kind === 'range')
      await this.#page.keyboard.press(this.#chance.pick(['ArrowLeft', 'ArrowRight', 'Home', 'End']));
    return true;
  }

  async #select(label: string, place: { x: number; y: number }, values: readonly string[]): Promise<boolean> {
    if (values.length === 0) return false;
    const value = this.#chance.pick(values);
    this.#note(`choose "${value}" of ${label}`);
    await this.#page.evaluate(
      ({ x, y, wanted }) => {
        const select = document.elementFromPoint(x, y)?.closest('select');
        if (select === null || select === undefined || select.disabled) return;
        select.focus();
        select.value = wanted;
        select.dispatchEvent(new Event('input', { bubbles: true }));
        select.dispatchEvent(new Event('change', { bubbles: true }));
      },
      { ...place, wanted: value },
    );
    return true;
  }

  async #type(): Promise<void> {
    const word = this.#chance.pick(WORDS);
    this.#note(`type ${JSON.stringify(word.slice(0, 40))}`);
    await this.#page.keyboard.press('Control+a');
    await this.#page.keyboard.insertText(word);
    if (this.#chance.roll(0.4)) {
      this.#note('press Enter');
      await this.#page.keyboard.press('Enter');
    }
  }

  async #key(): Promise<boolean> {
    const key = this.#chance.pick(KEYS);
    const before = await this.#page.evaluate(lookAt);
    this.#note(`key ${key} on ${before.focus ?? 'nothing'}`);
    await this.#page.keyboard.press(key);
    return before.focus !== null && !key.includes('Tab');
  }

  async #wheel(): Promise<boolean> {
    const { x, y } = this.#somewhere();
    const by = this.#chance.between(-600, 600);
    this.#note(`wheel ${by} at ${x}, ${y}`);
    await this.#page.mouse.move(x, y);
    await this.#page.mouse.wheel(0, by);
    return false;
  }

  async #drag(): Promise<boolean> {
    const [from, to] = [this.#somewhere(), this.#somewhere()];
    this.#note(`drag ${from.x}, ${from.y} to ${to.x}, ${to.y}`);
    await this.#page.mouse.move(from.x, from.y);
    await this.#page.mouse.down();
    await this.#page.mouse.move(to.x, to.y, { steps: 4 });
    await this.#page.mouse.up();
    return false;
  }

  async #back(): Promise<boolean> {
    this.#note('back');
    await this.#page.evaluate(() => {
      const { navigation } = window as unknown as { navigation: { currentEntry: { index: number } } };
      if (navigation.currentEntry.index > 0) history.back();
    });
    return false;
  }

  #somewhere(): { readonly x: number; readonly y: number } {
    const { width, height } = this.#page.viewportSize() ?? { width: 800, height: 600 };
    return { x: this.#chance.below(width), y: this.#chance.below(height) };
  }

  #note(press: string): void {
    this.#presses.push(press);
    if (this.#presses.length > PRESSES_TOLD * 4) this.#presses.splice(0, PRESSES_TOLD);
  }

  /** Starts one where none runs, by the same buttons as a person. */
  async #seeToCluster(): Promise<void> {
    const runs = await this.#page.evaluate(
      () =>
        document.querySelectorAll(
          '.node-card:not([data-state="stopped"], [data-state="crashed"]), [data-cluster-state]:not([data-cluster-state="stopped"])',
        ).length > 0,
    );
    if (runs) return;
    this.#note('see to it that a cluster runs');
    for (let dialogs = 0; dialogs < 4; dialogs += 1) await this.#page.keyboard.press('Escape');
    const clusters = this.#page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Clusters' });
    await clusters.click({ timeout: 5000 }).catch(() => undefined);
    const start = this.#page.getByRole('button', { name: /^Start (a 3-node cluster|dev)/ }).first();
    const open = this.#page.getByRole('link', { name: /^dev/ }).first();
    await start
      .or(open)
      .first()
      .click({ timeout: 5000 })
      .catch(() => undefined);
    await this.#page
      .locator('.node-card')
      .first()
      .waitFor({ timeout: 5000 })
      .catch(() => undefined);
  }
}
