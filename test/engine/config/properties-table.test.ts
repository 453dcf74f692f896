// Every documented property works, is refused, or says that it has no effect (properties.md). The table is the code itself.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as definitions from '../../../engine/config/definitions.ts';
import { parseSettings } from '../../../engine/config/settings.ts';
import type { Definition } from '../../../engine/config/values.ts';
import { LAUNCHER_KEEPS, WITHOUT_EFFECT } from '../../../engine/config/without-effect.ts';

const engine = path.resolve(import.meta.dirname, '..', '..', '..', 'engine');
const TABLES = new Set(
  ['definitions.ts', 'without-effect.ts', 'documentation.ts', 'key-texts.ts'].map((file) => path.join('config', file)),
);

/** All code of the engine but the tables, without comments. */
const code = readdirSync(engine, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.ts') && !file.includes(`gen${path.sep}`) && !TABLES.has(file))
  .map((file) => readFileSync(path.join(engine, file), 'utf8').replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, ''))
  .join('\n');

interface Named {
  readonly group: string;
  readonly name: string;
  readonly definition: Definition<unknown>;
}

const all: readonly Named[] = Object.entries(definitions).flatMap(([group, value]) =>
  group.endsWith('Keys') && typeof value === 'object'
    ? Object.entries(value as Record<string, Definition<unknown>>).map(([name, definition]) => ({
        group,
        name,
        definition,
      }))
    : [],
);

/** Read as a field or taken apart; not just carried along. */
const isRead = (name: string): boolean => new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*[,}]`).test(code);

const SAMPLES = ['true', 'false', '7', '7s', '7MB', 'axon', 'FAIL', 'interval', 'round-robin', 'never', 'some-text'];

/** A value that is allowed and is not the default. */
function otherValue({ fallback, parse }: Definition<unknown>): string | null {
  const fits = (sample: string): boolean => {
    const parsed = parse(sample);
    return parsed.ok && parsed.value !== fallback;
  };
  return SAMPLES.find(fits) ?? null;
}

/** Every other value is refused. */
const ONE_VALUE_ONLY = 'server.ssl.key-store-type';

const notesFor = (key: string, value: string) =>
  parseSettings(`${key}=${value}\n`, {}, { machineHostName: 'localhost' }).notes.filter((note) => note.key === key);

describe('every property', () => {
  it('the table of all properties is found', () => {
    expect(all.length).toBeGreaterThan(120);
  });

  it.each(all.map(({ name, definition }) => [definition.key, name, definition] as const))(
    '%s is read by the engine, or says that it has no effect',
    (key, name, definition) => {
      if (WITHOUT_EFFECT.has(key)) {
        const value = otherValue(definition);
        expect(value).not.toBeNull();
        expect(notesFor(key, value ?? '')).toMatchObject([
          { code: 'SETTING_IGNORED', message: expect.stringContaining('has no effect here: ') },
        ]);
        // The documented default of one key is written in another unit.
        const asDefault = definition.parse(String(definition.fallback));
        if (asDefault.ok && asDefault.value === definition.fallback)
          expect(notesFor(key, String(definition.fallback))).toEqual([]);
      } else if (!LAUNCHER_KEEPS.includes(key) && key !== ONE_VALUE_ONLY) {
        expect(isRead(name), `${key} is parsed and never read: use it, or add it to without-effect.ts`).toBe(true);
      }
    },
  );

  it('nothing is said to be without effect that is no property', () => {
    const keys = new Set(all.map(({ definition }) => definition.key));
    expect([...WITHOUT_EFFECT.keys(), ...LAUNCHER_KEEPS].filter((key) => !keys.has(key))).toEqual([]);
  });

  it('a value that cannot be used is refused, also where it would have no effect', () => {
    for (const key of ['axoniq.axonserver.event.sync-interval', 'axoniq.axonserver.initial-nr-of-permits']) {
      const { problems } = parseSettings(`${key}=nonsense\n`, {}, { machineHostName: 'localhost' });
      expect(problems).toMatchObject([{ code: 'SETTING_INVALID', key }]);
    }
  });
});
