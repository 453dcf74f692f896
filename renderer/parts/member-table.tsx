// The facts of every member of a context, always visible: the table twin of the ring and of the lag chart.
import type { NodeRole, ReplicaView } from '../../electron/contract/model.ts';
import { catchUpWords } from '../../electron/contract/words.ts';
import { count, perSecond, plural, seconds } from '../format.ts';
import { connected, now } from '../store.ts';
import { Counting, Swatch } from './controls.tsx';
import { Crown } from './icons.tsx';
import { type ContextFigure, isDeposed } from './raft-ring.tsx';

const roleWord: Readonly<Record<NodeRole, string>> = {
  PRIMARY: 'Primary',
  ACTIVE_BACKUP: 'Active backup',
  PASSIVE_BACKUP: 'Passive backup',
  MESSAGING_ONLY: 'Messaging only',
};

const stateWord: Readonly<Record<ReplicaView['state'], string>> = {
  leader: 'Leader',
  follower: 'Follower',
  candidate: 'Candidate',
  down: 'Down',
  frozen: 'Frozen',
  'catching-up': 'Catching up',
  messaging: 'Messaging',
  unknown: 'Unknown',
};

function timerWords({ timer }: ReplicaView): string {
  return timer === undefined ? '–' : `${Math.max(0, timer.ofMs - timer.elapsedMs)} of ${timer.ofMs} ms`;
}

function timerTitle({ timer, heartbeats }: ReplicaView): string {
  if (timer === undefined) return 'no timer, or not told';
  const answered = heartbeats === undefined ? '' : `; ${count(heartbeats)} heartbeats of this term answered`;
  return timer.kind === 'heartbeat' ? 'until the next heartbeat' : `until it asks for votes${answered}`;
}

/** Of one that tells nothing: since when. */
function seenWords({ state, seenAt }: ReplicaView): string {
  if (state !== 'unknown' && state !== 'frozen' && connected.value) return '';
  return seenAt === null ? '' : `, last seen ${seconds(now.value - seenAt)} ago`;
}

/** The dots of the ring in words. */
function votesWords({ votes }: ReplicaView, voters: number): string {
  if (votes === undefined) return '';
  const open = voters - votes.granted.length - votes.refused.length;
  const parts = [
    `${votes.granted.length} granted`,
    votes.refused.length > 0 ? `${votes.refused.length} refused` : '',
    open > 0 ? `${open} unanswered` : '',
  ];
  return `: ${parts.filter((part) => part !== '').join(', ')}`;
}

export function MemberTable({ view, context, rates }: ContextFigure) {
  const voters = context.members.filter((member) => member.role === 'PRIMARY').length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-wrap" aria-label="Members" tabIndex={0}>
      <table class="members">
        <caption class="visually-hidden">Members of {context.name}</caption>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Role</th>
            <th scope="col">State</th>
            <th scope="col">Voted for</th>
            <th scope="col" class="number">
              Term
            </th>
            <th scope="col" class="number" title="Index of the last log entry this member has">
              Last
            </th>
            <th scope="col" class="number" title="Index up to which this member knows entries as committed">
              Commit
            </th>
            <th scope="col" class="number" title="Index up to which entries have had their effect on this member">
              Applied
            </th>
            <th
              scope="col"
              class="number"
              title="Index up to which the leader knows this member's log to equal its own"
            >
              Match
            </th>
            <th
              scope="col"
              class="number"
              title="Left of the election timer, for the leader until the next heartbeat; as the engine last told"
            >
              Timer
            </th>
            <th
              scope="col"
              class="number"
              title="Entries that came to its log per second, over the last two seconds: the weight of its line in the ring"
            >
              Appends
            </th>
            <th scope="col" class="number" title="Entries behind the leader's last index">
              Lag
            </th>
          </tr>
        </thead>
        <tbody>
          {context.members.map((member) => {
            const index = view.nodes.findIndex((node) => node.name === member.node);
            const stale = !connected.value || member.state === 'unknown' || view.nodes[index]?.state === 'stale';
            return (
              <tr key={member.node} class={stale ? 'hatched' : ''} data-member={member.node} data-state={member.state}>
                <th scope="row">
                  <Swatch index={index} /> {member.node}
                </th>
                <td>{roleWord[member.role]}</td>
                <td class={`state-cell member-${member.state}`}>
                  {member.node === context.leader && <Crown />}
                  {isDeposed(member, context) ? 'Believes it leads' : stateWord[member.state]}
                  {seenWords(member)}
                  {votesWords(member, voters)}
                  {catchUpWords(member, ': ')}
                </td>
                <td>{member.votedFor ?? '–'}</td>
                <td class="number">{count(member.term)}</td>
                <td class="number">
                  <Counting text={count(member.lastIndex)} />
                </td>
                <td class="number">
                  <Counting text={count(member.commitIndex)} />
                </td>
                <td class="number">
                  <Counting text={count(member.appliedIndex ?? null)} />
                </td>
                <td class="number">
                  <Counting text={count(member.matchIndex)} />
                </td>
                <td class="number" title={timerTitle(member)}>
                  {timerWords(member)}
                </td>
                <td class="number">{perSecond(rates.get(member.node) ?? null)}</td>
                <td class="number" title={member.lag === null ? 'unknown' : plural(member.lag, 'entry', 'entries')}>
                  {count(member.lag)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
