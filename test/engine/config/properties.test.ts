import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatProperties,
  getProperty,
  parseProperties,
  PROPERTIES_LENGTH_MAX,
  removeProperty,
  setProperty,
  uniformKey,
} from '../../../engine/config/properties.ts';

const values = (text: string): Record<string, string> =>
  Object.fromEntries(
    parseProperties(text).lines.flatMap((line) => (line.kind === 'entry' ? [[line.key, line.value]] : [])),
  );

describe('parseProperties', () => {
  it('reads the separators =, : and white space as Java does', () => {
    expect(values('a=1\nb : 2\nc 3\n  d\t=  4 \ne\nf==x\n')).toEqual({
      a: '1',
      b: '2',
      c: '3',
      d: '4 ',
      e: '',
      f: '=x',
    });
  });

  it('joins continuation lines and drops their leading white space', () => {
    expect(values('list=a,\\\n   b,\\\r\n\tc\nnext=1\\\\\nlast=x\\')).toEqual({
      list: 'a,b,c',
      next: '1\\',
      last: 'x',
    });
  });

  it('decodes escapes in keys and values', () => {
    expect(values('a\\:b\\ c=\\u00e9\\t\\n\\q\npath=C:\\\\data')).toEqual({ 'a:b c': 'é\t\nq', path: 'C:\\data' });
  });

  it('treats # and ! lines as comments, ends no comment with a backslash, and skips a byte order mark', () => {
    expect(values('\uFEFF# one \\\n!two\n  # three\na=1')).toEqual({ a: '1' });
  });

  it('reports a broken unicode escape with its line and still reads the rest', () => {
    const document = parseProperties('a=1\nb=\\u12\nc=3');
    expect(document.problems).toEqual([expect.objectContaining({ line: 2, code: 'PROPERTIES_BAD_ESCAPE' })]);
    expect(getProperty(document, 'c')).toBe('3');
  });

  it('reports a key given twice, in another relaxed spelling as well, and lets the last one win', () => {
    const document = parseProperties('x.internal-port=1\nx.internalPort=2\n');
    expect(document.duplicates).toEqual([{ key: 'x.internalPort', line: 2, firstLine: 1 }]);
    expect(getProperty(document, 'x.internal-port')).toBe('2');
  });

  it('refuses a text that is too large and one that is binary', () => {
    expect(parseProperties('a'.repeat(PROPERTIES_LENGTH_MAX + 1)).problems[0]?.code).toBe('PROPERTIES_TOO_LARGE');
    expect(parseProperties('a=1\nPK\u0000\u0003').problems[0]).toMatchObject({ line: 2, code: 'PROPERTIES_NOT_TEXT' });
  });

  it('writes back every untouched text byte for byte', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ':', '\\', '\n', '\r', ' ', '#', 'u', '0', 'é') }),
        (text) => {
          expect(formatProperties(parseProperties(text))).toBe(text);
        },
      ),
    );
  });
});

describe('setProperty and removeProperty', () => {
  it('changes one line and keeps order, comments, unknown keys and line ends', () => {
    const text = '# head\r\nfoo=1\r\n\r\nserver.port=8024\r\nbar=2';
    const changed = setProperty(setProperty(parseProperties(text), 'server.port', '9000'), 'new.key', 'x');
    expect(formatProperties(changed)).toBe('# head\r\nfoo=1\r\n\r\nserver.port=9000\r\nbar=2\r\nnew.key=x\r\n');
    expect(formatProperties(removeProperty(changed, 'foo'))).toBe(
      '# head\r\n\r\nserver.port=9000\r\nbar=2\r\nnew.key=x\r\n',
    );
  });

  it('reads back any key and value it wrote', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\u0000'));
    fc.assert(
      fc.property(
        anyText.filter((key) => key !== ''),
        anyText,
        (key, value) => {
          const text = formatProperties(setProperty(parseProperties('# c\n'), key, value));
          expect(values(text)).toEqual({ [key]: value });
        },
      ),
    );
  });
});

describe('uniformKey', () => {
  it('makes kebab-case, camelCase and snake_case equal', () => {
    expect(new Set(['license-directory', 'licenseDirectory', 'license_directory'].map(uniformKey)).size).toBe(1);
  });
});
