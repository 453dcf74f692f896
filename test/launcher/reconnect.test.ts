import { describe, expect, it } from 'vitest';
import type { AppView } from '../../electron/contract/model.ts';
import { reportMarkdown } from '../../electron/contract/reconnect.ts';
import { LostHandlers, REGISTERS_WITHIN_MS } from '../../electron/launcher/lost-handlers.ts';
import { ReconnectWatch } from '../../electron/launcher/reconnect.ts';
import { healthyFacts, viewOf } from './builders.ts';

const FAULT_AT = 10_000;

function app(change: Partial<AppView> = {}): AppView {
  return {
    clientId: '11@ada',
    componentName: 'cards',
    node: 'node-1',
    context: 'default',
    connectedSince: 1_000,
    commands: ['IssueCard', 'RedeemCard'],
    queries: ['FindCard'],
    processors: [{ name: 'card-summary', running: true, segments: 1, token: 118, error: false }],
    ...change,
  };
}

function watching(...apps: readonly AppView[]): ReconnectWatch {
  const watch = new ReconnectWatch();
  watch.begin('kill node-1.', apps, FAULT_AT);
  return watch;
}

describe('ux.md §5 the reconnect report', () => {
  it('tells the node, the time and the attempts of an app that came back with everything', () => {
    const watch = watching(app());
    watch.observe([], 10_100);
    expect(watch.report()).toMatchObject({
      sentence: '0 of 1 app is connected with everything; 1 is away.',
      apps: [{ state: 'away', missingCommands: ['IssueCard', 'RedeemCard'], reconnectedAfterMs: null }],
    });
    watch.observe([app({ node: 'node-2', connectedSince: 11_900 })], 12_000);
    watch.observe([app({ node: 'node-3', connectedSince: 12_400 })], 12_500);
    expect(watch.report()?.apps[0]).toMatchObject({
      state: 'back',
      reconnectedAfterMs: 2_000,
      attempts: 2,
      before: { node: 'node-1' },
      after: { node: 'node-3' },
    });
  });

  it('AF-1350 makes a connected app without a handler it had stand out', () => {
    const watch = watching(app());
    watch.observe([app({ node: 'node-2', connectedSince: 11_000, commands: ['RedeemCard'] })], 11_000);
    expect(watch.report()).toMatchObject({
      sentence: '0 of 1 app is connected with everything; 1 has something missing.',
      apps: [{ state: 'incomplete', missingCommands: ['IssueCard'], missingQueries: [], completeAfterMs: null }],
    });
    expect(reportMarkdown(watch.report()!)).toContain('**command IssueCard**');
    watch.observe([app({ node: 'node-2', connectedSince: 11_000 })], 13_000);
    expect(watch.report()?.apps[0]).toMatchObject({ state: 'back', completeAfterMs: 3_000 });
  });

  it('tells a processor that is missing, in error or below the token it had', () => {
    const back = (processors: AppView['processors']): AppView =>
      app({ node: 'node-2', connectedSince: 11_000, processors });
    const processor = { name: 'card-summary', running: true, segments: 1, token: 118, error: false };
    const watch = watching(app());
    const stateAfter = (processors: AppView['processors']): string | undefined => {
      watch.observe([back(processors)], 11_000);
      return watch.report()?.apps[0]?.processors[0]?.state;
    };
    expect(stateAfter([])).toBe('missing');
    expect(stateAfter([{ ...processor, error: true }])).toBe('error');
    expect(stateAfter([{ ...processor, running: false }])).toBe('stopped');
    expect(stateAfter([{ ...processor, token: 40 }])).toBe('behind');
    expect(stateAfter([{ ...processor, token: 119 }])).toBe('resumed');
  });

  it('knows an app that was not touched, and one that was started anew under another client id', () => {
    const other = app({ clientId: '12@ada', componentName: 'billing', node: 'node-2' });
    const watch = watching(app(), other);
    watch.observe([other, app({ clientId: '99@ada', node: 'node-3', connectedSince: 12_000 })], 12_000);
    expect(watch.report()?.apps.map(({ componentName, state }) => [componentName, state])).toEqual([
      ['cards', 'back'],
      ['billing', 'kept'],
    ]);
  });

  it('a second fault keeps what an app had before the first, while it is away', () => {
    const watch = watching(app());
    watch.observe([], 11_000);
    watch.begin('kill node-2.', [], 12_000);
    watch.observe([app({ node: 'node-3', connectedSince: 13_000, commands: [] })], 13_000);
    expect(watch.report()?.apps[0]?.missingCommands).toEqual(['IssueCard', 'RedeemCard']);
  });

  it('reports nothing when no app was connected', () => {
    expect(watching().report()).toBeNull();
  });
});

describe('ux.md §10 lost handlers in the timeline', () => {
  const healthy = viewOf(healthyFacts());
  const texts = (lost: LostHandlers, watch: ReconnectWatch, now: number) => {
    const reconnect = watch.report();
    return lost.observe(reconnect === null ? healthy : { ...healthy, reconnect }, now).map(({ text }) => text);
  };

  it('AF-1350 tells once of an app that is back without a handler, and only after it had time to register', () => {
    const [watch, lost] = [watching(app()), new LostHandlers()];
    watch.observe([], FAULT_AT + 100);
    expect(texts(lost, watch, FAULT_AT + 5000), 'an app that is away lost its connection').toEqual([]);
    const back = app({ node: 'node-2', connectedSince: FAULT_AT + 6000, commands: ['RedeemCard'] });
    watch.observe([back], FAULT_AT + 6000);
    expect(texts(lost, watch, FAULT_AT + 6000)).toEqual([]);
    expect(texts(lost, watch, FAULT_AT + 6000 + REGISTERS_WITHIN_MS)).toEqual([
      'cards (11@ada) is on node-2 without command IssueCard.',
    ]);
    expect(texts(lost, watch, FAULT_AT + 20_000)).toEqual([]);
  });

  it('says nothing of an app that registers in time, and names at most five', () => {
    const [watch, lost] = [watching(app()), new LostHandlers()];
    watch.observe([app({ connectedSince: FAULT_AT + 50, queries: [] })], FAULT_AT + 100);
    expect(texts(lost, watch, FAULT_AT + 100)).toEqual([]);
    watch.observe([app({ connectedSince: FAULT_AT + 50 })], FAULT_AT + 300);
    expect(texts(lost, watch, FAULT_AT + 9000)).toEqual([]);
    const many = watching(app({ commands: Array.from({ length: 8 }, (_, i) => `C${i}`) }));
    many.observe([app({ commands: [] })], FAULT_AT);
    texts(lost, many, FAULT_AT);
    expect(texts(lost, many, FAULT_AT + REGISTERS_WITHIN_MS)[0]).toMatch(
      /without command C0, .*command C4 and 3 more\.$/,
    );
  });
});
