import { describe, expect, it } from 'vitest';
import type { TaskStepView, TaskView } from '../../electron/contract/model.ts';
import { taskProgress, taskTimeWords } from '../../electron/contract/words.ts';
import { type CopyProgress, Tasks, TASKS_KEPT_MAX, TASKS_RUNNING_MAX } from '../../electron/launcher/tasks.ts';
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

describe('ux 17: rate and time left', () => {
  const step = (state: TaskStepView['state'], copied?: TaskStepView['copied']): TaskStepView => ({
    label: state,
    state,
    ...(copied === undefined ? {} : { copied }),
  });
  const task = (steps: readonly TaskStepView[]): TaskView => ({
    id: 'task-1',
    cluster: 'dev',
    title: 'T',
    state: 'running',
    cancellable: false,
    startedAt: 1000,
    endedAt: null,
    steps,
    error: null,
  });
  const MB = 1_048_576;

  it('are told after two seconds: by bytes where a step copies, else by the steps that are done', () => {
    const copying = task([step('done'), step('running', { bytes: 10 * MB, of: 40 * MB, since: 2000 })]);
    expect(taskTimeWords(copying, 3500)).toBe('2.5 s, 10.0 MB of 40.0 MB');
    expect(taskTimeWords(copying, 7000)).toBe('6.0 s, 10.0 MB of 40.0 MB, 2.0 MB/s, about 15 s left');
    expect(taskProgress(copying)).toBe(1.25);
    const plain = task([step('done'), step('running'), step('waiting')]);
    expect(taskTimeWords(plain, 2500)).toBe('1.5 s');
    expect(taskTimeWords(plain, 4000)).toBe('3.0 s, about 6.0 s left');
    expect(taskTimeWords({ ...plain, state: 'done', endedAt: 4000 }, 99_000)).toBe('3.0 s');
  });

  it('a step tells how far it is, at most every 200 ms and always its end', async () => {
    let now = 5000;
    const seen: unknown[] = [];
    const tasks: Tasks = new Tasks(
      () => now,
      () => seen.push(tasks.list[0]?.steps[0]?.copied?.bytes),
    );
    const copy = async (tell: CopyProgress): Promise<void> => {
      for (const bytes of [1, 2, 3, 4]) {
        tell(bytes, 4);
        now += 100;
      }
    };
    tasks.start(null, 'Copy', [{ label: 'copy', run: copy }]);
    await settled();
    expect([...new Set(seen)]).toEqual([undefined, 1, 3, 4]);
    expect(tasks.list[0]?.steps[0]?.copied).toEqual({ bytes: 4, of: 4, since: 5000 });
  });
});
