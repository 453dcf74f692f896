// Lag of every member over the last minute (uPlot), with faults as bands. The same numbers are in its table.
import { signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { ClusterView, ContextView } from '../../electron/contract/model.ts';
import { bytesShort, count, duration } from '../format.ts';
import { faultBands, LAG_WINDOW_MS, type LagSample, type LagUnit, lagColumn, lagOf, lagRevision } from '../history.ts';
import { lookAt } from '../past.ts';
import { go, now } from '../store.ts';
import { onThemeChange, token } from '../theme.ts';

const HEIGHT = 132;
const TABLE_SECONDS_AGO = [0, 15, 30, 45] as const;

const unit = signal<LagUnit>('entries');
const units: Readonly<
  Record<LagUnit, { readonly label: string; readonly least: number; readonly say: (value: number | null) => string }>
> = {
  entries: { label: 'entries', least: 10, say: count },
  bytes: {
    label: 'bytes',
    least: 1024,
    say: (value) => (value === null ? '–' : value === 0 ? '0' : bytesShort(value)),
  },
  ms: { label: 'time', least: 1000, say: (value) => (value === null ? '–' : duration(value)) },
};

function drawBands(plot: uPlot, bands: readonly { readonly from: number; readonly to: number }[], end: number): void {
  if (bands.length === 0) return;
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = token('--warn-soft');
  for (const { from, to } of bands) {
    const left = plot.valToPos((from - end) / 1000, 'x', true);
    const right = plot.valToPos((to - end) / 1000, 'x', true);
    ctx.fillRect(left, plot.bbox.top, Math.max(2, right - left), plot.bbox.height);
  }
  ctx.restore();
}

function options(
  width: number,
  names: readonly string[],
  indices: readonly number[],
  samples: () => readonly LagSample[],
): uPlot.Options {
  const axis = {
    stroke: token('--text-3'),
    font: `11px ${token('--font')}`,
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  };
  const { least, say } = units[unit.peek()];
  return {
    width,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    hooks: {
      drawClear: [
        (plot) => {
          const all = samples();
          drawBands(plot, faultBands(all), all.at(-1)?.at ?? 0);
        },
      ],
    },
    scales: {
      x: { time: false, range: () => [-LAG_WINDOW_MS / 1000, 0] },
      // A healthy group is a flat line at the bottom, not noise blown up to full height.
      y: { range: (_plot, _min, max) => [0, Math.max(least, (Number.isFinite(max) ? max : 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 60,
        values: (_plot, ticks) => ticks.map((tick) => (tick === 0 ? 'now' : `${tick} s`)),
      },
      { ...axis, size: 52, space: 34, values: (_plot, ticks) => ticks.map((tick) => say(tick)) },
    ],
    series: [
      {},
      ...names.map((label, i) => ({
        label,
        stroke: token(`--id-${(indices[i] ?? 0) % 9}`),
        width: 2,
        points: { show: false },
      })),
    ],
  };
}

/** Columns as uPlot wants them: seconds before now, then one column of lag per member. */
function columns(samples: readonly LagSample[], names: readonly string[]): uPlot.AlignedData {
  const end = samples[samples.length - 1]?.at ?? 0;
  return [
    samples.map((sample) => (sample.at - end) / 1000),
    ...names.map((name) => [...lagColumn(samples, name, unit.peek())]),
  ];
}

interface LagTableProps {
  readonly names: readonly string[];
  readonly samples: readonly LagSample[];
  readonly title: string;
}

/** Its rows are made while it is open. */
function LagTable({ names, samples, title }: LagTableProps) {
  const open = useSignal(false);
  return (
    <details
      class="lag-table"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>Show as table</summary>
      {open.value && <LagRows names={names} samples={samples} title={title} />}
    </details>
  );
}

function LagRows({ names, samples, title }: LagTableProps) {
  const end = samples.at(-1)?.at ?? 0;
  const places = TABLE_SECONDS_AGO.map((ago) => samples.findLastIndex((sample) => sample.at <= end - ago * 1000));
  const { say } = units[unit.value];
  return (
    <table>
      <caption class="visually-hidden">{title}</caption>
      <thead>
        <tr>
          <th scope="col">Member</th>
          {TABLE_SECONDS_AGO.map((ago) => (
            <th key={ago} scope="col" class="number">
              {ago === 0 ? 'now' : `${ago} s ago`}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {names.map((name) => {
          const column = lagColumn(samples, name, unit.value);
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              {places.map((place, i) => (
                <td key={TABLE_SECONDS_AGO[i]} class="number">
                  {say(column[place] ?? null)}
                </td>
              ))}
            </tr>
          );
        })}
        <tr>
          <th scope="row">Faults on</th>
          {places.map((place, i) => (
            <td key={TABLE_SECONDS_AGO[i]} class="number">
              {count(samples[place]?.faults ?? null)}
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}

function UnitSelect() {
  return (
    <select
      aria-label="Lag in"
      value={unit.value}
      onChange={(event) => {
        unit.value = event.currentTarget.value as LagUnit;
      }}
    >
      {Object.entries(units).map(([value, { label }]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** Whether a part of the element is on the screen; what is scrolled away need not be painted. */
function useSeen(element: RefObject<HTMLElement | null>): boolean {
  const seen = useSignal(true);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver((entries) => {
      seen.value = entries.at(-1)?.isIntersecting ?? true;
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return seen.value;
}

export function LagChart({ view, context }: { readonly view: ClusterView; readonly context: ContextView }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const names = context.members.filter((member) => member.role !== 'MESSAGING_ONLY').map((member) => member.node);
  const key = `${context.name}:${names.join()}:${unit.value}`;
  const revision = lagRevision.value;
  const samples = lagOf(context.name, now.value);
  const latest = useRef(samples);
  latest.current = samples;

  // Both before the frame is painted: the chart moves with the numbers beside it, not in a frame of its own.
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const indices = names.map((name) => view.nodes.findIndex((node) => node.name === name));
    const build = (): void => {
      plot.current?.destroy();
      const made = options(element.clientWidth, names, indices, () => latest.current);
      plot.current = new uPlot(made, columns(latest.current, names), element);
    };
    build();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const unsubscribe = onThemeChange(build);
    return () => {
      resized.disconnect();
      unsubscribe();
      plot.current?.destroy();
      plot.current = null;
    };
    // Rebuilt only for another set of members or unit; samples flow in below.
  }, [key]);

  const isSeen = useSeen(host);
  useLayoutEffect(() => {
    if (isSeen && document.visibilityState === 'visible') plot.current?.setData(columns(samples, names));
  }, [revision, samples.length, isSeen]);

  /** A click on a band leads to the moment in the timeline; the timeline page does the same by keyboard. */
  const openBand = (event: MouseEvent): void => {
    const { current } = plot;
    const end = samples.at(-1)?.at;
    if (current === null || end === undefined) return;
    const at = end + current.posToVal(event.clientX - current.over.getBoundingClientRect().left, 'x') * 1000;
    if (!faultBands(samples).some(({ from, to }) => at >= from && at <= to)) return;
    go({ screen: 'cluster', name: view.name, page: 'timeline' });
    void lookAt(at);
  };
  const { say } = units[unit.value];
  const worst = names.reduce<number | null>((most, name) => {
    const value = lagColumn(samples, name, unit.value).at(-1) ?? null;
    return value === null ? most : Math.max(most ?? 0, value);
  }, null);
  const title = `Lag of ${context.name} over the last minute`;
  return (
    <figure class="lag">
      <figcaption class="lag-head">
        Behind the leader, in <UnitSelect />
        <span class="hint push">last minute · most now: {say(worst)}</span>
      </figcaption>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the timeline page reaches the same moments by keyboard */}
      <div
        ref={host}
        class="lag-plot"
        role="img"
        aria-label={`${title}; its table has the numbers`}
        onClick={openBand}
      />
      <LagTable names={names} samples={samples} title={title} />
    </figure>
  );
}
