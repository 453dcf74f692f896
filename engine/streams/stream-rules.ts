// Which events a persistent stream has and in which sequence each belongs: its filter and its sequencing policy
// (client-behaviour PS-8, PS-9). Pure. Entry point: compileRules; throws AxonError for what a client got wrong.
import { AxonError } from '../context/api.ts';
import { compileExpression } from '../query/evaluator.ts';
import { COLUMNS, EventRow } from '../query/event-row.ts';
import { compileJsonPath } from '../query/json-path.ts';
import { QueryError } from '../query/lexer.ts';
import { parseQuery } from '../query/parser.ts';
import { isTrue, textOf, type Value } from '../query/values.ts';
import { WireReader, WireWriter } from '../util/wire.ts';
import type { StreamPolicy } from './stream-state.ts';

export interface StreamRules {
  readonly matches: (token: number, event: Uint8Array) => boolean;
  /** The same for all events of one sequence; segment = hash modulo number of segments. */
  readonly hash: (token: number, event: Uint8Array) => number;
}

const PARAMETERS_MAX = 32;
const PARAMETER_CHARACTERS_MAX = 1000;
const columns: ReadonlySet<string> = new Set(COLUMNS);

/** Throws AxonError AXONIQ-2511 for the filter, AXONIQ-2311 for the policy. */
export function compileRules(filter: string, policy: StreamPolicy): StreamRules {
  return { matches: compileFilter(filter), hash: compilePolicy(policy) };
}

function compileFilter(filter: string): StreamRules['matches'] {
  try {
    const conditions = parseQuery(filter).map((step) => {
      if (step.kind !== 'filter') throw new QueryError('The filter of a stream may hold conditions only');
      return compileExpression(step.condition, (name) => columns.has(name));
    });
    if (conditions.length === 0) return () => true;
    return (token, event) => {
      const row = new EventRow(token, event);
      return conditions.every((condition) => isTrue(condition(row)));
    };
  } catch (error) {
    if (error instanceof QueryError) throw new AxonError(error.code, error.message);
    throw error;
  }
}

function invalid(text: string): AxonError {
  return new AxonError('AXONIQ-2311', text);
}

function compilePolicy({ name, parameters }: StreamPolicy): StreamRules['hash'] {
  if (parameters.length > PARAMETERS_MAX || parameters.some((text) => text.length > PARAMETER_CHARACTERS_MAX))
    throw invalid(`A policy has at most ${PARAMETERS_MAX} parameters of ${PARAMETER_CHARACTERS_MAX} characters`);
  switch (name) {
    case 'SequentialPolicy':
      return () => 0;
    case 'FullConcurrencyPolicy':
      return (token, event) => hashOf(identity(event).message || String(token));
    case 'SequentialPerAggregatePolicy':
      return (token, event) => {
        const { message, aggregate } = identity(event);
        return hashOf(aggregate || message || String(token));
      };
    case 'MetaDataSequencingPolicy':
      if (parameters.length === 0) throw invalid('MetaDataSequencingPolicy needs the key of a metadata value');
      return (token, event) => {
        const { metaData } = new EventRow(token, event);
        return hashOf(JSON.stringify(parameters.map((key) => textOf(metaData.get(key) ?? null))));
      };
    case 'PropertySequencingPolicy':
      return byProperty(parameters);
    default:
      throw invalid(`Unknown sequencing policy ${name}`);
  }
}

/** One expression for every payload, or pairs of payload type and expression. Events without a value are no sequence. */
function byProperty(parameters: readonly string[]): StreamRules['hash'] {
  const expressions = new Map<string, (payload: string) => Value>();
  const only = parameters.length === 1 ? property(parameters[0]!) : null;
  if (only === null) {
    if (parameters.length === 0 || parameters.length % 2 !== 0)
      throw invalid('PropertySequencingPolicy needs an expression, or pairs of payload type and expression');
    for (let i = 0; i < parameters.length; i += 2) expressions.set(parameters[i]!, property(parameters[i + 1]!));
  }
  return (token, event) => {
    const row = new EventRow(token, event);
    const find = only ?? expressions.get(textOf(row.get('payloadType') ?? null));
    const value = find?.(textOf(row.get('payloadData') ?? null)) ?? null;
    return hashOf(value === null ? identity(event).message || String(token) : textOf(value));
  };
}

/** A property path over JSON; over XML the first element named like its last part. */
function property(expression: string): (payload: string) => Value {
  try {
    const find = compileJsonPath(expression);
    const name = /([\p{L}_][\p{L}\p{N}_-]*)[^\p{L}\p{N}_-]*$/u.exec(expression)?.[1];
    const element = name === undefined ? null : new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</`, 'u');
    return (payload) =>
      element !== null && payload.trimStart().startsWith('<') ? (element.exec(payload)?.[1] ?? null) : find(payload);
  } catch (error) {
    if (error instanceof QueryError) throw invalid(error.message);
    throw error;
  }
}

/** Only domain events have an aggregate. */
function identity(event: Uint8Array): { readonly message: string; readonly aggregate: string } {
  let message = '';
  let aggregate = '';
  let isDomainEvent = false;
  const reader = new WireReader(event);
  while (reader.next()) {
    if (reader.field === 1) message = reader.text();
    else if (reader.field === 2) aggregate = reader.text();
    else if (reader.field === 4) isDomainEvent = reader.end > reader.start;
  }
  return { message, aggregate: isDomainEvent ? aggregate : '' };
}

/** FNV-1a, 32 bits: kept as it is for ever, since stored positions depend on it. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** A stored event of a DCB context (`dcb.TaggedEvent`) as the `event.Event` that streams carry. Throws WireError. */
export function eventOfTagged(tagged: Uint8Array): Uint8Array {
  let event: Uint8Array = new Uint8Array(0);
  const outer = new WireReader(tagged);
  while (outer.next()) if (outer.field === 1) event = outer.view();
  const writer = new WireWriter(event.length + 64);
  const payload = new WireWriter(event.length + 16);
  const reader = new WireReader(event);
  while (reader.next()) {
    if (reader.field === 1) writer.bytes(1, reader.view());
    else if (reader.field === 2) writer.int(5, reader.signed());
    else if (reader.field === 3) payload.bytes(1, reader.view());
    else if (reader.field === 4) payload.bytes(2, reader.view());
    else if (reader.field === 5) payload.bytes(3, reader.view());
    else if (reader.field === 6) writer.bytes(7, metaDataEntry(reader.view()));
  }
  return writer.bytes(6, payload.finish()).finish();
}

/** `map<string, string>` into `map<string, MetaDataValue>`. */
function metaDataEntry(bytes: Uint8Array): Uint8Array {
  const reader = new WireReader(bytes);
  const writer = new WireWriter(bytes.length + 8);
  let value: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) writer.bytes(1, reader.view());
    else if (reader.field === 2) value = reader.view();
  }
  return writer.bytes(2, new WireWriter(value.length + 8).bytes(1, value).finish()).finish();
}
