// The checklist of a run: which step is under way, what each took, what failed (ux.md §11).
import type { ChaosResult, ScriptRunView } from '../../electron/contract/chaos.ts';
import { failedLine } from '../../electron/contract/failed-line.ts';
import { junitOf } from '../../electron/contract/junit.ts';
import { duration, plural, seconds } from '../format.ts';
import { lookAt } from '../past.ts';
import { saveText } from '../save-text.ts';
import { api, attempt, clusters, go, wall } from '../store.ts';
import { Button } from './controls.tsx';

const words: Readonly<Record<ChaosResult['state'], { readonly mark: string; readonly word: string }>> = {
  waiting: { mark: '○', word: 'waiting' },
  running: { mark: '◔', word: 'under way' },
  done: { mark: '✓', word: 'done' },
  failed: { mark: '✕', word: 'failed' },
  skipped: { mark: '–', word: 'not done' },
};
const outcomes: Readonly<Record<ScriptRunView['state'], { readonly word: string; readonly tone: string }>> = {
  running: { word: 'Under way', tone: 'warn' },
  passed: { word: 'Passed', tone: 'ok' },
  failed: { word: 'Failed', tone: 'bad' },
  stopped: { word: 'Stopped by you', tone: 'idle' },
};

function Step({ step }: { readonly step: ChaosResult }) {
  const { mark, word } = words[step.state];
  const begun = step.state !== 'waiting' && step.state !== 'skipped';
  return (
    <tr data-step-state={step.state} aria-current={step.state === 'running' ? 'step' : undefined}>
      <td class="step-mark">
        <span aria-hidden="true">{mark}</span>
        <span class="visually-hidden">{word}</span>
      </td>
      <td class="number">{step.line}</td>
      <th scope="row">
        <code>{step.text}</code>
        {step.detail !== '' && <p class="step-detail">{step.detail}</p>}
      </th>
      <td class="number">{begun ? `+${duration(step.atMs)}` : ''}</td>
      <td class="number">{begun && step.state !== 'running' ? duration(step.tookMs) : ''}</td>
    </tr>
  );
}

export function ScriptRun({ run, shown }: { readonly run: ScriptRunView; readonly shown: string }) {
  const { word, tone } = outcomes[run.state];
  const failed = failedLine(run);
  const known = clusters.value?.some((one) => one.name === run.cluster) !== false;
  const gone = !known && `There is no cluster ${run.cluster}`;
  const running = run.state === 'running';
  const stop = (): void =>
    void attempt('chaos', async () => {
      await api().stopScript(run.id);
    });
  const openTimeline = (): void => {
    go({ screen: 'cluster', name: run.cluster, page: 'timeline' });
    if (failed !== null) void lookAt(failed.at);
  };
  return (
    <section class="script-run" aria-label={`Run of ${run.title}`} data-run-state={run.state}>
      <header>
        <strong>{run.title}</strong>
        <span class={`tone-${tone} outcome`}>{word}</span>
        <span class="hint">
          {seconds((run.endedAt ?? wall.value) - run.startedAt)}
          {run.acknowledged > 0 && ` · ${plural(run.acknowledged, 'append')} acknowledged`}
        </span>
        <span class="push" />
        {running && (
          <Button small kind="danger" onClick={stop}>
            Stop the run
          </Button>
        )}
        {failed !== null && (
          <Button
            small
            blocked={gone}
            title={`Line ${failed.step.line} failed then: ${run.cluster} as it was`}
            onClick={openTimeline}
          >
            Open timeline here
          </Button>
        )}
        {run.cluster !== shown && (
          <Button small blocked={gone} onClick={() => go({ screen: 'cluster', name: run.cluster })}>
            Open {run.cluster}
          </Button>
        )}
        {!running && (
          <Button small onClick={() => saveText(`${run.title}.xml`, junitOf(run.title, run.steps), 'application/xml')}>
            Save as JUnit
          </Button>
        )}
      </header>
      <div class="table-wrap">
        <table>
          <caption class="visually-hidden">Steps of {run.title}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">State</span>
              </th>
              <th scope="col" class="number">
                Line
              </th>
              <th scope="col">Step</th>
              <th scope="col" class="number">
                Began
              </th>
              <th scope="col" class="number">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {run.steps.map((step, index) => (
              <Step key={index} step={step} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
