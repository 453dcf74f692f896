// Event processors over all apps that have them, and the buttons that steer them through the protocol (ux.md §5).
import { useSignal } from '@preact/signals';
import type { ClusterView } from '../../electron/contract/model.ts';
import { processorsOf, stateWords, steerings } from '../../electron/contract/processors.ts';
import type {
  ProcessorAct,
  ProcessorClaim,
  ProcessorMember,
  ProcessorView,
} from '../../electron/contract/processors.ts';
import { steerProcessor } from '../actions.ts';
import { count, plural } from '../format.ts';
import { commandsBlocked, errors } from '../store.ts';
import { NodeName } from './app-change.tsx';
import { Button, isBusy, SubjectError } from './controls.tsx';

const labels = { pause: 'Pause', start: 'Start', split: 'Split', merge: 'Merge' } as const;
const done = { pause: 'Paused', start: 'Started', split: 'Split', merge: 'Merged', move: 'Moved' } as const;

const subjectOf = ({ context, name }: ProcessorView): string => `processor:${context}:${name}`;

/** Why this makes no sense now; false when it does. */
function pointless({ members }: ProcessorView, kind: (typeof steerings)[number]): string | false {
  const running = members.filter((one) => one.running).length;
  const claims = members.reduce((sum, one) => sum + one.claims.length, 0);
  if (kind === 'pause') return running === 0 && 'It is paused';
  if (kind === 'start') return running === members.length && 'It runs';
  if (claims === 0) return 'No segment is claimed';
  return kind === 'merge' && claims === 1 && members.every((one) => one.claims.every((claim) => claim.onePartOf === 1))
    ? 'It has one segment'
    : false;
}

function Segment(props: {
  readonly one: ProcessorView;
  readonly owner: ProcessorMember;
  readonly claim: ProcessorClaim;
  readonly onAct: (act: ProcessorAct) => void;
  readonly blocked: string | false;
}) {
  const { one, owner, claim, onAct, blocked } = props;
  const others = one.members.filter((member) => member.clientId !== owner.clientId);
  return (
    <li>
      Segment {claim.segment}
      {claim.onePartOf > 1 && ` (1/${claim.onePartOf})`}{' '}
      <span class="hint">
        token {count(claim.token)}
        {claim.replaying ? ', replaying' : claim.caughtUp ? '' : ', behind'}
      </span>
      {others.length > 0 && ' '}
      {others.length > 0 && (
        <select
          aria-label={`Move segment ${claim.segment} of ${one.name} to`}
          disabled={blocked !== false}
          title={blocked === false ? undefined : blocked}
          value=""
          onChange={(event) => {
            const clientId = event.currentTarget.value;
            event.currentTarget.value = '';
            if (clientId !== '') onAct({ kind: 'move', segment: claim.segment, clientId });
          }}
        >
          <option value="">Move to…</option>
          {others.map(({ clientId }) => (
            <option key={clientId}>{clientId}</option>
          ))}
        </select>
      )}
    </li>
  );
}

function Processor({ view, one }: { readonly view: ClusterView; readonly one: ProcessorView }) {
  const told = useSignal('');
  const subject = subjectOf(one);
  const blocked = commandsBlocked.value ?? (isBusy(subject) && 'Under way');
  const act = async (what: ProcessorAct): Promise<void> => {
    told.value = '';
    const outcome = await steerProcessor(subject, one, what);
    if (outcome === null) return;
    told.value = outcome === 'done' ? done[what.kind] : 'The app only confirms that it got the request';
  };
  const wrong = one.members.some((member) => member.error);
  return (
    <>
      <tr>
        <th scope="row">
          {one.name} <span class="hint">{one.context}</span>
        </th>
        <td class={wrong ? 'tone-bad is-missing' : ''}>
          {wrong && <span aria-hidden="true">✕ </span>}
          {stateWords(one)}
        </td>
        <td>
          <ul class="names">
            {one.members.map((member) => (
              <li key={`${member.clientId} ${member.node}`}>
                {member.clientId} <NodeName view={view} name={member.node} />
                {member.claims.length === 0 && <span class="hint"> no segment</span>}
                <ul class="names">
                  {member.claims.map((claim) => (
                    <Segment
                      key={claim.segment}
                      one={one}
                      owner={member}
                      claim={claim}
                      blocked={blocked}
                      onAct={(what) => void act(what)}
                    />
                  ))}
                </ul>
              </li>
            ))}
          </ul>
        </td>
        <td class="row-actions">
          {steerings.map((kind) => (
            <Button
              key={kind}
              small
              aria-label={`${labels[kind]} ${one.name}`}
              blocked={blocked === false ? pointless(one, kind) : blocked}
              onClick={() => void act({ kind })}
            >
              {labels[kind]}
            </Button>
          ))}
          <span role="status" class="hint">
            {told.value}
          </span>
        </td>
      </tr>
      {errors.value[subject] !== undefined && (
        <tr>
          <td colSpan={4}>
            <SubjectError subject={subject} />
          </td>
        </tr>
      )}
    </>
  );
}

export function Processors({ view }: { readonly view: ClusterView }) {
  const all = processorsOf(view.apps);
  if (all.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="processors-heading">
      <header class="panel-head">
        <h2 id="processors-heading">Event processors</h2>
        <span class="hint">{plural(all.length, 'processor')}; what is told goes to every app that has it</span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section class="table-scroll" aria-label="Table of event processors" tabIndex={0}>
        <table class="apps processors">
          <thead>
            <tr>
              <th scope="col">Processor</th>
              <th scope="col">State</th>
              <th scope="col">Apps and segments</th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <Processor key={subjectOf(one)} view={view} one={one} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
