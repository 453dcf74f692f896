// Shapes drawn by us, so that they look alike on every system. All are decoration: words stand beside them.
import type { JSX, SVGAttributes } from 'preact';
import type { NodeState } from '../../electron/contract/model.ts';

const RADIUS = 5;

/** A pie slice from twelve o'clock, for 0 < part < 1. */
function slice(part: number): string {
  const angle = part * 2 * Math.PI;
  const x = 8 + RADIUS * Math.sin(angle);
  const y = 8 - RADIUS * Math.cos(angle);
  return `M8 8V${8 - RADIUS}A${RADIUS} ${RADIUS} 0 ${part > 0.5 ? 1 : 0} 1 ${x.toFixed(2)} ${y.toFixed(2)}Z`;
}

const ring = (extra: SVGAttributes<SVGCircleElement> = {}): JSX.Element => (
  <circle cx="8" cy="8" r={RADIUS} fill="none" stroke="currentColor" stroke-width="1.8" {...extra} />
);

/** The glyph of ux.md §4.1 for a node state; `percent` fills the catching-up pie. */
export function StateGlyph({ state, percent }: { readonly state: NodeState; readonly percent?: number | null }) {
  return (
    <svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
      {glyph(state, percent ?? null)}
    </svg>
  );
}

function glyph(state: NodeState, percent: number | null): JSX.Element {
  const part = percent === null ? 0.5 : Math.min(0.97, Math.max(0.03, percent / 100));
  switch (state) {
    case 'stopped':
      return ring();
    case 'starting':
      return ring({ 'stroke-dasharray': '2 2.5' });
    case 'stopping':
      return (
        <>
          {ring({ 'stroke-dasharray': '2 2.5' })}
          <rect x="6" y="6" width="4" height="4" fill="currentColor" />
        </>
      );
    case 'joining':
      return (
        <>
          {ring()}
          <path d={slice(0.25)} fill="currentColor" />
        </>
      );
    case 'catching-up':
      return (
        <>
          {ring()}
          <path d={slice(part)} fill="currentColor" />
        </>
      );
    case 'ready':
      return <circle cx="8" cy="8" r="5.5" fill="currentColor" />;
    case 'isolated':
      return (
        <>
          {ring({ 'stroke-dasharray': '11.7 4', 'stroke-dashoffset': '-2' })}
          <circle cx="8" cy="8" r="2.2" fill="currentColor" />
        </>
      );
    case 'frozen':
      return <path d="M4.5 3.5h2.6v9H4.5zM8.9 3.5h2.6v9H8.9z" fill="currentColor" />;
    case 'crashed':
      return <path d="m4 4 8 8m0-8-8 8" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />;
    case 'stale':
      return (
        <>
          <rect x="3" y="3" width="10" height="10" fill="none" stroke="currentColor" stroke-width="1.4" />
          <path d="M3 8.5 8.5 3M3 13 13 3M7.5 13 13 7.5" stroke="currentColor" stroke-width="1.2" />
        </>
      );
  }
}

export const Crown = () => (
  <svg class="glyph crown" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M2.5 12.5 1.6 5.4 5 8l3-5 3 5 3.4-2.6-.9 7.1z" fill="currentColor" />
  </svg>
);

const line = (d: string) => () => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
  </svg>
);

export const CopyIcon = line('M6 5.5h7.5V14H6zM10 5.5V2.5H2.5V11H6');
export const CheckIcon = line('m3 8.5 3.2 3.2L13 4.8');
export const CloseIcon = line('m4 4 8 8m0-8-8 8');
export const SearchIcon = line('M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm3.3-1.2 3.4 3.4');
/** Of 16 by 16, to be drawn as a line. */
export const SCISSORS =
  'M4.2 6.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 7.6a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM5.8 5.5l7.7 6M5.8 10.5l7.7-6';
export const ScissorsIcon = line(SCISSORS);
export const SaveIcon = line('M8 2.5v7m-3-3 3 3 3-3M2.5 12.5h11');
export const OpenIcon = line('M7 3.5H3v9.5h9.5V9M9.5 2.5h4v4M13.2 2.8 7.5 8.5');
export const ClearIcon = line('M3 4h10M3 8h6M10 9.5l4 4m0-4-4 4');
export const DownIcon = line('m4 6 4 4 4-4');
export const UpIcon = line('m4 10 4-4 4 4');
export const ClockIcon = line('M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM8 4.8V8l2.4 1.6');
export const WarnIcon = line('M8 2.5 14.5 13.5h-13zM8 6.5v3.2m0 2v.1');

/** Three linked discs: the product's mark. */
export const Mark = () => (
  <svg class="brand" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M8 3.5 3.5 11.5h9z" fill="none" stroke="currentColor" stroke-width="1.4" />
    <circle cx="8" cy="3.5" r="2.5" fill="currentColor" />
    <circle cx="3.5" cy="11.5" r="2.5" fill="currentColor" />
    <circle cx="12.5" cy="11.5" r="2.5" fill="currentColor" />
  </svg>
);
