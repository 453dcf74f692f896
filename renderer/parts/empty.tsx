// A place with nothing in it yet (ux.md §17): one sentence, the one action that changes it, one link to learn.
import type { ComponentChildren } from 'preact';
import type { ClusterName } from '../../electron/contract/model.ts';
import { startCluster } from '../actions.ts';
import { commandsBlocked } from '../store.ts';
import { learn, type TopicId, topics } from '../topics.ts';
import { Button } from './controls.tsx';

/** For what is empty because nothing runs. */
export const StartAction = ({ name }: { readonly name: ClusterName }) => (
  <Button small kind="primary" blocked={commandsBlocked.value ?? false} onClick={() => void startCluster(name)}>
    Start the cluster
  </Button>
);

export function Empty(props: {
  readonly topic: TopicId;
  /** The button of what to do now. Absent: nothing can be done but wait. */
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const { topic } = props;
  return (
    <div class="empty button-row">
      <span>{props.children}</span>
      {props.action}
      <Button small kind="quiet" onClick={() => learn(topic)}>
        About {topics[topic].title.toLowerCase()}
      </Button>
    </div>
  );
}
