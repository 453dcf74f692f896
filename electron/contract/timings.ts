// The timings that a new cluster can be given (ux.md §3.2), in terms of decision 13: two profiles, and slow motion of the faster one.
// Entry points: `timingPresets`, `presetOf`.
import { FIRST_SLOWDOWN, PACE_MS_MAX, type Timing } from './pace.ts';

export interface TimingPreset extends Required<Timing> {
  /** The word of the command line. */
  readonly id: 'dev' | 'axon' | 'slow';
  readonly label: string;
  readonly what: string;
}

const fast: TimingPreset = {
  id: 'dev',
  label: 'Fast',
  what: 'Heartbeats every 100 ms, elections after 0.5 to 1 s; a killed leader is noticed at once.',
  timing: 'dev',
  slowMotion: false,
};

export const timingPresets: readonly TimingPreset[] = [
  fast,
  {
    id: 'axon',
    label: 'As documented for Axon Server',
    what: 'Heartbeats every 300 ms, elections after 1 to 2.5 s; a failure is noticed by time-out only.',
    timing: 'axon',
    slowMotion: false,
  },
  {
    id: 'slow',
    label: 'Slow motion',
    what: `Starts fast; once usable, heartbeats and elections take ${FIRST_SLOWDOWN} times as long, until you set the usual speed or for ${PACE_MS_MAX / 60_000} minutes.`,
    timing: 'dev',
    slowMotion: true,
  },
];

export const presetOf = ({ timing, slowMotion = false }: Timing): TimingPreset =>
  timingPresets.find((one) => one.timing === timing && one.slowMotion === slowMotion) ?? fast;
