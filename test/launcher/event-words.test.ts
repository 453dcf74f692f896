// The words of the filter bar, of saved searches and of `muster events --where`; an event as the start of a test (ux.md §9).
import { describe, expect, it } from 'vitest';
import { filterOf, givenOf, parseTerms, termWords } from '../../electron/contract/event-words.ts';
import { prettyXml } from '../../renderer/pretty-xml.ts';

const NOW = 1_700_000_000_000;

describe('the words of a filter', () => {
  it('UX-9 chips and free text become one filter, with times before now and values with blanks in quotes', () => {
    const terms = parseTerms('type:Card* issued agg:"card 1" meta.user:ada from:10m to:2026-01-31T14:03:22Z twice');
    expect(filterOf(terms, NOW)).toEqual({
      type: 'Card*',
      aggregate: 'card 1',
      meta: 'user=ada',
      from: NOW - 600_000,
      to: Date.parse('2026-01-31T14:03:22Z'),
      text: 'issued twice',
    });
  });

  it.each(['type:Card* agg:"a \\"b\\" c" meta.x.y:1 hello world', '"type:x" http://host:80', ''])(
    'UX-9 written again they mean the same: %s',
    (words) => {
      expect(parseTerms(termWords(parseTerms(words)))).toEqual(parseTerms(words));
    },
  );

  it('UX-9 what looks like a key but stands in quotes, or has no key that we know, is text', () => {
    expect(filterOf(parseTerms('"type:x" http://host:80'), NOW)).toEqual({ text: 'type:x http://host:80' });
  });

  it.each([
    ['type:', 'write type:Card*'],
    ['type:a type:b', 'stands twice'],
    ['meta.a:1 meta.b:2', 'stands twice'],
    ['from:yesterday', 'is no moment'],
  ])('UX-9 refuses %s and says what to write', (words, why) => {
    expect(() => filterOf(parseTerms(words), NOW)).toThrow(why);
  });
});

describe('an event as the start of a test', () => {
  it.each([
    [
      'com.example.CardIssued',
      '{"cardId":"card-1","amount":5,"by":null}',
      '.given(new CardIssued(/* cardId */ "card-1", /* amount */ 5, /* by */ null))',
    ],
    ['com.example.Outer$Closed', '', '.given(new Closed())'],
    ['Moved', '{"to":{"x":1}}', '.given(objectMapper.readValue("{\\"to\\":{\\"x\\":1}}", Moved.class))'],
    ['Odd', '{"*/ x":1}', '.given(objectMapper.readValue("{\\"*/ x\\":1}", Odd.class))'],
  ])('UX-9 %s with %s', (type, payload, given) => {
    expect(givenOf(type, payload)).toBe(given);
  });
});

describe('XML to read', () => {
  it('UX-9 has a line per element, and what has only text in it stays on one', () => {
    expect(prettyXml('<?xml version="1.0"?><card id="1"><amount>5</amount><empty/><none></none></card>')).toBe(
      [
        '<?xml version="1.0"?>',
        '<card id="1">',
        '  <amount>5</amount>',
        '  <empty/>',
        '  <none></none>',
        '</card>',
      ].join('\n'),
    );
  });
});
