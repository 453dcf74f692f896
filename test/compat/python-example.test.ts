import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { build } from '../rows/harness.ts';
import { root } from '../rows/test-node.ts';
import { runExample } from './example.ts';
import { installClients, python } from './python-environment.ts';

beforeAll(async () => {
  build();
  await installClients();
});

it('the pytest example of docs/your-tests.md passes with the published client, and leaves no cluster', async () => {
  const pins = (file: string): string[] => readFileSync(path.join(root, file), 'utf8').split('\n').filter(Boolean);
  expect(pins('test/compat/python/requirements.txt')).toEqual(
    expect.arrayContaining(pins('docs/examples/pytest/requirements.txt')),
  );
  const { result, left } = await runExample('pytest', python, ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider']);
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
  expect(result.stdout).toContain('2 passed');
  expect(JSON.parse(left)).toEqual([]);
}, 450_000);
