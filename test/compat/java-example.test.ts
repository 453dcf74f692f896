import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { build } from '../rows/harness.ts';
import { root } from '../rows/test-node.ts';
import { runExample } from './example.ts';
import { MAVEN } from './maven.ts';

beforeAll(() => build());

it('the JUnit 5 example of docs/your-tests.md passes with the published connector, and leaves no cluster', async () => {
  const reports = path.join(root, 'docs', 'examples', 'junit5', 'target', 'surefire-reports');
  rmSync(reports, { recursive: true, force: true });
  const { result, left } = await runExample('junit5', 'mvn', [...MAVEN, 'test']);
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
  const report = readFileSync(path.join(reports, 'TEST-example.FailoverTest.xml'), 'utf8');
  expect(report).toMatch(/ tests="2" errors="0" skipped="0" failures="0"/);
  expect(JSON.parse(left)).toEqual([]);
}, 450_000);
