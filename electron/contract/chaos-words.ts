// Pure: an action as a line of a chaos script, the inverse of chaos-script.ts. Entry points: `wordsOf`, `timedWords`.
import type { ChaosAction } from './chaos.ts';
import type { LinkTrouble } from './grammar.ts';
import type { DiskFault } from './faults.ts';
import type { WaitCondition } from './model.ts';

/** Several lines when one does not do; a line that begins with # tells what the language cannot say. */
export function wordsOf(action: ChaosAction): readonly string[] {
  switch (action.kind) {
    case 'start':
      return [`start ${action.nodes} keep=${action.keep ? 'yes' : 'no'} contexts=${action.contexts.join(',')}`];
    case 'load':
      return [`load ${action.context} rate=${action.rate}/s`];
    case 'node':
      return [`${action.action} ${targetWords(action.target)}`];
    case 'links':
      return linkWords(action.links);
    case 'disk':
      return diskWords(targetWords(action.target), action.change);
    case 'clock':
      return [`skew ${targetWords(action.target)} ${action.skewMs < 0 ? '' : '+'}${action.skewMs}ms`];
    case 'heal':
      return ['heal all'];
    case 'wait':
      return [waitWords(action.condition, action.withinMs)];
    case 'assert-lost':
      return [`assert lost-acknowledged = ${action.most}`];
    case 'assert-apps':
      return [`assert apps reconnected within ${action.withinMs}ms`];
  }
}

/** As a recording writes them: at their time. A wait takes the time that it takes, so its line has none. */
export function timedWords(words: readonly string[], afterMs: number): readonly string[] {
  const time = `at +${(afterMs / 1000).toFixed(1)}s `;
  return words.map((line) => (/^(#|wait )/.test(line) ? line : `${time}${line}`));
}

function targetWords(target: string): string {
  const [kind, context] = target.split(':', 2);
  return context === undefined ? target : `${kind}(${context})`;
}

/** Links with the same trouble in both directions share a line. */
function linkWords(links: Extract<ChaosAction, { kind: 'links' }>['links']): readonly string[] {
  const told = new Set<string>();
  return links.flatMap((link) => {
    if (told.has(`${link.from} ${link.to}`)) return [];
    const both = links.some(
      (other) => other.from === link.to && other.to === link.from && troubleWords(other) === troubleWords(link),
    );
    if (both) told.add(`${link.to} ${link.from}`);
    const names = `${link.from} ${both ? 'and' : 'to'} ${link.to}`;
    return [link.cut ? `cut ${names}` : `delay ${names} ${troubleWords(link)}`];
  });
}

function troubleWords({ cut, delayMs, jitterMs, lossPercent }: LinkTrouble): string {
  if (cut) return 'cut';
  const jitter = jitterMs > 0 ? ` jitter ${jitterMs}ms` : '';
  return `${delayMs}ms${jitter}${lossPercent > 0 ? ` loss ${lossPercent}%` : ''}`;
}

function diskWords(target: string, change: Partial<DiskFault>): readonly string[] {
  return [
    ...(change.slowMs === undefined ? [] : [`slow-disk ${target} ${change.slowMs}ms`]),
    ...(change.full === true ? [`fill-disk ${target}`] : []),
    ...(change.failing === true ? [`fail-disk ${target}`] : []),
    ...(change.full === false ? [`# the disk of ${target} is no longer full: write heal all`] : []),
  ];
}

function waitWords(condition: WaitCondition, withinMs: number): string {
  const within = `within ${withinMs}ms`;
  switch (condition.kind) {
    case 'ready':
      return `wait all ready ${within}`;
    case 'leader':
      return `wait leader(${condition.context}) ${within}`;
    case 'caught-up':
      return `wait caught-up ${condition.node ?? 'all'} ${within}`;
    default:
      return `# waited for ${condition.kind}`;
  }
}
