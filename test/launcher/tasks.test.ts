import { describe, expect, it } from 'vitest';
import { Tasks, TASKS_KEPT_MAX, TASKS_RUNNING_MAX } from '../../electron/launcher/tasks.ts';
import { launcherError } from '../../electron/launcher/errors.ts';

/** A step that ends when told. */
function gate(label: string) {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { label, run: () => opened, open: () => open() };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ux 17: long work as one object', () => {
  it('runs its steps one after the other and tells every change', async () => {
    const seen: string[] = [];
    const tasks: Tasks = new Tasks(
      () => 1,
      () => seen.push(tasks.list[0]?.steps.map((step) => step.state).join() ?? ''),
    );
    const [first, second] = [gate('one'), gate('two')];
    tasks.start('dev', 'Two steps', [first, second]);
    first.open();
    second.open();
    await settled();
    expect(seen.slice(0, 4)).toEqual(['running,waiting', 'done,waiting', 'done,running', 'done,done']);
    expect(tasks.list[0]).toMatchObject({ state: 'done', cancellable: false, error: null });
  });

  it('a cancel lets the present step end and skips the rest', async () => {
    const tasks = new Tasks(
      () => 1,
      () => undefined,
    );
    const [first, second] = [gate('one'), gate('two')];
    const { id } = tasks.start('dev', 'Two steps', [first, second]);
    await settled();
    tasks.cancel(id);
    expect(tasks.list[0]?.state).toBe('running');
    first.open();
    await settled();
    expect(tasks.list[0]).toMatchObject({ state: 'cancelled', steps: [{ state: 'done' }, { state: 'skipped' }] });
    expect(() => tasks.cancel('task-99')).toThrow(/no task task-99/);
  });

  it('a failed step keeps its error and skips the rest', async () => {
    const tasks = new Tasks(
      () => 1,
      () => undefined,
    );
    const bad = {
      label: 'bad',
      run: () => Promise.reject(launcherError('CONTEXT_REFUSED', 'No.', 'Because.', [])),
    };
    tasks.start(null, 'Fails', [bad, gate('never')]);
    await settled();
    expect(tasks.list[0]).toMatchObject({
      state: 'failed',
      error: { code: 'CONTEXT_REFUSED' },
      steps: [{ state: 'failed' }, { state: 'skipped' }],
    });
  });

  it('limits how many run and how many ended ones are kept', async () => {
    const tasks = new Tasks(
      () => 1,
      () => undefined,
    );
    for (let i = 0; i < TASKS_KEPT_MAX + 5; i++) {
      tasks.start(null, `t${i}`, []);
      await settled();
    }
    expect(tasks.list.length).toBeLessThanOrEqual(TASKS_KEPT_MAX + 1);
    for (let i = 0; i < TASKS_RUNNING_MAX; i++) tasks.start(null, `r${i}`, [gate('x')]);
    expect(() => tasks.start(null, 'one more', [])).toThrow(/Too many tasks/);
  });
});
