// The application menu. Its commands run in the page, by the ids of renderer/keys.ts; the page owns their keys, so that
// browser and window behave alike (`registerAccelerator: false` only shows them here).
import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';

function command(label: string, id: string, accelerator?: string): MenuItemConstructorOptions {
  return {
    label,
    ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false }),
    click: () =>
      (BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0])?.webContents.send(
        'muster:event',
        'command',
        id,
      ),
  };
}

const separator: MenuItemConstructorOptions = { type: 'separator' };

export function installMenu(): void {
  const mac: readonly MenuItemConstructorOptions[] = process.platform === 'darwin' ? [{ role: 'appMenu' }] : [];
  const template: MenuItemConstructorOptions[] = [
    ...mac,
    {
      label: 'Cluster',
      submenu: [
        command('New cluster…', 'new', 'CmdOrCtrl+N'),
        command('Import a cluster…', 'import'),
        command('All clusters', 'clusters'),
        separator,
        command('Start the cluster', 'start-cluster'),
        command('Stop the cluster', 'stop-cluster'),
        separator,
        command('Links and partitions…', 'links'),
        command('Heal all links', 'heal'),
        command('Files: export, diagnostics bundle…', 'files'),
        separator,
        {
          label: process.platform === 'darwin' ? 'Close' : 'Quit',
          accelerator: 'CmdOrCtrl+Q',
          click: () => app.quit(),
        },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        command('Commands…', 'palette', 'CmdOrCtrl+K'),
        command('Show or hide the dock', 'dock', 'CmdOrCtrl+J'),
        command('Connect an app', 'connect', 'CmdOrCtrl+Shift+C'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { role: 'help', submenu: [command('Keyboard', 'help', 'F1')] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
