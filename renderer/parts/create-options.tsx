// The switches of a new cluster that the command line has as --access-control, --tls and --dcb (ux.md §3.2).
import type { ClusterSpec } from '../../electron/contract/model.ts';

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
