// The single values that calls are made of, each with its rule in words. May not import anything but the contract.
// Entry points: the parsers; check.ts puts them together.
import { LauncherError } from './model.ts';
import type { NodeRole } from './model.ts';

export const CLUSTER_NAME_RULE = /^[a-z][a-z0-9-]{0,39}$/;
export const NODES_MAX = 9;
/** Three blocks of ports, 100 apart, must fit below 65536. */
export const FIRST_PORT_MIN = 1024;
export const FIRST_PORT_MAX = 65_535 - 200 - NODES_MAX;
/** Holds nodes, contexts and access; always there. */
export const ADMIN_CONTEXT = '_admin';
/** cluster-semantics CX: the name rule of Axon Server contexts; `_admin` is the only name that starts with an underscore. */
export const CONTEXT_NAME_RULE = /^[a-zA-Z][a-zA-Z_\-0-9]{0,62}$/;
export const CHECKPOINT_NAME_RULE = /^[a-z0-9][a-z0-9-]{0,39}$/;
export const NODE_NAME_RULE = /^node-[1-9]$/;

export type Parse<T> = (value: unknown, where: string) => T;

export function refuse(where: string, why: string): never {
  throw new LauncherError({
    code: 'BAD_ARGUMENT',
    what: `The argument '${where}' cannot be used.`,
    why,
    next: ['Correct the argument and try again.'],
  });
}

export function textOf(rule: RegExp, ruleInWords: string): Parse<string> {
  return (value, where) => {
    if (typeof value !== 'string' || !rule.test(value)) {
      refuse(where, `${shown(value)} is not ${ruleInWords}.`);
    }
    return value;
  };
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export const clusterNameOf = textOf(
  CLUSTER_NAME_RULE,
  'a cluster name (1 to 40 lower-case letters, digits and dashes, starting with a letter)',
);
export const checkpointNameOf = textOf(
  CHECKPOINT_NAME_RULE,
  'a checkpoint name (1 to 40 lower-case letters, digits and dashes, starting with a letter or digit)',
);
export const nodeNameOf = textOf(NODE_NAME_RULE, 'a node name (node-1 to node-9)');
export const targetOf = textOf(
  /^(all|node-[1-9]|(leader|follower):[a-zA-Z_][a-zA-Z_\-0-9]{0,62})$/,
  'a target (node-1, all, leader:<context> or follower:<context>)',
);

export const hostNameOf = textOf(
  /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/,
  'a host name or an IPv4 address',
);

export const nodeRoleOf: Parse<NodeRole> = (value, where) =>
  oneOf<NodeRole>(['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP', 'MESSAGING_ONLY'])(value, where);

export const configTextOf = textOf(/^[\s\S]{0,100000}$/, 'a text of at most 100,000 characters');

export const taskIdOf = textOf(/^task-\d{1,9}$/, 'the id of a task (task-1)');

export const contextNameOf: Parse<string> = (value, where) => {
  if (typeof value !== 'string' || (value !== ADMIN_CONTEXT && !CONTEXT_NAME_RULE.test(value))) {
    refuse(where, `${shown(value)} is not a context name (a letter, then letters, digits, '_' or '-').`);
  }
  return value;
};

export function textUpTo(charactersMax: number): Parse<string> {
  return (value, where) => {
    if (typeof value !== 'string' || value.length > charactersMax) {
      refuse(where, `${shown(value)} is not a text of at most ${charactersMax} characters.`);
    }
    return value;
  };
}

export function oneOf<T extends string>(values: readonly T[]): Parse<T> {
  return (value, where) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) {
      refuse(where, `${shown(value)} is none of ${values.join(', ')}.`);
    }
    return found;
  };
}

export function integerOf(min: number, max: number): Parse<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      refuse(where, `${shown(value)} is not a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Epoch ms. */
export const momentOf = integerOf(0, Number.MAX_SAFE_INTEGER);

export const booleanOf: Parse<boolean> = (value, where) => {
  if (typeof value !== 'boolean') {
    refuse(where, `${shown(value)} is neither true nor false.`);
  }
  return value;
};

export function listOf<T>(item: Parse<T>, max: number): Parse<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) {
      refuse(where, `${shown(value)} is not a list.`);
    }
    if (value.length > max) {
      refuse(where, `The list has ${value.length} entries, at most ${max} are allowed.`);
    }
    return value.map((entry, position) => item(entry, `${where}[${position}]`));
  };
}

export function recordOf(value: unknown, where: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(where, `${shown(value)} is not an object.`);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      refuse(`${where}.${key}`, `Unknown key; known keys are ${keys.join(', ')}.`);
    }
  }
  return value as Record<string, unknown>;
}

export function unique(values: readonly string[], where: string): readonly string[] {
  if (new Set(values).size !== values.length) {
    refuse(where, 'A name appears twice.');
  }
  return values;
}

export function optional<T>(parse: Parse<T>, value: unknown, where: string): T | undefined {
  return value === undefined ? undefined : parse(value, where);
}

export function count(args: readonly unknown[], min: number, max: number): void {
  if (args.length < min || args.length > max) {
    refuse('arguments', `${args.length} arguments given, ${min === max ? min : `${min} to ${max}`} expected.`);
  }
}
