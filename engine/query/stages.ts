// The steps of a query as stages: each takes changes of rows and hands changes on (client-behaviour QE-3, QE-8). Stages that
// look at many rows hold their news back until `flush`, so that a row that comes and falls out again is never told. Pure.
import { compileExpression, type Evaluate, type Known } from './evaluator.ts';
import type { Row } from './event-row.ts';
import { QueryError } from './lexer.ts';
import { GROUPS_MAX } from './limits.ts';
import type { Aggregate, Expression, Named, SortKey } from './parser.ts';
import { isTrue, numberOf, order, type Value } from './values.ts';

export interface ResultRow extends Row {
  readonly id: readonly Value[];
  readonly sort: readonly Value[];
  /** Per value of `sort`. */
  readonly descending: readonly boolean[];
}

/** `row` null: the row with this id is no longer part of the result. */
export interface Change {
  readonly id: readonly Value[];
  readonly row: ResultRow | null;
}

export type Emit = (change: Change) => void;

export interface Stage {
  accept(change: Change, emit: Emit): void;
  flush(emit: Emit): void;
}

export function keyOf(id: readonly Value[]): string {
  return JSON.stringify(id);
}

const nothing = (): void => undefined;

/** `updates`: rows may come again with other values, so a row that no longer passes has to be taken back. */
export function filterStage(condition: Expression, known: Known, updates: boolean): Stage {
  const holds = compileExpression(condition, known);
  const passed = new Set<string>();
  return {
    accept: (change, emit) => {
      const key = updates ? keyOf(change.id) : '';
      if (change.row !== null && isTrue(holds(change.row))) {
        if (updates) passed.add(key);
        emit(change);
      } else if (passed.delete(key)) emit({ id: change.id, row: null });
    },
    flush: nothing,
  };
}

/** The columns that were there stay usable by later steps. */
export function selectStage(columns: readonly Named[], known: Known): Stage {
  const compiled = columns.map(({ name, expression }) => ({ name, value: compileExpression(expression, known) }));
  return {
    accept: ({ id, row }, emit) => {
      if (row === null) {
        emit({ id, row });
        return;
      }
      const values = new Map(compiled.map(({ name, value }) => [name, value(row)]));
      emit({ id, row: { ...shape(row), get: (column) => values.get(column) ?? row.get(column) } });
    },
    flush: nothing,
  };
}

function shape({ id, sort, descending, metaData }: ResultRow): Omit<ResultRow, 'get'> {
  return { id, sort, descending, metaData };
}

export function sortStage(keys: readonly SortKey[], known: Known): Stage {
  const compiled = keys.map(({ expression }) => compileExpression(expression, known));
  const descending = keys.map((key) => key.descending);
  return {
    accept: ({ id, row }, emit) => {
      if (row === null) emit({ id, row });
      else {
        const sort = compiled.map((key) => key(row));
        emit({ id, row: { ...shape(row), sort, descending, get: (name) => row.get(name) } });
      }
    },
    flush: nothing,
  };
}

interface Total {
  count: number;
  sum: number;
  best: Value;
}

interface Group {
  readonly id: readonly Value[];
  readonly totals: readonly Total[];
}

/** Without keys there is one group from the start, named after its aggregate. */
export function groupStage(keys: readonly Named[], aggregates: readonly Aggregate[], known: Known): Stage {
  const keyValues = keys.map(({ expression }) => compileExpression(expression, known));
  const compiled = aggregates.map(({ argument }) => (argument === null ? null : compileExpression(argument, known)));
  const groups = new Map<string, Group>();
  const changed = new Set<Group>();
  const group = (id: readonly Value[]): Group => {
    const key = keyOf(id);
    let found = groups.get(key);
    if (found === undefined) {
      if (groups.size >= GROUPS_MAX)
        throw new QueryError(`The query has more than ${GROUPS_MAX} groups`, 'AXONIQ-1900');
      found = { id, totals: aggregates.map(() => ({ count: 0, sum: 0, best: null })) };
      groups.set(key, found);
    }
    changed.add(found);
    return found;
  };
  const names = [...keys.map(({ name }) => name), ...aggregates.map(({ name }) => name)];
  const rowOf = ({ id, totals }: Group): ResultRow => {
    const results = totals.map((total, i) => resultOf(aggregates[i]!.operation, total));
    const values = keys.length === 0 ? results : [...id, ...results];
    const get = (name: string): Value | undefined => values[names.indexOf(name)];
    return { id, sort: id, descending: id.map(() => false), metaData: null, get };
  };
  const whole = keys.length === 0 ? [aggregates[0]?.name ?? ''] : null;
  if (whole !== null) group(whole);
  return {
    accept: ({ row }) => {
      if (row === null) return;
      const { totals } = group(whole ?? keyValues.map((value) => value(row)));
      for (const [i, total] of totals.entries()) add(total, aggregates[i]!.operation, compiled[i] ?? null, row);
    },
    flush: (emit) => {
      for (const one of changed) emit({ id: one.id, row: rowOf(one) });
      changed.clear();
    },
  };
}

function add(total: Total, operation: Aggregate['operation'], argument: Evaluate | null, row: Row): void {
  const value = argument === null ? true : argument(row);
  if (value === null) return;
  total.count += operation === 'avg' || operation === 'sum' ? 0 : 1;
  if (operation === 'min' || operation === 'max') {
    const isBetter = total.best === null || order(value, total.best) * (operation === 'min' ? 1 : -1) < 0;
    if (isBetter) total.best = value;
  } else if (operation !== 'count') {
    const number = numberOf(value);
    if (number === null) return;
    total.count += 1;
    total.sum += number;
  }
}

function resultOf(operation: Aggregate['operation'], { count, sum, best }: Total): Value {
  if (operation === 'count') return count;
  if (operation === 'min' || operation === 'max') return best;
  if (count === 0) return null;
  return operation === 'sum' ? sum : sum / count;
}

export interface LimitStage extends Stage {
  /** As many rows as it lets through have come. */
  readonly full: boolean;
}

/** Candidates beyond the limit that are cleared out in one go. */
const SPARE_CANDIDATES = 1000;

/** The first `count` by the order of the rows. `updates`: a row that fell out may come back. */
export function limitStage(count: number, updates: boolean): LimitStage {
  const candidates = new Map<string, ResultRow>();
  let shown = new Map<string, ResultRow>();
  let isChanged = false;
  const first = (): [string, ResultRow][] => [...candidates].sort(([, a], [, b]) => byOrder(a, b)).slice(0, count);
  return {
    get full() {
      return candidates.size >= count;
    },
    accept: ({ id, row }) => {
      isChanged = true;
      if (row === null) candidates.delete(keyOf(id));
      else candidates.set(keyOf(id), row);
      if (updates || candidates.size <= 2 * count + SPARE_CANDIDATES) return;
      const kept = first();
      candidates.clear();
      for (const [key, candidate] of kept) candidates.set(key, candidate);
    },
    flush: (emit) => {
      if (!isChanged) return;
      isChanged = false;
      const next = new Map(first());
      for (const [key, { id }] of shown) if (!next.has(key)) emit({ id, row: null });
      for (const [key, row] of next) if (shown.get(key) !== row) emit({ id: row.id, row });
      shown = next;
    },
  };
}

function byOrder(left: ResultRow, right: ResultRow): number {
  for (const [i, value] of left.sort.entries()) {
    const difference = order(value, right.sort[i] ?? null);
    if (difference !== 0) return left.descending[i] === true ? -difference : difference;
  }
  return 0;
}
