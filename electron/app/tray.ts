// The tray icon: present while the app runs, so that clusters left running behind a closed window can be found and ended.
import { Menu, nativeImage, Tray } from 'electron';
import type { ClusterSummary } from '../contract/model.ts';
import { errorData } from '../launcher/errors.ts';
import type { Link } from './link.ts';
import { trayIcon, trayMenu, trayTitle } from './tray-menu.ts';
import type { TrayActions } from './tray-menu.ts';

const ICON_SIZE = 32;
const ICON_SCALE = 2;

const complain = (error: unknown): void => console.error(`muster: ${errorData(error).what} ${errorData(error).why}`);

/** Null where the system has no tray; the app then works without. */
export function openTray(link: Link, actions: Pick<TrayActions, 'open' | 'quit'>): Tray | null {
  let tray: Tray;
  try {
    const options = { width: ICON_SIZE, height: ICON_SIZE, scaleFactor: ICON_SCALE };
    tray = new Tray(nativeImage.createFromBitmap(trayIcon(ICON_SIZE), options));
  } catch (error) {
    complain(error);
    return null;
  }
  const show = (clusters: readonly ClusterSummary[]): void => {
    const stopAll = (): void => {
      for (const one of clusters.filter((cluster) => cluster.state !== 'stopped'))
        link.client().stopCluster(one.name).catch(complain);
    };
    tray.setToolTip(trayTitle(clusters));
    tray.setContextMenu(Menu.buildFromTemplate([...trayMenu(clusters, { ...actions, stopAll })]));
  };
  tray.on('click', actions.open);
  link.on('clusters', show);
  show([]);
  link.client().listClusters().then(show, complain);
  return tray;
}
