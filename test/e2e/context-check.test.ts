// Comparing and purging a context from the window, on scripted answers (rows B8, B10; ux.md §8).
import { expect, it } from 'vitest';
import { describeWindow } from './harness.ts';

describeWindow('comparing and purging a context', (harness) => {
  it('B8, B10 shows where members differ, and purges only after the name was typed, by keyboard alone', async () => {
    const member = (node: string, checksum: string) => ({ node, lastToken: 1, events: 2, checksum, problem: null });
    const sentence = 'default: members differ, first at log entry 3.';
    harness.fake.on('verifyReplicas', () => [
      {
        context: 'default',
        toIndex: 4,
        equal: false,
        sentence,
        firstDifference: 3,
        members: [member('node-1', 'aa'), member('node-2', 'bb')],
      },
    ]);
    harness.fake.on('purge', () => [{ context: 'default', events: 2 }]);
    const page = await harness.openCluster();
    await page.getByRole('link', { name: 'Contexts' }).click();
    await page.getByRole('button', { name: 'Verify context default' }).press('Enter');
    const verify = page.getByRole('dialog', { name: 'Members of default compared' });
    await verify.getByText(`✕ ${sentence}`).waitFor();
    await verify.getByRole('cell', { name: 'bb' }).waitFor();
    harness.fake.on('scrub', (_cluster, node) => [
      {
        context: 'default',
        segments: 2,
        bytes: 9,
        damage: node === 'node-2' ? 'rot' : null,
        sentence: `${node}: checked`,
      },
    ]);
    await verify.getByRole('button', { name: 'Check files' }).press('Enter');
    for (const line of ['✓ node-1: checked', '✕ node-2: checked', '✓ node-3: checked'])
      await verify.getByText(line).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('button', { name: 'Purge context _admin' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Purge context default' }).press('Enter');
    const purge = page.getByRole('dialog', { name: 'Purge context default?' });
    await purge.getByText(/events and its snapshots are deleted on all 3 members/).waitFor();
    expect(await purge.getByRole('button', { name: 'Purge context' }).isDisabled()).toBe(true);
    await page.keyboard.type('default');
    await purge.getByRole('button', { name: 'Purge context' }).press('Enter');
    await purge.waitFor({ state: 'detached' });
    expect(harness.fake.callsOf('purge').map((call) => call.args)).toEqual([['dev', ['default']]]);
  });
});
