// Long work: steps with their state, cancel between steps, and what ended before (ux.md §17).
import type { TaskStepView, TaskView } from '../../electron/contract/model.ts';
import { taskProgress, taskTimeWords } from '../../electron/contract/words.ts';
import { api, attempt, now, tasks } from '../store.ts';
import { Button, ErrorNote, SubjectError } from './controls.tsx';
import { Empty } from './empty.tsx';

const stepWord: Readonly<Record<TaskStepView['state'], string>> = {
  waiting: 'waiting',
  running: 'under way',
  done: 'done',
  failed: 'failed',
  skipped: 'not done',
};
const stepMark: Readonly<Record<TaskStepView['state'], string>> = {
  waiting: '○',
  running: '◔',
  done: '✓',
  failed: '✕',
  skipped: '–',
};

export function Task({ task }: { readonly task: TaskView }) {
  const cancel = (): void =>
    void attempt(`task:${task.id}`, async () => {
      await api().cancelTask(task.id);
    });
  return (
    <section class="task" aria-label={task.title} data-task-state={task.state}>
      <header>
        <strong>{task.title}</strong> <span>{task.state === 'running' ? 'under way' : task.state}</span>
        <progress aria-label={`Progress of ${task.title}`} max={task.steps.length} value={taskProgress(task)} />
        <span class="hint">{taskTimeWords(task, now.value)}</span>
        {task.cancellable && (
          <Button small aria-label={`Cancel ${task.title}`} onClick={cancel}>
            Cancel
          </Button>
        )}
      </header>
      <ol>
        {task.steps.map((step) => (
          <li key={step.label} data-step-state={step.state}>
            <span aria-hidden="true">{stepMark[step.state]}</span>
            <span class="visually-hidden">{stepWord[step.state]}:</span> {step.label}
          </li>
        ))}
      </ol>
      {task.error !== null && <ErrorNote error={task.error} />}
      <SubjectError subject={`task:${task.id}`} />
    </section>
  );
}

export function TaskList() {
  if (tasks.value.length === 0)
    return <Empty topic="tasks">Nothing is under way. Long work and its history appear here.</Empty>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="task-list" aria-label="Tasks, newest first" tabIndex={0}>
      {tasks.value.map((task) => (
        <Task key={task.id} task={task} />
      ))}
    </section>
  );
}
