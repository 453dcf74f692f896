// The application menu. Its commands run in the page, by the ids of the one table; the page owns their keys, so that
// browser and window behave alike (`registerAccelerator: false` only shows them here).
import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { acceleratorOf, type CommandId, commandWords } from '../contract/command-words.ts';

function command(id: CommandId): MenuItemConstructorOptions {
  const accelerator = acceleratorOf(id);
  return {
    label: commandWords[id].label,
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
        command('new'),
        command('import'),
        command('clusters'),
        separator,
        command('start-cluster'),
        command('stop-cluster'),
        separator,
        command('links'),
        command('heal'),
        command('files'),
        separator,
        command('settings'),
        command('diagnostics'),
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
        command('palette'),
        command('dock'),
        command('connect'),
        command('timeline'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { role: 'help', submenu: [command('help'), command('tour')] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
