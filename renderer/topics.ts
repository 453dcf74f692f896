// What there is to learn about each part of the window, in a few sentences; empty places lead here (ux.md §17). Shown by screens/help.tsx.
import { signal } from '@preact/signals';
import { go } from './store.ts';

export const topics = {
  contexts: {
    title: 'Contexts',
    text: 'A context is a store of events of its own, kept by the nodes that have a role in it and led by one of them. Every cluster has _admin, which holds its structure.',
    command: 'muster context add orders',
  },
  apps: {
    title: 'Apps',
    text: 'An application connects to any node over gRPC and is sent on to the one that serves it. Connect shows the settings for Spring Boot, Quarkus, Java, Python and others.',
    command: 'muster connect --for spring',
  },
  events: {
    title: 'Events',
    text: 'An event is stored once a majority of the members has it on disk. The page shows which members have which event, and appends one by hand.',
    command: 'muster events default --tail',
  },
  access: {
    title: 'Access',
    text: 'With access control an app shows a token, and a user a name and a password; each may do what its roles say, in their contexts. Nodes keep hashes only.',
    command: 'muster access put application shop --role USE_CONTEXT@default',
  },
  timeline: {
    title: 'Timeline',
    text: 'While a cluster runs, what happens and the state at each moment are recorded. Every moment can be looked at again, and a part of it saved as a script.',
    command: 'muster timeline --since 5m',
  },
  checkpoints: {
    title: 'Checkpoints',
    text: 'A checkpoint keeps the data of all nodes: events, contexts and roles. Restoring it brings exactly that state back.',
    command: 'muster checkpoint save before-demo',
  },
  tasks: {
    title: 'Tasks',
    text: 'What takes long runs step by step, with the time that is left, and goes on when the window is closed. Between two steps it can be cancelled.',
    command: 'muster tasks',
  },
  data: {
    title: 'Data on disk',
    text: 'Each cluster is one folder: its plan, and per node properties, data and logs. Nothing is deleted unless you say so.',
    command: 'muster data',
  },
} as const;

export type TopicId = keyof typeof topics;

/** The topic that Help shows first; null: none in particular. */
export const wantedTopic = signal<TopicId | null>(null);

export function learn(topic: TopicId): void {
  wantedTopic.value = topic;
  go({ screen: 'help' });
}
