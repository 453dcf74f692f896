// What the launcher tells of itself, and of folders of clusters that it cannot read, which are in no list. Written by `takeAbout` only.
import { signal } from '@preact/signals';
import type { LauncherApi } from '../electron/contract/api.ts';
import type { BrokenCluster } from '../electron/contract/data-use.ts';

export const version = signal<string | null>(null);
export const brokenClusters = signal<readonly BrokenCluster[]>([]);

export function takeAbout(about: Awaited<ReturnType<LauncherApi['about']>>): void {
  version.value = about.version;
  brokenClusters.value = about.broken ?? [];
}
