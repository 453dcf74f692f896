// What every property key means, asked for once for the whole window. Entry points: `configKeys`, `loadConfigKeys`.
import { signal } from '@preact/signals';
import type { ConfigKeyDoc } from '../electron/contract/config-docs.ts';
import { api, attempt } from './store.ts';

/** Where it is told when the keys cannot be had. */
export const CONFIG_KEYS_SUBJECT = 'config-docs';

/** Null until they were asked for and came. */
export const configKeys = signal<readonly ConfigKeyDoc[] | null>(null);

export async function loadConfigKeys(): Promise<void> {
  if (configKeys.peek() !== null) return;
  await attempt(CONFIG_KEYS_SUBJECT, async () => {
    configKeys.value = await api().configDocs();
  });
}
