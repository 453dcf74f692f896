import { describe, expect, it } from 'vitest';
import * as definitions from '../../../engine/config/definitions.ts';
import { documentationOf, documentedKeys } from '../../../engine/config/documentation.ts';
import { KEY_TEXTS } from '../../../engine/config/key-texts.ts';
import type { Definition } from '../../../engine/config/values.ts';
import { WITHOUT_EFFECT } from '../../../engine/config/without-effect.ts';

const keys = Object.entries(definitions).flatMap(([group, value]) =>
  group.endsWith('Keys') && typeof value === 'object'
    ? Object.values(value as Record<string, Definition<unknown>>).map(({ key }) => key)
    : [],
);

describe('documentation of the properties (ux 12)', () => {
  it('knows every key of the engine once, with a sentence, a type and a time of effect', () => {
    const documented = documentedKeys.map(({ key }) => key).filter((key) => !key.endsWith('.tags.*'));
    expect([...documented].sort()).toEqual([...keys].sort());
    for (const { key, text, type } of documentedKeys) {
      expect([key, text]).toEqual([key, expect.stringMatching(/^[A-Za-z].{15,}\.$/)]);
      expect([key, type === '']).toEqual([key, false]);
    }
    expect([...KEY_TEXTS.keys()].filter((key) => !keys.includes(key) || WITHOUT_EFFECT.has(key))).toEqual([]);
  });

  it('takes type and default from the definition, in words', () => {
    expect(documentationOf('axoniq.axonserver.maxMessageSize')).toMatchObject({
      type: expect.stringMatching(/^a size such as/),
      fallback: '4MB',
      effect: 'restart',
    });
    expect(documentationOf('axoniq.axonserver.heartbeat.enabled')).toMatchObject({
      type: 'true or false',
      fallback: 'false',
    });
    expect(documentationOf('axoniq.axonserver.default-query-timeout')?.fallback).toBe('300000ms');
    expect(documentationOf('axoniq.axonserver.replication.wait-for-leader-timeout')?.fallback).toBe('-1');
    expect(documentationOf('axoniq.axonserver.muster.scrub.rate')?.fallback).toBe('8MB');
  });

  it('tells keys of the first start, and keys without effect with the reason', () => {
    expect(documentationOf('axoniq.axonserver.autocluster.first')?.effect).toBe('first-start');
    expect(documentationOf('axoniq.axonserver.event.retention-time')).toMatchObject({
      effect: 'never',
      text: expect.stringContaining('the log is the event store'),
    });
    for (const { text, effect } of documentedKeys) expect(/^No effect here/.test(text)).toBe(effect === 'never');
    expect(documentationOf('axoniq.axonserver.tags.region')?.key).toBe('axoniq.axonserver.tags.*');
    expect(documentationOf('no.such.key')).toBeNull();
  });
});
