// The page as it is first painted: in the look that is set, before it has asked for anything. Pure. Entry point: `withLook`.
import type { Look } from '../contract/settings.ts';

const ROOT = '<html lang="en"';

/** `look` has been checked, so its values are words that need no quoting. Null: nobody knows it, and the page is as it is. */
export function withLook(page: string, look: Look | null): string {
  if (look === null) return page;
  const { theme, density, motion, letterKeys } = look;
  const attributes = `data-theme="${theme}" data-density="${density}" data-motion="${motion}" data-letter-keys="${letterKeys}"`;
  return page.replace(ROOT, `${ROOT} ${attributes}`);
}
