// Lag of every member over the last minute (uPlot). Numbers are in the member table; this shows their shape.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { ClusterView, ContextView } from '../../electron/contract/model.ts';
import { count } from '../format.ts';
import { LAG_WINDOW_MS, lagOf, lagRevision } from '../history.ts';
import { onThemeChange, token } from '../theme.ts';

const HEIGHT = 132;

function options(width: number, names: readonly string[], indices: readonly number[]): uPlot.Options {
  const axis = {
    stroke: token('--text-3'),
    font: `11px ${token('--font')}`,
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [-LAG_WINDOW_MS / 1000, 0] },
      // A healthy group is a flat line at the bottom, not noise blown up to full height.
      y: { range: (_plot, _min, max) => [0, Math.max(10, (Number.isFinite(max) ? max : 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 60,
        values: (_plot, ticks) => ticks.map((tick) => (tick === 0 ? 'now' : `${tick} s`)),
      },
      { ...axis, size: 44, space: 34, values: (_plot, ticks) => ticks.map((tick) => count(tick)) },
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
function columns(context: ContextView, names: readonly string[]): uPlot.AlignedData {
  const samples = lagOf(context.name);
  const end = samples[samples.length - 1]?.at ?? 0;
  return [
    samples.map((sample) => (sample.at - end) / 1000),
    ...names.map((name) => samples.map((sample) => sample.lag[name] ?? null)),
  ];
}

export function LagChart({ view, context }: { readonly view: ClusterView; readonly context: ContextView }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const names = context.members.filter((member) => member.role !== 'MESSAGING_ONLY').map((member) => member.node);
  const key = `${context.name}:${names.join()}`;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const indices = names.map((name) => view.nodes.findIndex((node) => node.name === name));
    const build = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element.clientWidth, names, indices), columns(context, names), element);
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
    // Rebuilt only for another set of members; samples flow in below.
  }, [key]);

  const revision = lagRevision.value;
  useEffect(() => {
    if (document.visibilityState === 'visible') plot.current?.setData(columns(context, names));
  }, [revision]);

  const worst = context.members.reduce<number | null>(
    (most, member) => (member.lag === null ? most : Math.max(most ?? 0, member.lag)),
    null,
  );
  return (
    <figure class="lag">
      <figcaption>
        Entries behind the leader <span class="hint">last minute · most now: {count(worst)}</span>
      </figcaption>
      <div
        ref={host}
        class="lag-plot"
        role="img"
        aria-label={`Lag of ${context.name} over the last minute; the numbers are in the table Members of ${context.name}`}
      />
    </figure>
  );
}
