// Binds LauncherApi to Electron's IPC: who asks (only our own page, main frame), what (check.ts), answers and errors as data.
import { ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { apiMethods, eventNames } from '../contract/api.ts';
import type { LauncherErrorData } from '../contract/model.ts';
import { callChecked } from '../launcher/checked-client.ts';
import { errorData } from '../launcher/errors.ts';
import type { Link } from './link.ts';
import { isOwnPage } from './window.ts';

type Answer = { readonly ok: unknown } | { readonly error: LauncherErrorData };

const refused: LauncherErrorData = {
  code: 'UNAUTHORISED',
  what: 'This page may not call the launcher.',
  why: 'It is not the page that Muster opened.',
  next: [],
};

function isTrusted(event: IpcMainInvokeEvent | IpcMainEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame === event.sender.mainFrame && isOwnPage(frame.url);
}

async function call(link: Link, method: unknown, args: unknown): Promise<Answer> {
  const known = apiMethods.find((one) => one === method);
  if (known === undefined || !Array.isArray(args)) {
    const why = known === undefined ? `Known calls: ${apiMethods.join(', ')}.` : 'The arguments are not a list.';
    return { error: { code: 'UNKNOWN_METHOD', what: 'There is no such call.', why, next: [] } };
  }
  try {
    return { ok: await callChecked(link.client(), known, args) };
  } catch (error) {
    return { error: errorData(error) };
  }
}

/** Call once. Every window that asked for it gets every push. */
export function bindIpc(link: Link): void {
  const windows = new Set<WebContents>();
  const send = (name: string, payload: unknown): void => {
    for (const contents of windows) {
      if (!contents.isDestroyed()) contents.send('muster:event', name, payload);
    }
  };
  ipcMain.handle('muster:call', (event, method: unknown, args: unknown) =>
    isTrusted(event) ? call(link, method, args) : { error: refused },
  );
  ipcMain.on('muster:listening', (event) => {
    if (!isTrusted(event)) return;
    const contents = event.sender;
    if (!windows.has(contents)) contents.once('destroyed', () => windows.delete(contents));
    windows.add(contents);
    contents.send('muster:event', 'connection', link.state());
  });
  for (const name of eventNames) link.on(name, (payload) => send(name, payload));
  link.onState((state) => send('connection', state));
}
