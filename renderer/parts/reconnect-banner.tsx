// The banner after a fault that says what became of the apps, and the report as Markdown (ux.md §5).
import { signal } from '@preact/signals';
import type { ClusterView } from '../../electron/contract/model.ts';
import type { ReconnectReport } from '../../electron/contract/reconnect.ts';
import { reportMarkdown } from '../../electron/contract/reconnect.ts';
import { saveText } from '../save-text.ts';
import { go, route } from '../store.ts';
import { Button, CopyButton } from './controls.tsx';
import { CloseIcon } from './icons.tsx';

/** The report that was waved away, by its time. */
const dismissed = signal<number | null>(null);

export function ReconnectBanner({ view }: { readonly view: ClusterView }) {
  const report = view.reconnect;
  const where = route.value;
  const onPage = where.screen === 'cluster' && where.page === 'apps';
  if (report === undefined || onPage || dismissed.value === report.at) return null;
  const bad = report.apps.some(({ state }) => state === 'incomplete');
  const away = report.apps.some(({ state }) => state === 'away');
  return (
    <div class={`reconnect-banner tone-${bad ? 'bad' : away ? 'warn' : 'ok'}`} role="status">
      <strong>Apps after “{report.fault.replace(/\.$/, '')}”:</strong> {report.sentence}
      <Button small onClick={() => go({ screen: 'cluster', name: view.name, page: 'apps' })}>
        Show report
      </Button>
      <button
        type="button"
        class="icon-button push"
        aria-label="Dismiss the report"
        onClick={() => {
          dismissed.value = report.at;
        }}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

export function ReportButtons({ report }: { readonly report: ReconnectReport }) {
  const text = reportMarkdown(report);
  return (
    <span class="push button-row">
      <CopyButton text={text} label="Copy the report as Markdown" />
      <Button small onClick={() => saveText('reconnect-report.md', text)}>
        Save as Markdown
      </Button>
    </span>
  );
}
