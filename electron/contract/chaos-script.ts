// Pure: the text of a chaos script as steps (ux.md §11). Entry points: `readChaos` (with every problem), `parseChaos` (fails with
// SCRIPT_INVALID at the first).
import { contextNameOf } from './check-parts.ts';
import type { ChaosAction, ChaosStep, ScriptProblem } from './chaos.ts';
import {
  parseContexts,
  parseDelay,
  parseDuration,
  parseLinks,
  parseLoss,
  parseNode,
  parsePartition,
  parseSkew,
  parseWholeNumber,
  UsageError,
} from './grammar.ts';
import { LauncherError } from './model.ts';

export const SCRIPT_CHARS_MAX = 100_000;
export const SCRIPT_STEPS_MAX = 1000;
export const LOAD_RATE_MAX = 2000;
const VERBS =
  'start, stop, kill, freeze, resume, restart, load, cut, partition, delay, loss, slow-disk, fill-disk, fail-disk, skew, heal, wait, assert';
const CUT = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
const WITHIN_MS = 10_000;

export function readChaos(source: string): {
  readonly steps: readonly ChaosStep[];
  readonly problems: readonly ScriptProblem[];
} {
  const steps: ChaosStep[] = [];
  const problems: ScriptProblem[] = [];
  for (const [index, whole] of source.split(/\r?\n/).entries()) {
    let column = 1;
    let atMs: number | null = null;
    for (const part of whole.replace(/#.*$/, '').split(';')) {
      const text = part.trim();
      const place = column + part.length - part.trimStart().length;
      column += part.length + 1;
      if (text === '') continue;
      try {
        const step = stepOf(index + 1, text, atMs);
        atMs = step.atMs;
        steps.push(step);
      } catch (error) {
        problems.push({ line: index + 1, column: place, text: (error as Error).message });
      }
    }
  }
  if (problems.length === 0 && (steps.length === 0 || steps.length > SCRIPT_STEPS_MAX)) {
    const text = `A script has 1 to ${SCRIPT_STEPS_MAX} steps, this one ${steps.length}.`;
    problems.push({ line: 1, column: 1, text });
  }
  return { steps, problems };
}

export function parseChaos(source: string): readonly ChaosStep[] {
  const { steps, problems } = readChaos(source);
  const [first] = problems;
  if (first !== undefined) {
    const { line, column, text } = first;
    throw new LauncherError({ code: 'SCRIPT_INVALID', what: `Line ${line}, column ${column}:`, why: text, next: [] });
  }
  return steps;
}

function stepOf(line: number, text: string, before: number | null): ChaosStep {
  const words = text.split(/\s+/);
  const timed = words[0] === 'at';
  const atMs = timed ? parseDuration((words[1] ?? '').replace(/^\+/, '')) : before;
  return { line, text, atMs, action: actionOf(timed ? words.slice(2) : words) };
}

function actionOf(words: readonly string[]): ChaosAction {
  const [verb = '', ...rest] = words;
  switch (verb) {
    case 'start':
      return /^\d+$/.test(rest[0] ?? '') ? startOf(rest) : { kind: 'node', action: verb, target: targetOf(rest) };
    case 'stop':
    case 'kill':
    case 'freeze':
    case 'resume':
    case 'restart':
      return { kind: 'node', action: verb, target: targetOf(rest) };
    case 'load':
      return loadOf(rest);
    case 'cut':
      return { kind: 'links', links: parseLinks(rest).map((link) => ({ ...link, ...CUT })) };
    case 'partition':
      return { kind: 'links', links: parsePartition(rest).map((link) => ({ ...link, ...CUT })) };
    case 'delay': {
      const { links, ...trouble } = parseDelay(rest);
      return { kind: 'links', links: links.map((link) => ({ ...link, ...trouble })) };
    }
    case 'loss': {
      const { links, lossPercent } = parseLoss(rest);
      return { kind: 'links', links: links.map((link) => ({ ...link, ...CUT, cut: false, lossPercent })) };
    }
    case 'slow-disk':
      return { kind: 'disk', target: targetOf(rest.slice(0, 1)), change: { slowMs: parseDuration(rest[1] ?? '') } };
    case 'fill-disk':
      return { kind: 'disk', target: targetOf(rest), change: { full: true } };
    case 'fail-disk':
      return { kind: 'disk', target: targetOf(rest), change: { failing: true } };
    case 'skew':
      return { kind: 'clock', target: targetOf(rest.slice(0, 1)), skewMs: parseSkew(rest.slice(1)) };
    case 'heal':
      return healOf(rest);
    case 'wait':
      return waitOf(rest);
    case 'assert':
      return assertOf(rest.join(' '));
    default:
      throw new UsageError(`'${verb}' is no action. Actions: ${VERBS}.`);
  }
}

function startOf([count = '', ...options]: readonly string[]): ChaosAction {
  const nodes = parseWholeNumber(count);
  const found = new Map(options.map((option) => option.split('=', 2) as [string, string]));
  const keep = found.get('keep') ?? 'no';
  if (
    nodes < 1 ||
    nodes > 9 ||
    !['yes', 'no'].includes(keep) ||
    [...found.keys()].some((key) => !/^(keep|contexts)$/.test(key))
  ) {
    throw new UsageError('Write: start 3 keep=no contexts=default (1 to 9 nodes)');
  }
  const contexts = parseContexts(found.get('contexts') ?? 'default').map((name) => contextNameOf(name, 'contexts'));
  return { kind: 'start', nodes, keep: keep === 'yes', contexts };
}

function loadOf(rest: readonly string[]): ChaosAction {
  const rate = Number(/^rate=(\d+)\/s$/.exec(rest[1] ?? '')?.[1] ?? 0);
  if (rest.length !== 2 || rate < 1 || rate > LOAD_RATE_MAX) {
    throw new UsageError(`Write: load default rate=200/s (1 to ${LOAD_RATE_MAX})`);
  }
  return { kind: 'load', context: contextNameOf(rest[0], 'context'), rate };
}

function targetOf(words: readonly string[]): string {
  const [word = ''] = words;
  const symbolic = /^(leader|follower)\(([^()]+)\)$/.exec(word);
  if (words.length !== 1) {
    throw new UsageError('Name one target: node-2, leader(default), follower(default) or all.');
  }
  return symbolic === null ? (word === 'all' ? word : parseNode(word)) : `${symbolic[1]}:${symbolic[2]}`;
}

function healOf(rest: readonly string[]): ChaosAction {
  if (rest.join(' ') !== 'all') {
    throw new UsageError('Write: heal all');
  }
  return { kind: 'heal' };
}

function waitOf(rest: readonly string[]): ChaosAction {
  const cut = rest.indexOf('within');
  const withinMs = cut < 0 ? WITHIN_MS : parseDuration(rest[cut + 1] ?? '');
  const what = (cut < 0 ? rest : rest.slice(0, cut)).join(' ');
  const leader = /^leader\(([^()]+)\)$/.exec(what);
  const caught = /^caught-up (all|node-[1-9])$/.exec(what);
  if (leader !== null) {
    const context = contextNameOf(leader[1], 'context');
    return { kind: 'wait', withinMs, condition: { kind: 'leader', context, afterTerm: null } };
  }
  if (caught !== null) {
    return { kind: 'wait', withinMs, condition: { kind: 'caught-up', node: caught[1] === 'all' ? null : caught[1]! } };
  }
  if (what !== 'all ready') {
    throw new UsageError('Write: wait all ready, wait leader(default) or wait caught-up all, then within 5s.');
  }
  return { kind: 'wait', withinMs, condition: { kind: 'ready' } };
}

function assertOf(text: string): ChaosAction {
  const lost = /^lost-acknowledged = (\d+)$/.exec(text);
  const apps = /^apps reconnected within (\S+)$/.exec(text);
  if (lost !== null) {
    return { kind: 'assert-lost', most: Number(lost[1]) };
  }
  if (apps === null) {
    throw new UsageError('Write: assert lost-acknowledged = 0, or: assert apps reconnected within 5s');
  }
  return { kind: 'assert-apps', withinMs: parseDuration(apps[1] ?? '') };
}
