import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml, YAML_CHARS_MAX, YamlError } from '../../../engine/config/yaml.ts';

describe('parseYaml', () => {
  it('reads mappings, lists under and beside their key, quotes, comments and one-line lists', () => {
    const text = `# head
---
a:
  b: 1   # one
  c: "x # y: \\"z\\""
list:
- name: 'it''s'
  roles: [P, "Q"]
  empty: []
-   name: two
    deeper:
      - - x
        - y
none: ~
map: {}
"quoted key": v
url: http://h:8080/x
`;
    expect(parseYaml(text)).toEqual({
      a: { b: '1', c: 'x # y: "z"' },
      list: [
        { name: "it's", roles: ['P', 'Q'], empty: [] },
        { name: 'two', deeper: [['x', 'y']] },
      ],
      none: null,
      map: {},
      'quoted key': 'v',
      url: 'http://h:8080/x',
    });
    expect(parseYaml('')).toBeNull();
  });

  it.each([
    ['a: |\n  text', 1],
    ['a: &x b', 1],
    ['a: {b: c}', 1],
    ['a: b: c', 1],
    ['a: 1\na: 2', 2],
    ['a:\n\tb: 1', 2],
    ['a: 1\n---\nb: 2', 2],
    ['a: 1\n   b: 2', 2],
    ['a:\n  - x\n  b: 1', 3],
    ['"unfinished: x', 1],
    ['[[a], b]', 1],
  ])('refuses %j with its line', (text, line) => {
    expect(() => parseYaml(text)).toThrow(YamlError);
    expect(() => parseYaml(text)).toThrow(new RegExp(`^line ${line}: `));
  });

  it('a line of blanks costs no more than its length (fuzz, seed 6383)', () => {
    const startedAt = performance.now();
    expect(() => parseYaml(`a: b\nkey${' '.repeat(YAML_CHARS_MAX - 20)}x`)).toThrow(YamlError);
    // The square of it took a minute.
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('has limits for length and depth, and no input makes it fail otherwise', () => {
    expect(() => parseYaml('a'.repeat(YAML_CHARS_MAX + 1))).toThrow(YamlError);
    expect(() => parseYaml(Array.from({ length: 40 }, (_, i) => `${' '.repeat(i)}k:`).join('\n'))).toThrow(/nested/);
    const piece = fc.constantFrom('a', ': ', '- ', '\n', '  ', '"', "'", '#', '[', ']', '{}', '\\', '~', '|', '\t');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          parseYaml(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(YamlError);
        }
      }),
      { seed: 7, numRuns: 3000 },
    );
  });
});
