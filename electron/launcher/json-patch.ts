// Pure: the difference of two JSON values, small when little changed. Entry points: `difference`, `patched`.

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** `s`: the new value; `k`: what changed inside, null = gone. Lists of the same length are compared place by place. */
export type Patch = { readonly s: Json } | { readonly k: Readonly<Record<string, Patch | null>> };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Null: they are equal. Both must be what JSON.parse answers. */
export function difference(before: Json, after: Json): Patch | null {
  if (isList(before) && isList(after) && before.length === after.length) {
    return inside({ ...before } as unknown as JsonObject, { ...after } as unknown as JsonObject);
  }
  if (isObject(before) && isObject(after)) {
    return inside(before, after);
  }
  return JSON.stringify(before) === JSON.stringify(after) ? null : { s: after };
}

function inside(before: JsonObject, after: JsonObject): Patch | null {
  const changed: Record<string, Patch | null> = {};
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const earlier = before[key];
    const patch = earlier === undefined ? { s: value } : difference(earlier, value);
    if (patch !== null) changed[key] = patch;
  }
  for (const key of Object.keys(before)) {
    if (after[key] === undefined) changed[key] = null;
  }
  return Object.keys(changed).length === 0 ? null : { k: changed };
}

/** A value equal to the one that `difference` was given as `after`; `before` stays as it is. */
export function patched(before: Json, patch: Patch): Json {
  if ('s' in patch) {
    return patch.s;
  }
  if (isList(before)) {
    return before.map((value, index) => {
      const change = patch.k[String(index)];
      return change === undefined || change === null ? value : patched(value, change);
    });
  }
  const known = isObject(before) ? before : {};
  const result: Record<string, Json | undefined> = { ...known };
  for (const [key, change] of Object.entries(patch.k)) {
    if (change === null) delete result[key];
    else result[key] = patched(known[key] ?? null, change);
  }
  return result;
}
