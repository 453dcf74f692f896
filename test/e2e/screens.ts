// Ways through the window that several tests take.
import type { Page } from 'playwright-core';

/** By the link of the rail, from wherever one is. */
export const openScreen = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
