// A whole query: which events it needs, which columns it shows, and the way of an event to rows (client-behaviour QE-4 to
// QE-8). Pure. Throws QueryError.
import type { Known } from './evaluator.ts';
import { COLUMNS, type EventRow } from './event-row.ts';
import { type Expression, parseQuery, type Step } from './parser.ts';
import {
  type Change,
  type Emit,
  filterStage,
  groupStage,
  type LimitStage,
  limitStage,
  selectStage,
  sortStage,
  type Stage,
} from './stages.ts';
import { momentBefore } from './time.ts';
import { isMoment, type Value } from './values.ts';

/** Events outside cannot be part of the result. */
export interface Scope {
  /** Set: only this aggregate is read, and there is no column token (QE-5). */
  readonly aggregateId: string | null;
  readonly minToken: number;
  readonly maxToken: number;
  /** Epoch ms. */
  readonly since: number;
}

export class Pipeline {
  readonly columns: readonly string[];
  readonly scope: Scope;
  readonly #stages: readonly Stage[];
  readonly #limit: LimitStage | null;

  private constructor(columns: readonly string[], scope: Scope, stages: readonly Stage[], limit: LimitStage | null) {
    this.columns = columns;
    this.scope = scope;
    this.#stages = stages;
    this.#limit = limit;
  }

  /** `now` in epoch ms is where time limits count from; `rows` is the limit of a query without one. */
  static compile(query: string, now: number, rows: number): Pipeline {
    const steps = parseQuery(query);
    const scope = scopeOf(steps, now);
    const builder = new Builder(scope.aggregateId === null ? COLUMNS : COLUMNS.filter((column) => column !== 'token'));
    for (const step of steps) builder.add(step);
    const { columns, stages, early } = builder.finish(rows);
    return new Pipeline(columns, scope, stages, early);
  }

  /** True when older events cannot change the result. Only while events come from new to old. */
  get saturated(): boolean {
    return this.#limit?.full === true;
  }

  accept(event: EventRow, emit: Emit): void {
    const position = event.get('token') ?? event.get('aggregateSequenceNumber') ?? 0;
    const time = event.get('timestamp') ?? null;
    if (time !== null && isMoment(time) && time.epochMs < this.scope.since) return;
    const id = [position];
    const { metaData } = event;
    const row = { id, sort: id, descending: [true], metaData, get: (column: string) => event.get(column) };
    this.#pass(0, { id, row }, emit);
  }

  /** Tells what was held back. */
  flush(emit: Emit): void {
    for (const [i, stage] of this.#stages.entries()) stage.flush((change) => this.#pass(i + 1, change, emit));
  }

  #pass(at: number, change: Change, emit: Emit): void {
    const stage = this.#stages[at];
    if (stage === undefined) emit(change);
    else stage.accept(change, (next) => this.#pass(at + 1, next, emit));
  }
}

class Builder {
  readonly #stages: Stage[] = [];
  #names: ReadonlySet<string>;
  #columns: readonly string[];
  #updates = false;
  #isSorted = false;
  #limited = false;
  #early: LimitStage | null = null;

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#names = new Set(columns);
  }

  readonly #known: Known = (name) => this.#names.has(name);

  add(step: Step): void {
    switch (step.kind) {
      case 'last':
        return;
      case 'filter':
        this.#stages.push(filterStage(step.condition, this.#known, this.#updates));
        return;
      case 'select':
        this.#stages.push(selectStage(step.columns, this.#known));
        this.#columns = step.columns.map(({ name }) => name);
        this.#names = new Set([...this.#names, ...this.#columns]);
        return;
      case 'sort':
        this.#stages.push(sortStage(step.keys, this.#known));
        this.#isSorted = true;
        return;
      case 'group':
        this.#stages.push(groupStage(step.keys, step.aggregates, this.#known));
        this.#columns = [...step.keys, ...step.aggregates].map(({ name }) => name);
        this.#names = new Set(this.#columns);
        this.#updates = true;
        return;
      case 'limit':
        this.#limit(step.count);
    }
  }

  #limit(count: number): void {
    const stage = limitStage(count, this.#updates);
    if (!this.#updates && !this.#isSorted) this.#early ??= stage;
    this.#stages.push(stage);
    this.#limited = true;
    // What falls out of a limit is taken back, so later steps see updates.
    this.#updates = true;
  }

  finish(rows: number): { columns: readonly string[]; stages: readonly Stage[]; early: LimitStage | null } {
    if (!this.#limited && !this.#updates) this.#limit(rows);
    return { columns: this.#columns, stages: this.#stages, early: this.#early };
  }
}

const MAX = Number.MAX_SAFE_INTEGER;

/** From the filters before anything is computed over events. */
function scopeOf(steps: readonly Step[], now: number): Scope {
  let aggregateId: string | null = null;
  let minToken = 0;
  let maxToken = MAX;
  let since = -MAX;
  for (const step of steps) {
    if (step.kind === 'last') since = momentBefore(now, step.amount, step.unit);
    else if (step.kind !== 'filter') break;
    else {
      for (const { column, operator, value } of conditionsOf(step.condition)) {
        if (column === 'aggregateIdentifier' && operator === '=' && typeof value === 'string') aggregateId = value;
        if (column !== 'token' || typeof value !== 'number') continue;
        if (['=', '>', '>='].includes(operator)) minToken = Math.max(minToken, Math.floor(value));
        if (['=', '<', '<='].includes(operator)) maxToken = Math.min(maxToken, Math.ceil(value));
      }
    }
  }
  return { aggregateId, minToken, maxToken, since };
}

/** `column operator constant` parts that all have to hold. */
function conditionsOf(
  expression: Expression,
): readonly { readonly column: string; readonly operator: string; readonly value: Value }[] {
  if (expression.kind !== 'call') return [];
  if (expression.name === 'and') return expression.arguments.flatMap(conditionsOf);
  const [column, constant] = expression.arguments;
  if (column?.kind !== 'name' || constant?.kind !== 'literal') return [];
  return [{ column: column.name, operator: expression.name, value: constant.value }];
}
