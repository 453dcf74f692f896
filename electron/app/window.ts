// The one window: safe settings, our page over app://, nothing else may load, navigate or ask for permissions.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { app, BrowserWindow, dialog, protocol, screen, type Session, session } from 'electron';
import type { Look } from '../contract/settings.ts';
import { withLook } from '../launcher/first-paint.ts';

const SCHEME = 'app';
const HOST = 'muster';
const PAGE = `${SCHEME}://${HOST}/index.html`;
/** Same as the page's own, and as the loopback server's: xterm's DOM renderer adds style elements. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The files that make up the page; a name outside this table is not served. */
const FILES: Readonly<Record<string, string>> = {
  '/index.html': 'text/html; charset=utf-8',
  '/main.js': 'text/javascript; charset=utf-8',
  '/main.css': 'text/css; charset=utf-8',
};
/** Writing (never reading) the clipboard is what copy buttons need. */
const PERMISSIONS_ALLOWED: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);

/** A page that crashes so often within CRASH_WINDOW_MS is not loaded again by itself. */
const CRASHES_MAX = 3;
const CRASH_WINDOW_MS = 30_000;

const DEFAULT_WIDTH = 1280;
const DEFAULT_HEIGHT = 820;
/** So much of the top of a window must be on a screen to get hold of it. */
const GRIP_PIXELS = 60;

export function isOwnPage(url: string): boolean {
  try {
    const { protocol: scheme, host } = new URL(url);
    return scheme === `${SCHEME}:` && host === HOST;
  } catch {
    return false;
  }
}

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Must run once the app is ready, before the first window. `pageDir` = dist/renderer; `look`: null when nobody knows it. */
export function guardSession(pageDir: string, look: () => Promise<Look | null>): void {
  const own: Session = session.defaultSession;
  own.protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url);
    const type = FILES[pathname];
    if (host !== HOST || type === undefined || request.method !== 'GET') return new Response(null, { status: 404 });
    const headers = {
      'content-type': type,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
    };
    try {
      const body = await readFile(path.join(pageDir, pathname));
      const isPage = pathname === '/index.html';
      return new Response(isPage ? withLook(body.toString(), await look()) : new Uint8Array(body), { headers });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  own.setPermissionRequestHandler((contents, permission, answer) =>
    answer(PERMISSIONS_ALLOWED.has(permission) && isOwnPage(contents.getURL())),
  );
  own.setPermissionCheckHandler(
    (_contents, permission, origin) => PERMISSIONS_ALLOWED.has(permission) && isOwnPage(origin),
  );
  // Nothing is sent anywhere: the page has no business outside its own scheme.
  own.webRequest.onBeforeRequest((details, answer) =>
    answer({ cancel: !isOwnPage(details.url) && !/^(data|devtools):/.test(details.url) }),
  );
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event, url) => {
      if (!isOwnPage(url)) event.preventDefault();
    });
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

interface Bounds {
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
}

const boundsFile = (): string => path.join(app.getPath('userData'), 'window.json');

/** False for a place on a screen that is no longer there. Without a place the system chooses one. */
function isInReach({ x, y, width, height }: Bounds): boolean {
  if (x === undefined || y === undefined) return true;
  const { workArea: area } = screen.getDisplayMatching({ x, y, width, height });
  const across = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
  return across >= GRIP_PIXELS && y >= area.y - GRIP_PIXELS && y + GRIP_PIXELS <= area.y + area.height;
}

/** Where the window was; anything unreadable or out of reach means the standard size. */
function storedBounds(): Bounds {
  const standard = { width: DEFAULT_WIDTH, height: DEFAULT_HEIGHT };
  if (!existsSync(boundsFile())) return standard;
  try {
    const stored = JSON.parse(readFileSync(boundsFile(), 'utf8')) as Bounds;
    const values = [stored.x, stored.y, stored.width, stored.height];
    const whole = values.every(Number.isInteger) && stored.width > 0 && stored.height > 0;
    return whole && isInReach(stored) ? stored : standard;
  } catch {
    return standard;
  }
}

/** `dist`: folder of the build. */
export function openWindow(dist: string): BrowserWindow {
  const window = new BrowserWindow({
    ...storedBounds(),
    minWidth: 640,
    minHeight: 480,
    show: false,
    title: 'Muster',
    // Elsewhere the program brings it.
    ...(process.platform === 'linux' ? { icon: path.join(dist, 'icons', 'png', '256x256.png') } : {}),
    autoHideMenuBar: true,
    webPreferences: {
      preload: path.join(dist, 'app', 'preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    try {
      writeFileSync(boundsFile(), JSON.stringify(window.getNormalBounds()));
    } catch {
      // The place of a window is not worth a message.
    }
  });
  void window.loadURL(PAGE);
  return window;
}

/** Clusters, logs and tasks live in this process: a page that crashed is loaded again where it was, and shows them as they are. */
export function recoverFromCrashes(window: BrowserWindow): void {
  let crashes: readonly number[] = [];
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    const now = Date.now();
    crashes = [...crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
    console.error(`muster: the page ended (${reason})`);
    if (crashes.length < CRASHES_MAX) return window.webContents.reload();
    crashes = [];
    void askAfterCrashes(window);
  });
}

async function askAfterCrashes(window: BrowserWindow): Promise<void> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'error',
    message: 'The window keeps crashing.',
    detail: 'The clusters run on. `muster status` and `muster serve` show them without this window.',
    buttons: ['Load it again', 'Quit and stop the clusters'],
    cancelId: 0,
  });
  if (response === 1) app.quit();
  else if (!window.isDestroyed()) window.webContents.reload();
}
