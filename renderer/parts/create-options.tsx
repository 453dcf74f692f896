// Of a new cluster: the switches that the command line has as --access-control, --tls and --dcb, and its --timing (ux.md §3.2).
import type { ClusterSpec } from '../../electron/contract/model.ts';
import type { Timing } from '../../electron/contract/pace.ts';
import { presetOf, timingPresets } from '../../electron/contract/timings.ts';

const SWITCHES = [
  ['accessControl', 'Access control', 'Apps need a token; the Connect panel shows it.'],
  ['tls', 'TLS', 'All ports speak TLS, with certificates made on this computer.'],
  ['dcb', 'DCB contexts', 'For Axon Framework 5.'],
] as const;

export function CreateOptions({
  spec,
  onChange,
}: {
  readonly spec: ClusterSpec;
  readonly onChange: (spec: ClusterSpec) => void;
}) {
  return (
    <fieldset class="field">
      <legend>Security and kind of contexts</legend>
      {SWITCHES.map(([key, label, what]) => (
        <div key={key}>
          <label>
            <input
              type="checkbox"
              aria-describedby={`create-${key}`}
              checked={spec[key] === true}
              onChange={(event) => {
                // What is off is absent from a spec, as from the command line.
                const { [key]: _before, ...rest } = spec;
                onChange(event.currentTarget.checked ? { ...rest, [key]: true } : rest);
              }}
            />{' '}
            {label}
          </label>
          <small id={`create-${key}`}>{what}</small>
        </div>
      ))}
    </fieldset>
  );
}

export function TimingChoice({
  spec,
  onChange,
}: {
  readonly spec: ClusterSpec;
  readonly onChange: (change: Required<Timing>) => void;
}) {
  const chosen = presetOf(spec);
  return (
    <fieldset class="field">
      <legend>Timing</legend>
      {timingPresets.map(({ id, label, what, timing, slowMotion }) => (
        <div key={id}>
          <label>
            <input
              type="radio"
              name="timing"
              aria-describedby={`create-timing-${id}`}
              checked={chosen.id === id}
              onChange={() => onChange({ timing, slowMotion })}
            />{' '}
            {label}
          </label>
          <small id={`create-timing-${id}`}>{what}</small>
        </div>
      ))}
    </fieldset>
  );
}
