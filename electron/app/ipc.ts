// Binds LauncherApi to Electron's IPC: who asks (only our own page, main frame), what (check.ts), answers and errors as data.
import { app, ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, shell, type WebContents } from 'electron';
import { apiMethods, eventNames } from '../contract/api.ts';
import type { LauncherErrorData } from '../contract/model.ts';
import { clusterNameOf, nodeNameOf } from '../contract/check-parts.ts';
import type { BridgeAnswer } from '../contract/desktop.ts';
import { callChecked } from '../launcher/checked-client.ts';
import { errorData, launcherError } from '../launcher/errors.ts';
import { nodeNotFound } from '../launcher/targets.ts';
import type { Link } from './link.ts';
import { isOwnPage } from './window.ts';

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

async function call(link: Link, method: unknown, args: unknown): Promise<BridgeAnswer> {
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

/** The page names a node, never a path: what is opened is what the launcher knows of. */
async function open(link: Link, what: 'folder' | 'log', cluster: unknown, name: unknown): Promise<BridgeAnswer> {
  try {
    const view = await link.client().getCluster(clusterNameOf(cluster, 'cluster'));
    const wanted = nodeNameOf(name, 'node');
    const node = view.nodes.find((one) => one.name === wanted);
    if (node === undefined) throw nodeNotFound(view.name, wanted, view.nodes);
    const path = what === 'folder' ? node.dir : node.logFile;
    const problem = await shell.openPath(path);
    if (problem !== '') {
      throw launcherError('FOLDER_NOT_OPENED', `The ${what} of ${node.name} was not opened.`, problem, [path]);
    }
    return { ok: null };
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
  for (const what of ['folder', 'log'] as const) {
    ipcMain.handle(`muster:open-${what}`, (event, cluster: unknown, node: unknown) =>
      isTrusted(event) ? open(link, what, cluster, node) : { error: refused },
    );
  }
  ipcMain.on('muster:listening', (event) => {
    if (!isTrusted(event)) return;
    const contents = event.sender;
    if (!windows.has(contents)) contents.once('destroyed', () => windows.delete(contents));
    windows.add(contents);
    contents.send('muster:event', 'connection', link.state());
    contents.send('muster:event', 'assistive', app.accessibilitySupportEnabled);
  });
  app.on('accessibility-support-changed', (_event, used) => send('assistive', used));
  for (const name of eventNames) link.on(name, (payload) => send(name, payload));
  link.onState((state) => send('connection', state));
}
