// What axe finds on a page by WCAG 2.2 AA and its own best practice. Entry point: `violations`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** One line per finding, with `where` before it: of axe, and of us what reaches out of the window, where focus would scroll the whole app away. */
export async function violations(page: Page, where: string): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (tags) => {
    const { axe } = window as unknown as {
      axe: { run(of: Document, how: object): Promise<{ violations: Violation[] }> };
    };
    return (await axe.run(document, { runOnly: tags })).violations;
  }, TAGS);
  const beyond = await page.evaluate(() => {
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.documentElement;
    return Math.max(scrollHeight - clientHeight, scrollWidth - clientWidth);
  });
  const scrolls = beyond > 0 ? [`${where}: the document is ${beyond} px larger than the window`] : [];
  const broken = found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${where}: ${id}: ${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`),
  );
  return [...broken, ...scrolls];
}
