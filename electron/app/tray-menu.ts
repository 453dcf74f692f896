// What the tray shows: one line per cluster, and the ways in and out. Pure: may not import 'electron'.
// Entry points: `trayTitle`, `trayMenu`, `trayIcon`.
import type { ClusterSummary } from '../contract/model.ts';

export interface TrayItem {
  readonly label?: string;
  readonly type?: 'separator';
  readonly enabled?: boolean;
  readonly click?: () => void;
}

export interface TrayActions {
  readonly open: () => void;
  readonly stopAll: () => void;
  readonly quit: () => void;
}

/** More lines than this are told as a count. */
const CLUSTERS_SHOWN_MAX = 8;

const running = (clusters: readonly ClusterSummary[]): readonly ClusterSummary[] =>
  clusters.filter((one) => one.state !== 'stopped');

export function trayTitle(clusters: readonly ClusterSummary[]): string {
  const count = running(clusters).length;
  if (count === 0) return 'Muster: no cluster runs';
  return `Muster: ${count === 1 ? `${running(clusters)[0]?.name} runs` : `${count} clusters run`}`;
}

export function trayMenu(clusters: readonly ClusterSummary[], actions: TrayActions): readonly TrayItem[] {
  const shown = running(clusters).slice(0, CLUSTERS_SHOWN_MAX);
  const more = running(clusters).length - shown.length;
  return [
    { label: 'Open Muster', click: actions.open },
    { type: 'separator' },
    ...shown.map((one) => ({
      label: `${one.name}: ${one.state}, ${one.readyNodes} of ${one.nodes} nodes ready`,
      click: actions.open,
    })),
    ...(more > 0 ? [{ label: `and ${more} more`, enabled: false }] : []),
    ...(shown.length === 0 ? [{ label: 'No cluster runs', enabled: false }] : []),
    { type: 'separator' },
    { label: 'Stop all clusters', enabled: shown.length > 0, click: actions.stopAll },
    { label: 'Stop all clusters and quit', click: actions.quit },
  ];
}

/** Three nodes, the upper one filled as the leader: BGRA pixels of a square, grey enough for light and dark bars. */
export function trayIcon(size: number): Buffer {
  const pixels = Buffer.alloc(size * size * 4);
  const discs = [
    { x: 0.5, y: 0.24, radius: 0.2, hole: 0 },
    { x: 0.24, y: 0.74, radius: 0.2, hole: 0.1 },
    { x: 0.76, y: 0.74, radius: 0.2, hole: 0.1 },
  ];
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const inside = discs.some((disc) => {
        const away = Math.hypot((x + 0.5) / size - disc.x, (y + 0.5) / size - disc.y);
        return away <= disc.radius && away >= disc.hole;
      });
      if (inside) pixels.set([0x9a, 0x8c, 0x7d, 0xff], (y * size + x) * 4);
    }
  }
  return pixels;
}
