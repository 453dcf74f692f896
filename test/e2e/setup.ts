import { build } from './browser.ts';

/** The tests drive what `npm run build` makes, never the sources. */
export function setup(): void {
  build();
}
