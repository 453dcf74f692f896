// The desktop app: one instance, one window, and an end that stops the clusters it hosts first.
// May not know what a cluster is: it opens the link to the launcher and the window, and lets them talk.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { app, type BrowserWindow, dialog } from 'electron';
import { errorData } from '../launcher/errors.ts';
import { defaultWorkspaceDir } from '../launcher/workspace.ts';
import { bindIpc } from './ipc.ts';
import { type Link, openLink } from './link.ts';
import { installMenu } from './menu.ts';
import { guardSession, openWindow, registerScheme } from './window.ts';

/** `dist` of this build. Processes can't be started from inside an archive, so the engine lies beside it. */
const dist = path.join(app.getAppPath(), 'dist');
const unpacked = dist.replace(`app.asar${path.sep}`, `app.asar.unpacked${path.sep}`);

let link: Link | null = null;
let window: BrowserWindow | null = null;
/** none → asked (clusters stop in order) → forced (a second request ends the engines at once). */
let ending: 'no' | 'asked' | 'done' = 'no';

function showWindow(): void {
  if (window === null || window.isDestroyed()) {
    window = openWindow(path.join(dist, 'app', 'preload.cjs'));
    // Closing the window is asking to quit; it stays until the clusters are down, and shows them going down.
    window.on('close', (event) => {
      if (ending === 'done') return;
      event.preventDefault();
      app.quit();
    });
    return;
  }
  if (window.isMinimized()) window.restore();
  window.focus();
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
  guardSession(path.join(dist, 'renderer'));
  const engine = path.join(unpacked, 'engine', 'main.js');
  link = await openLink({
    workspaceDir: defaultWorkspaceDir(),
    version: app.getVersion(),
    enginePath: existsSync(engine) ? engine : path.join(dist, 'engine', 'main.js'),
    uiDir: path.join(dist, 'renderer'),
    port: 0,
    background: false,
  });
  bindIpc(link);
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
