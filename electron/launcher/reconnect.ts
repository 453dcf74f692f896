// Watches what becomes of connected apps after a fault (ux.md §5). Bounded by the apps of a view. No clock: times are arguments.
// Entry point: `ReconnectWatch`.
import type { AppView } from '../contract/model.ts';
import type { AppChange, AppChangeState, ProcessorChange, ReconnectReport } from '../contract/reconnect.ts';

interface Watched {
  readonly before: AppView;
  after: AppView | null;
  /** Connections seen since the fault, as node and time. */
  readonly connections: Set<string>;
  wasAway: boolean;
  backAt: number | null;
  completeAt: number | null;
}

const connectionOf = (app: AppView): string => `${app.node} ${app.connectedSince}`;
const sameClient = (left: AppView, right: AppView): boolean =>
  left.clientId === right.clientId && left.context === right.context && left.componentName === right.componentName;

export class ReconnectWatch {
  #fault: { readonly at: number; readonly text: string } | null = null;
  #watched: Watched[] = [];

  /** A fault begins: what is connected now is what should come back. Apps that are still away keep what they had before that. */
  begin(text: string, apps: readonly AppView[], at: number): void {
    const unsettled = this.#watched.filter(({ before, after }) => !isComplete(before, after));
    const kept = unsettled.map(({ before }) => before);
    const fresh = apps.filter(
      (app) => !unsettled.some(({ after }) => after === app) && !kept.some((k) => sameClient(k, app)),
    );
    const before = [...kept, ...fresh];
    if (before.length === 0) {
      return;
    }
    this.#fault = { at, text };
    this.#watched = before.map((app) => ({
      before: app,
      after: app,
      connections: new Set(),
      wasAway: false,
      backAt: null,
      completeAt: null,
    }));
    this.observe(apps, at);
  }

  clear(): void {
    this.#fault = null;
    this.#watched = [];
  }

  observe(apps: readonly AppView[], at: number): void {
    const free = new Set(apps);
    for (const watched of this.#watched) {
      const found = [...free].find((app) => sameClient(app, watched.before)) ?? null;
      if (found !== null) {
        free.delete(found);
      }
      watched.after = found;
    }
    // An app that was started anew has another client id: the same component in the same context stands for it.
    for (const watched of this.#watched.filter(({ after }) => after === null)) {
      const { componentName, context } = watched.before;
      const found = [...free].find((app) => app.componentName === componentName && app.context === context);
      if (found !== undefined) {
        free.delete(found);
        watched.after = found;
      }
    }
    for (const watched of this.#watched) {
      note(watched, at);
    }
  }

  report(): ReconnectReport | null {
    const fault = this.#fault;
    if (fault === null) {
      return null;
    }
    const apps = this.#watched.map((watched) => changeOf(watched, fault.at));
    return { at: fault.at, fault: fault.text, sentence: sentenceOf(apps), apps };
  }
}

function note(watched: Watched, at: number): void {
  const { before, after } = watched;
  if (after === null) {
    watched.wasAway = true;
    return;
  }
  if (connectionOf(after) !== connectionOf(before)) {
    watched.connections.add(connectionOf(after));
    watched.backAt ??= at;
  }
  if (watched.backAt !== null && isComplete(before, after)) {
    watched.completeAt ??= at;
  }
}

const missing = (before: readonly string[], after: readonly string[]): readonly string[] =>
  before.filter((name) => !after.includes(name));

function isComplete(before: AppView, after: AppView | null): boolean {
  return (
    after !== null &&
    missing(before.commands, after.commands).length === 0 &&
    missing(before.queries, after.queries).length === 0 &&
    processorsOf(before, after).every(({ state }) => state === 'resumed' || state === 'behind')
  );
}

function processorsOf(before: AppView, after: AppView): readonly ProcessorChange[] {
  return before.processors.map((processor): ProcessorChange => {
    const now = after.processors.find((candidate) => candidate.name === processor.name);
    const state = (): ProcessorChange['state'] => {
      if (now === undefined) return 'missing';
      if (now.error) return 'error';
      if (!now.running) return processor.running ? 'stopped' : 'resumed';
      return (now.token ?? -1) >= (processor.token ?? -1) ? 'resumed' : 'behind';
    };
    return { name: processor.name, before: processor.token, after: now?.token ?? null, state: state() };
  });
}

function stateOf({ before, after, wasAway }: Watched): AppChangeState {
  if (after === null) {
    return 'away';
  }
  if (!isComplete(before, after)) {
    return 'incomplete';
  }
  return connectionOf(before) === connectionOf(after) && !wasAway ? 'kept' : 'back';
}

function changeOf(watched: Watched, faultAt: number): AppChange {
  const { before, after } = watched;
  return {
    clientId: before.clientId,
    componentName: before.componentName,
    context: before.context,
    state: stateOf(watched),
    before,
    after,
    attempts: watched.connections.size,
    reconnectedAfterMs: watched.backAt === null ? null : watched.backAt - faultAt,
    completeAfterMs: watched.completeAt === null ? null : watched.completeAt - faultAt,
    missingCommands: after === null ? before.commands : missing(before.commands, after.commands),
    missingQueries: after === null ? before.queries : missing(before.queries, after.queries),
    processors:
      after === null
        ? before.processors.map((one) => ({
            name: one.name,
            before: one.token,
            after: null,
            state: 'missing' as const,
          }))
        : processorsOf(before, after),
  };
}

function sentenceOf(apps: readonly AppChange[]): string {
  const count = (...states: readonly AppChangeState[]): number =>
    apps.filter((app) => states.includes(app.state)).length;
  const words = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
  const parts = [
    `${count('back', 'kept')} of ${words(apps.length, 'app is', 'apps are')} connected with everything`,
    count('kept') > 0 ? `${count('kept')} never lost its connection` : '',
    count('incomplete') > 0 ? `${words(count('incomplete'), 'has', 'have')} something missing` : '',
    count('away') > 0 ? `${words(count('away'), 'is', 'are')} away` : '',
  ];
  return `${parts.filter((part) => part !== '').join('; ')}.`;
}
