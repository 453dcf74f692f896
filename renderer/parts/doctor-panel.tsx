// The connection doctor: the way of an app, step by step, with what is wrong and what to do (ux.md §6).
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { DoctorReport } from '../../electron/contract/doctor.ts';
import type { LauncherErrorData } from '../../electron/contract/model.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { announce } from '../announce.ts';
import { api } from '../store.ts';
import { Button, ErrorNote } from './controls.tsx';

/** `children` stand at the end of its first line. */
export function DoctorPanel(props: {
  readonly cluster: string;
  readonly context: string;
  readonly children?: ComponentChildren;
}) {
  const { cluster, context } = props;
  const report = useSignal<DoctorReport | null>(null);
  const failed = useSignal<LauncherErrorData | null>(null);
  const busy = useSignal(false);
  const run = async (): Promise<void> => {
    busy.value = true;
    failed.value = null;
    try {
      report.value = await api().doctor(cluster, context);
      announce(report.value.ok ? 'Connection doctor: every step worked.' : 'Connection doctor: a step failed.');
    } catch (error) {
      if (!(error instanceof LauncherError)) throw error;
      failed.value = error.data;
    } finally {
      busy.value = false;
    }
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="doctor" aria-label="Connection doctor" tabIndex={0}>
      <div class="toolbar">
        <span>Connection doctor</span>
        <Button small blocked={busy.value && 'The doctor is at work.'} onClick={() => void run()}>
          {busy.value ? 'Running…' : 'Run'}
        </Button>
        <span class="push" />
        {props.children}
      </div>
      {failed.value !== null && <ErrorNote error={failed.value} />}
      <ol>
        {(report.value?.steps ?? []).map((step) => (
          <li key={`${step.kind} ${step.what}`}>
            {step.ok ? '✓' : '✗'} {step.what}
            {!step.ok && (
              <p class="hint">
                {step.why}. {step.next}
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
