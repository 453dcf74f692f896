// The reconnect report (ux.md §5): what every connected app was before a fault, and what has come back. Types, and the report as text.
import type { AppView, ContextName } from './model.ts';

/**
 * `kept`: the same connection all along. `away`: not connected. `incomplete`: connected, but something it had is missing.
 * `back`: connected with everything it had.
 */
export type AppChangeState = 'kept' | 'away' | 'incomplete' | 'back';

export interface ProcessorChange {
  readonly name: string;
  /** Lowest token of its segments. */
  readonly before: number | null;
  readonly after: number | null;
  /** `resumed`: runs and has reached the token it had. `behind`: runs, but below it. */
  readonly state: 'resumed' | 'behind' | 'stopped' | 'error' | 'missing';
}

export interface AppChange {
  readonly clientId: string;
  readonly componentName: string;
  readonly context: ContextName;
  readonly state: AppChangeState;
  readonly before: AppView;
  readonly after: AppView | null;
  /** Connections seen since the fault. */
  readonly attempts: number;
  /** ms from the fault to the connection, null when it has none yet or kept its own. */
  readonly reconnectedAfterMs: number | null;
  /** ms from the fault until nothing was missing any more. */
  readonly completeAfterMs: number | null;
  readonly missingCommands: readonly string[];
  readonly missingQueries: readonly string[];
  readonly processors: readonly ProcessorChange[];
}

export interface ReconnectReport {
  /** Epoch ms of the fault. */
  readonly at: number;
  /** What was done or happened, one sentence. */
  readonly fault: string;
  /** "2 of 3 apps are back; 1 has missing handlers." */
  readonly sentence: string;
  readonly apps: readonly AppChange[];
}

/** What an app that is connected lacks, by kind and name. */
export const lacking = (app: AppChange): readonly string[] =>
  app.after === null
    ? []
    : [
        ...app.missingCommands.map((name) => `command ${name}`),
        ...app.missingQueries.map((name) => `query ${name}`),
        ...app.processors
          .filter(({ state }) => state !== 'resumed' && state !== 'behind')
          .map(({ name, state }) => `processor ${name} (${state})`),
      ];

const seconds = (ms: number | null): string => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** For a bug report. */
export function reportMarkdown(report: ReconnectReport): string {
  const rows = report.apps.map((app) => {
    const lost = [
      ...app.missingCommands.map((name) => `command ${name}`),
      ...app.missingQueries.map((name) => `query ${name}`),
      ...app.processors
        .filter(({ state }) => state !== 'resumed')
        .map((one) => `processor ${one.name} ${one.state} (${one.before ?? '–'} → ${one.after ?? '–'})`),
    ];
    const cells = [
      `${app.componentName} (${app.clientId})`,
      app.context,
      app.state,
      `${app.before.node} → ${app.after?.node ?? '–'}`,
      seconds(app.reconnectedAfterMs),
      String(app.attempts),
      lost.length === 0 ? 'nothing' : `**${lost.join(', ')}**`,
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return [
    `## Reconnect report`,
    '',
    `${new Date(report.at).toISOString()}: ${report.fault}`,
    '',
    report.sentence,
    '',
    '| App | Context | State | Node | Reconnected after | Connections | Missing |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
