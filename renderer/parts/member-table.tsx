// The facts of every member of a context, always visible: the table twin of the ring and of the lag chart.
import type { ClusterView, ContextView, NodeRole, ReplicaView } from '../../electron/contract/model.ts';
import { count, plural } from '../format.ts';
import { connected } from '../store.ts';
import { Swatch } from './controls.tsx';
import { Crown } from './icons.tsx';

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

export function MemberTable({ view, context }: { readonly view: ClusterView; readonly context: ContextView }) {
  return (
    <div class="table-wrap">
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
            <th
              scope="col"
              class="number"
              title="Index up to which the leader knows this member's log to equal its own"
            >
              Match
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
                <td class={`member-${member.state}`}>
                  {member.state === 'leader' && <Crown />}
                  {stateWord[member.state]}
                </td>
                <td>{member.votedFor ?? '–'}</td>
                <td class="number">{count(member.term)}</td>
                <td class="number">{count(member.lastIndex)}</td>
                <td class="number">{count(member.commitIndex)}</td>
                <td class="number">{count(member.matchIndex)}</td>
                <td class="number" title={member.lag === null ? 'unknown' : plural(member.lag, 'entry', 'entries')}>
                  {count(member.lag)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
