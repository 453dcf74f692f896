// Pure: the checklist of a run as JUnit XML, one test case per step. Entry point: `junitOf`.
import type { ChaosResult } from './chaos.ts';

export function junitOf(file: string, steps: readonly ChaosResult[]): string {
  const count = (state: ChaosResult['state']): number => steps.filter((step) => step.state === state).length;
  const cases = steps.map((step) => {
    const body =
      step.state === 'failed' ? `<failure message="${xml(step.detail)}"/>` : step.state === 'done' ? '' : '<skipped/>';
    const title = xml(`line ${step.line}: ${step.text}`);
    return `<testcase name="${title}" time="${(step.tookMs / 1000).toFixed(3)}">${body}</testcase>`;
  });
  const counts = `tests="${steps.length}" failures="${count('failed')}" skipped="${count('skipped')}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="${xml(file)}" ${counts}>\n${cases.join('\n')}\n</testsuite>\n`;
}

function xml(text: string): string {
  return text.replace(/[&<>"\n]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
