// `muster query` on real engines (ux.md §9; client-behaviour QE-3 to QE-8).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

const SLOW_MS = 120_000;

interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly more: boolean;
}

describe('the query language on the command line', () => {
  const workspace = new Workspace();
  beforeAll(async () => {
    build();
    await workspace.up('queries', 1, await freeBlock(1));
    for (const [type, amount] of [
      ['CardIssued', 5],
      ['CardIssued', 9],
      ['CardRedeemed', 7],
    ] as const)
      await workspace.ok('append', 'default', '--type', type, '--payload', `{"amount":${amount}}`);
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  it(
    'QE-3, QE-8 counts by type, sorts as asked, shows the newest first without a wish',
    async () => {
      const grouped = await workspace.json<Answer>('query', 'default', 'groupby(payloadType, count() as events)');
      expect(grouped).toMatchObject({
        columns: ['payloadType', 'events'],
        rows: [
          ['CardIssued', 2],
          ['CardRedeemed', 1],
        ],
        more: false,
      });
      const amount = 'select(jsonpath(payloadData, "$.amount") as amount)';
      const falling = await workspace.json<Answer>('query', 'default', `${amount} | sortby(amount, "desc")`);
      expect(falling.rows.map(([value]) => Number(value))).toEqual([9, 7, 5]);
      const newest = await workspace.json<Answer>('query', 'default', 'select(token)');
      expect(newest.rows).toEqual([[2], [1], [0]]);
      expect(await workspace.ok('query', 'default')).toMatch(/CardRedeemed.*\n.*CardIssued/s);
    },
    SLOW_MS,
  );

  it(
    'QE-7 what is wrong is told with its code and place',
    async () => {
      const wrong = await workspace.muster('query', 'default', 'token | | limit(3)', '--json');
      expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringMatching(/QUERY_REFUSED.*at position 8/s)]);
      expect((await workspace.muster('query', 'nowhere', '', '--json')).stdout).toContain('CONTEXT_NOT_FOUND');
    },
    SLOW_MS,
  );
});
