// Errors with the way to where they are helped, what is told of things done, and the hint of what to break first (ux.md §17, §3.1).
import { expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import { card, describeWindow, pressWhenReady } from './harness.ts';
import { installPast } from './past-scene.ts';
import { scenes } from './scenes.ts';
import { openScreen } from './screens.ts';

const refusal = (code: string, more = {}) => ({ code, what: 'Refused.', why: 'On purpose.', next: ['Look.'], ...more });

describeWindow('errors and what is told', (harness) => {
  it('UX-17 an error leads to where it is helped, by its code, and closes the dialog over that place', async () => {
    harness.fake.fail('createCluster', refusal('DISK_FULL'));
    const page = await harness.open();
    await page.getByRole('button', { name: 'Change…' }).click();
    const form = page.getByRole('dialog', { name: 'New cluster' });
    await form.getByRole('button', { name: 'Create and start' }).click();
    await form.getByRole('button', { name: 'Data on disk' }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    expect(await form.count()).toBe(0);
  });

  it.each([
    ['PROPERTIES_CONFLICT', 'Configuration', 'configuration'],
    ['CHECKPOINT_DAMAGED', 'Checkpoints', 'checkpoints'],
    ['WIPED_FIRST_NODE', 'Checkpoints', 'checkpoints'],
  ])('UX-17 %s of a node leads to %s', async (code, label, place) => {
    harness.fake.on('getConfig', () => new Promise(() => undefined));
    harness.fake.fail('actOnNode', refusal(code, { node: 'node-2' }));
    const page = await harness.openCluster();
    await pressWhenReady(card(page, 'node-2').getByRole('button', { name: /^Kill/ }));
    await card(page, 'node-2').getByRole('alert').getByRole('button', { name: label }).click();
    await page.locator(`[data-page="${place}"]`).waitFor();
  });

  it('UX-17 an engine that failed leads to its log, and what nobody foresaw to the diagnostics', async () => {
    harness.fake.fail('actOnNode', refusal('ENGINE_REFUSED', { node: 'node-2' }));
    const page = await harness.openCluster();
    await pressWhenReady(card(page, 'node-2').getByRole('button', { name: /^Kill/ }));
    await card(page, 'node-2').getByRole('alert').getByRole('button', { name: 'Log of node-2' }).click();
    await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
    expect(
      await card(page, 'node-2').getByRole('button', { name: 'Logs of node-2' }).getAttribute('aria-pressed'),
    ).toBe('true');
    harness.fake.fail('actOnNode', refusal('INTERNAL'));
    await pressWhenReady(card(page, 'node-3').getByRole('button', { name: /^Kill/ }));
    await card(page, 'node-3').getByRole('alert').getByRole('button', { name: 'Diagnostics' }).click();
    await page.getByRole('heading', { level: 1, name: 'Diagnostics' }).waitFor();
  });

  it('UX-17 a crash leads to where its code is helped, beside its checkpoints and the report', async () => {
    const page = await harness.openCluster(scenes.crashed());
    const about = page.getByRole('group', { name: /^About the crash of/ });
    await about.getByRole('button', { name: 'Restore checkpoint…' }).waitFor();
    await about.getByRole('button', { name: 'Data on disk' }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  });

  it('UX-17 a start that takes too long says at which step, which node and why, and goes on', async () => {
    const page = await harness.open();
    await page.clock.install();
    await page.getByRole('button', { name: 'Start a 3-node cluster' }).click();
    const list = page.getByRole('region', { name: 'Start-up' });
    harness.fake.show(scenes.starting());
    await list.locator('[data-step="node:node-1"].done').waitFor();
    expect(await page.getByText('NOT_READY_IN_TIME').count()).toBe(0);
    await page.clock.fastForward(31_000);
    harness.fake.show(scenes.starting());
    await list.getByText('NOT_READY_IN_TIME').waitFor();
    expect(await list.getByRole('alert').textContent()).toMatch(
      /Not ready after 30 s: the step “.+” is not done\. node-\d: /,
    );
    await list.getByRole('button', { name: /^Log of node-/ }).waitFor();
    harness.fake.show(scenes.healthy());
    await page.getByText('Ready in 1.3 s.').waitFor();
    expect(await page.getByText('NOT_READY_IN_TIME').count()).toBe(0);
  });

  it('UX-17 what was done is told to those who see, too, with the way back: a note that was taken off is pinned again', async () => {
    const { fake } = harness;
    const scene = installPast(fake);
    const note = {
      id: 'note-00000001',
      at: scene.killedAt + 1,
      cluster: 'dev',
      kind: 'note',
      subject: 'dev',
      text: 'here',
    };
    const page = await harness.openCluster();
    await openScreen(page, 'Timeline');
    fake.push('timeline', { ...note, mark: 'note' } as TimelineEvent);
    fake.on('removeNote', () => {
      fake.push('timeline', { ...note, mark: 'note', removed: true } as TimelineEvent);
    });
    fake.on('addNote', () => ({ ...note, mark: 'note' }));
    await page.getByRole('button', { name: /^Remove the note of/ }).click();
    const told = page.getByRole('region', { name: 'Just done' });
    await told.getByText('The note is removed.').waitFor();
    await told.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => fake.callsOf('addNote').map((call) => call.args)).toEqual([['dev', note.at, 'here']]);
    await told.getByText('That is taken back.').waitFor();
    expect(await told.getByRole('button', { name: 'Undo' }).count()).toBe(0);
    await told.getByRole('button', { name: 'Close what was just done' }).click();
    await told.waitFor({ state: 'detached' });
  });

  it('UX-17 what is refused from a page other than the overview is told on that page, and from none of a cluster beside its button', async () => {
    const { fake } = harness;
    const cut = { from: 'node-1', to: 'node-2', cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, since: Date.now() };
    const page = await harness.openCluster({ ...scenes.healthy(), faults: [cut] });
    await openScreen(page, 'Apps');
    for (const [method, code] of [
      ['stopCluster', 'CLUSTER_BUSY'],
      ['heal', 'ENGINE_REFUSED'],
      ['addNode', 'NODES_REFUSED'],
      ['moveLeader', 'CONTEXT_REFUSED'],
    ] as const)
      fake.fail(method, refusal(code));
    await pressWhenReady(page.getByRole('button', { name: 'Stop cluster' }));
    await page.getByRole('alert').filter({ hasText: 'CLUSTER_BUSY' }).waitFor();
    for (const [words, code] of [
      ['heal', 'ENGINE_REFUSED'],
      ['add-node', 'NODES_REFUSED'],
      ['move-leader default node-2', 'CONTEXT_REFUSED'],
    ] as const) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command' }).fill(words);
      await page.getByRole('option', { name: `Run: ${words}` }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('alert').filter({ hasText: code }).waitFor();
    }
    await openScreen(page, 'Settings');
    await page.getByRole('button', { name: '1 active fault' }).click();
    const faults = page.getByRole('region', { name: 'Active faults' });
    await pressWhenReady(faults.getByRole('button', { name: 'Heal all' }));
    await faults.getByText('ENGINE_REFUSED').waitFor();
  });

  it('UX-17 a cancel that is refused is told in its task', async () => {
    const { fake } = harness;
    const step = { label: 'copies', state: 'running' } as const;
    fake.on('tasks', () => [
      {
        id: 'task-1',
        cluster: 'dev',
        title: 'Save checkpoint a',
        state: 'running',
        startedAt: Date.now(),
        endedAt: null,
        cancellable: true,
        steps: [step],
        error: null,
      },
    ]);
    fake.fail('cancelTask', refusal('TASK_NOT_FOUND'));
    const page = await harness.openCluster();
    await page.getByRole('tab', { name: 'Tasks' }).click();
    await pressWhenReady(page.getByRole('button', { name: 'Cancel Save checkpoint a' }));
    await page.getByRole('region', { name: 'Save checkpoint a' }).getByText('TASK_NOT_FOUND').waitFor();
  });

  it('UX-6 the settings for an app follow the addresses of the nodes; those of another time are not shown', async () => {
    const { fake } = harness;
    const page = await harness.openCluster();
    await page.getByRole('tab', { name: 'Connect' }).click();
    await page.getByText('axon.axonserver.servers=localhost:8124').waitFor();
    fake.on('snippets', () => [{ kind: 'spring', title: 'Spring', text: 'axon.axonserver.servers=docker:9124' }]);
    const moved = scenes.healthy();
    fake.show({ ...moved, nodes: moved.nodes.map((one) => ({ ...one, grpc: one.grpc + 1000, host: 'docker' })) });
    await page.getByText('axon.axonserver.servers=docker:9124').waitFor();
    expect(await page.getByText('axon.axonserver.servers=localhost:8124').count()).toBe(0);
  });

  it('UX-3.1 the first fault is hinted at on the leader, once: whoever makes one ends it for every window', async () => {
    const page = await harness.openCluster();
    const hint = page.getByRole('note').filter({ hasText: 'Try Kill on the leader' });
    await card(page, 'node-1').getByText('leader of default').waitFor();
    await hint.waitFor();
    expect(await hint.count()).toBe(1);
    const kill = {
      at: Date.now(),
      cluster: 'dev',
      kind: 'user',
      subject: 'node-1',
      text: 'kill node-1.',
      mark: 'kill',
    };
    harness.fake.push('timeline', kill as TimelineEvent);
    await hint.waitFor({ state: 'detached' });
    await expect
      .poll(() => harness.fake.callsOf('changeSettings').map((call) => call.args))
      .toEqual([[{ hints: 'off' }]]);
    const other = await harness.openCluster();
    await card(other, 'node-1').getByText('leader of default').waitFor();
    expect(await other.getByText('Try Kill on the leader').count()).toBe(0);
  });

  it('UX-3.1 the hint can be closed, and comes back by the settings', async () => {
    const page = await harness.openCluster();
    await page.getByRole('button', { name: 'Close this hint' }).click();
    await page.getByText('Try Kill on the leader').waitFor({ state: 'detached' });
    expect(harness.fake.callsOf('changeSettings').map((call) => call.args)).toEqual([[{ hints: 'off' }]]);
    harness.fake.changeSettings({ hints: 'on' });
    await page.getByText('Try Kill on the leader').waitFor();
  });
});
