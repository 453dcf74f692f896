// Which keys are offered while a properties text is typed (ux.md §2).
import { expect, it } from 'vitest';
import type { ConfigKeyDoc } from '../../electron/contract/config-docs.ts';
import { COMPLETIONS_MAX, completed, completionAt } from '../../renderer/key-completion.ts';

const doc = (key: string): ConfigKeyDoc => ({ key, type: 'a text', fallback: '', text: 'Text.', effect: 'restart' });
const docs = ['axoniq.axonserver.port', 'axoniq.axonserver.internal-port', 'server.port', 'port.speed'].map(doc);
const keysAt = (text: string, caret = text.length) =>
  completionAt(text, caret, docs)?.keys.map((one) => one.key) ?? null;

it('UX-2 keys that begin so come first, then those after the common prefix, then those that hold it', () => {
  expect(keysAt('port')).toEqual([
    'port.speed',
    'axoniq.axonserver.port',
    'axoniq.axonserver.internal-port',
    'server.port',
  ]);
  const many = Array.from({ length: COMPLETIONS_MAX + 1 }, (_, index) => doc(`key-${index}`));
  expect(completionAt('key', 3, many)?.keys).toHaveLength(COMPLETIONS_MAX);
});

it('UX-2 nothing is offered in values, comments and for a key that stands there', () => {
  expect(keysAt('a=por')).toBeNull();
  expect(keysAt('# por')).toBeNull();
  expect(keysAt('server.port')).toBeNull();
  expect(keysAt('nothing-like-it')).toBeNull();
});

it('UX-2 a key replaces the whole word on its own line, and an equals sign that is there stays', () => {
  const text = 'a=1\n  serv.pot = 7\nb=2';
  const found = completionAt(text, text.indexOf('serv') + 4, docs);
  expect(found).toMatchObject({ line: 1, column: 2 });
  expect(text.slice(found?.from, found?.to)).toBe('serv.pot');
  if (found === null) return;
  expect(completed(text, found, 'server.port')).toBe('server.port');
  expect(completed('serv', { ...found, to: 4 }, 'server.port')).toBe('server.port=');
});
