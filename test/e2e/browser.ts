// Debian's Chromium through playwright-core, for tests and screenshots of the window.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const chromiumPath = process.env['CHROMIUM_PATH'] ?? process.env['CHROMIUM'] ?? '/usr/bin/chromium';
export const chromiumMissing = existsSync(chromiumPath)
  ? null
  : `no Chromium at ${chromiumPath}: install Debian's package chromium, or name another in CHROMIUM_PATH`;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath, args: FLAGS });

export interface PageOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

export interface OpenPage {
  readonly page: Page;
  /** Uncaught errors and refused resources (a CSP violation is one): a test ends with none. */
  readonly faults: string[];
}

/** `MUSTER_E2E_SLOWER=20` lets the page run as on a machine so many times slower, which brings out races between a test and the page. */
export async function openPage(browser: Browser, url: string, options: PageOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.scheme ?? 'light',
    reducedMotion: options.reducedMotion ?? 'no-preference',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const slower = Number(process.env['MUSTER_E2E_SLOWER'] ?? '1');
  if (slower > 1) await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_CONNECTION|ERR_EMPTY_RESPONSE|status of 4|WebSocket/.test(message.text()))
      faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** Brings `dist` up to date, unless MUSTER_BUILT says that the caller did. */
export function build(): void {
  if (process.env['MUSTER_BUILT'] !== undefined) return;
  const run = spawnSync(process.execPath, ['scripts/build.mjs', '--quiet', '--allow-missing'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) throw new Error(`scripts/build.mjs ended with ${run.status ?? run.signal}`);
}
