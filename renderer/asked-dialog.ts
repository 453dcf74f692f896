// A dialog that belongs to a page and is asked for from elsewhere (the palette): the page opens it and takes it off. Entry points:
// `askDialog`, `useAsked`.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { go, openCluster } from './store.ts';

export type AskedDialog =
  | { readonly kind: 'restore' | 'delete'; readonly page: 'checkpoints'; readonly name: string }
  | { readonly kind: 'verify' | 'purge'; readonly page: 'contexts'; readonly name: string }
  | { readonly kind: 'delete'; readonly page: 'contexts'; readonly name: string; readonly keepEvents: boolean };

const asked = signal<AskedDialog | null>(null);

/** Goes to the page of the open cluster. */
export function askDialog(wanted: AskedDialog): void {
  asked.value = wanted;
  go({ screen: 'cluster', name: openCluster.peek() ?? '', page: wanted.page });
}

/** Gives the page what was asked of it, once it is `ready` to show it. */
export function useAsked<P extends AskedDialog['page']>(
  page: P,
  ready: boolean,
  open: (wanted: Extract<AskedDialog, { readonly page: P }>) => void,
): void {
  const wanted = asked.value;
  useEffect(() => {
    if (!ready || wanted?.page !== page) return;
    asked.value = null;
    open(wanted as Extract<AskedDialog, { readonly page: P }>);
  }, [wanted, ready]);
}
