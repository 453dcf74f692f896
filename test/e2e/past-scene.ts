// A recorded minute for the window's tests: node-1 led, was killed, node-2 was elected, node-1 came back; then a cut.
import type { HistoryView, PastView, TimelineEvent } from '../../electron/contract/history.ts';
import type { FakeLauncher } from './fake-launcher.ts';
import { scenes } from './scenes.ts';

export interface PastScene {
  readonly begin: number;
  readonly killedAt: number;
  readonly electedAt: number;
  readonly backAt: number;
}

/** Puts the minute before `now` into the launcher: events, lanes, and a state for each moment. */
export function installPast(fake: FakeLauncher, now = Date.now()): PastScene {
  const at = { begin: now - 50_000, killedAt: now - 34_000, electedAt: now - 33_200, backAt: now - 20_000 };
  const event = (
    when: number,
    kind: TimelineEvent['kind'],
    subject: string,
    text: string,
    mark?: TimelineEvent['mark'],
    script?: TimelineEvent['script'],
  ): TimelineEvent => ({
    ...{ at: when, cluster: 'dev', kind, subject, text },
    ...(mark === undefined ? {} : { mark }),
    ...(script === undefined ? {} : { script }),
  });
  fake.setTimeline([
    event(at.begin, 'user', 'dev', 'Start node-1, node-2, node-3.', 'start'),
    event(at.begin + 900, 'context', 'default', 'default: node-1 leads (term 7).', 'election'),
    event(at.killedAt, 'user', 'node-1', 'kill node-1 (leader:default).', 'kill', ['kill leader(default)']),
    event(at.killedAt + 12, 'node', 'node-1', 'node-1: stopped. Killed by you.'),
    event(at.electedAt, 'context', 'default', 'default: node-2 leads (term 8).', 'election'),
    event(at.backAt, 'user', 'node-1', 'start node-1.', 'start'),
    event(now - 9_000, 'fault', 'node-1', 'Cut node-1 to node-2.', 'fault', ['cut node-1 to node-2']),
    event(now - 4_000, 'user', 'dev', 'Heal all faults.', 'heal', ['heal all']),
  ]);
  const history: HistoryView = {
    range: { from: at.begin, to: now - 100 },
    nodes: [
      {
        name: 'node-1',
        spans: [
          { at: at.begin, state: 'ready' },
          { at: at.killedAt, state: 'stopped' },
          { at: at.backAt, state: 'catching-up' },
          { at: at.backAt + 8_000, state: 'ready' },
        ],
      },
      { name: 'node-2', spans: [{ at: at.begin, state: 'ready' }] },
      { name: 'node-3', spans: [{ at: at.begin, state: 'ready' }] },
    ],
    contexts: [
      {
        name: 'default',
        spans: [
          { at: at.begin, leader: 'node-1', term: 7, headline: 'healthy' },
          { at: at.killedAt, leader: null, term: 8, headline: 'electing' },
          { at: at.electedAt, leader: 'node-2', term: 8, headline: 'healthy' },
        ],
      },
      { name: '_admin', spans: [{ at: at.begin, leader: 'node-2', term: 2, headline: 'healthy' }] },
    ],
    clients: [
      {
        clientId: 'orders-1',
        componentName: 'orders',
        spans: [
          { at: at.begin + 2_000, nodes: ['node-1'], missing: 0 },
          { at: at.killedAt, nodes: [], missing: 0 },
          { at: at.backAt - 9_000, nodes: ['node-2'], missing: 1 },
        ],
      },
      {
        clientId: 'invoices-1',
        componentName: 'invoices',
        spans: [{ at: at.begin + 3_000, nodes: ['node-3'], missing: 0 }],
      },
    ],
    // A load that the change of leader interrupts.
    appends: Array.from({ length: 20 }, (_, i) => ({
      at: at.begin + 4000 + i * 2000,
      ms: 2000,
      entries: 300 + i * 40,
    })).filter(({ at: begin }) => begin < at.killedAt - 2000 || begin > at.electedAt),
    faults: [
      { at: at.begin, active: 0 },
      { at: now - 9_000, active: 2 },
      { at: now - 4_000, active: 0 },
    ],
  };
  fake.on('history', () => history);
  fake.on('pastView', (_cluster: string, moment: number): PastView => {
    const name =
      moment < at.killedAt
        ? 'healthy'
        : moment < at.electedAt
          ? 'electing'
          : moment < at.backAt
            ? 'elected'
            : 'catching-up';
    return { recordedAt: moment, view: scenes[name]() };
  });
  return at;
}
