// The desktop app: one instance, one window, and an end that stops the clusters it hosts first.
// May not know what a cluster is: it opens the link to the launcher and the window, and lets them talk.
import path from 'node:path';
import { app, type BrowserWindow, dialog, type Tray } from 'electron';
import { errorData } from '../launcher/errors.ts';
import { builtEngine } from '../launcher/installation.ts';
import { defaultWorkspaceDir } from '../launcher/workspace.ts';
import { bindIpc } from './ipc.ts';
import { type Link, openLink } from './link.ts';
import { installMenu } from './menu.ts';
import { openTray } from './tray.ts';
import { guardSession, openWindow, recoverFromCrashes, registerScheme } from './window.ts';

const dist = path.join(app.getAppPath(), 'dist');

let link: Link | null = null;
let window: BrowserWindow | null = null;
/** Kept here, or the icon would go with the next garbage collection. */
let tray: Tray | null = null;
/** none → asked (clusters stop in order) → forced (a second request ends the engines at once). */
let ending: 'no' | 'asked' | 'done' = 'no';

/** Nothing before the link is there, whoever asks (a second start, the dock): the page calls it at once, and `start` shows the window. */
function showWindow(): void {
  if (link === null) return;
  if (window === null || window.isDestroyed()) {
    window = openWindow(dist);
    recoverFromCrashes(window);
    window.on('close', (event) => {
      if (ending === 'done') return;
      event.preventDefault();
      void closeWindow();
    });
    return;
  }
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

/**
 * As set: the window hides and the clusters run on behind the tray icon; or the app quits, and the window stays until the clusters
 * are down, and shows them going down. Without a tray icon nothing could bring a hidden window back but a second start: it quits.
 */
async function closeWindow(): Promise<void> {
  const settings = await link
    ?.client()
    .settings()
    .catch(() => null);
  if (settings?.closeWindow === 'tray' && tray !== null && ending === 'no') window?.hide();
  else app.quit();
}

async function end(current: Link | null): Promise<void> {
  try {
    current?.close();
    await current?.host()?.close();
  } catch (error) {
    console.error(`muster: ${errorData(error).what} ${errorData(error).why}`);
  }
  ending = 'done';
  app.quit();
}

function onBeforeQuit(event: { preventDefault(): void }): void {
  if (ending === 'done') return;
  event.preventDefault();
  if (ending === 'asked') {
    void link?.host()?.killAll();
    return;
  }
  ending = 'asked';
  void end(link);
}

async function start(): Promise<void> {
  installMenu();
  guardSession(path.join(dist, 'renderer'), async () => {
    // A host that is lost is told by the page, which then looks as the system does.
    return (
      (await link
        ?.client()
        .settings()
        .catch(() => null)) ?? null
    );
  });
  link = await openLink({
    workspaceDir: defaultWorkspaceDir(),
    version: app.getVersion(),
    enginePath: builtEngine(app.getAppPath()),
    uiDir: path.join(dist, 'renderer'),
    port: null,
    closable: true,
    background: false,
  });
  bindIpc(link);
  tray = openTray(link, { open: showWindow, quit: () => app.quit() });
  showWindow();
}

if (!app.requestSingleInstanceLock()) {
  app.exit(0);
} else {
  registerScheme();
  app.on('second-instance', showWindow);
  app.on('activate', showWindow);
  app.on('before-quit', onBeforeQuit);
  app.on('window-all-closed', () => app.quit());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  void app
    .whenReady()
    .then(start)
    .catch((error: unknown) => {
      const { what, why, next } = errorData(error);
      console.error(`muster: ${what} ${why}`);
      dialog.showErrorBox(what, [why, ...next].join('\n'));
      ending = 'done';
      app.exit(1);
    });
}
